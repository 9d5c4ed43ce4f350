/**
 * One listener per AbortSignal, however many tasks hang on it: adding and removing listeners one by one costs
 * time that grows with their number. Order of calls is order of adding.
 */
import { leaveAsItIs } from './callers.ts'

const listening = new WeakMap<AbortSignal, Set<(reason: unknown) => void>>()

/** Calls `fn` once when `signal` aborts; answers how to take that back. */
export function onAbort(signal: AbortSignal, fn: (reason: unknown) => void): () => void {
  let all = listening.get(signal)
  if (all === undefined) {
    const fns = new Set<(reason: unknown) => void>()
    listening.set(signal, (all = fns))
    const tell = (): void => {
      const last = [...fns]
      fns.clear()
      const reason = reasonOf(signal)
      for (const each of last) each(reason)
    }
    signal.addEventListener('abort', tell, { once: true })
  }
  const fns = all
  fns.add(fn)
  return () => void fns.delete(fn)
}

/** Why `signal` has aborted: the user's own error, whose stack stays as it is. */
export function reasonOf(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason
  leaveAsItIs(reason)
  return reason
}
