/**
 * What is above a group or a timeout when it begins: the signals that end it from outside. Both begin with
 * it, and both let go of it at their end.
 */
import { reasonOf } from '../core/abort.ts'
import { currentTask } from '../core/context.ts'
import { abortedOf, onStop, stopsOf } from '../core/stops.ts'

/**
 * Calls `fn` once, when the first of them aborts: `signal`, that of the group, timeout or thread in which
 * this runs, and that of the pool's task. At once where one has aborted. Answers how to take that back.
 */
export function onAbortAbove(signal: AbortSignal | undefined, fn: (reason: unknown) => void): () => void {
  const ofTask = currentTask()?.signal
  const stops = [...stopsOf(signal), ...(ofTask === undefined ? [] : [ofTask])]
  const aborted = abortedOf(stops)
  if (aborted === undefined) return onStop(stops, fn)
  fn(reasonOf(aborted))
  return () => {}
}
