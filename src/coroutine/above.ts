/**
 * What is above a group or a timeout when it begins: the signals that end it from outside. Both begin with
 * it, and both let go of it at their end.
 */
import { onAbort, reasonOf } from '../core/abort.ts'
import { currentSignal, currentTask } from '../core/context.ts'

/**
 * Calls `fn` once, when the first of them aborts: `signal`, that of the group, timeout or thread in which
 * this runs, and that of the pool's task. At once where one has aborted. Answers how to take that back.
 */
export function onAbortAbove(signal: AbortSignal | undefined, fn: (reason: unknown) => void): () => void {
  const signals = new Set([signal, currentSignal(), currentTask()?.signal])
  const stops: (() => void)[] = []
  const stop = (): void => stops.forEach((stop) => stop())
  const first = (reason: unknown): void => {
    stop()
    fn(reason)
  }
  for (const one of signals)
    if (one?.aborted === true) {
      first(reasonOf(one))
      return stop
    }
  for (const one of signals) if (one !== undefined) stops.push(onAbort(one, first))
  return stop
}
