/**
 * One listener per AbortSignal, however many tasks hang on it: adding and removing listeners one by one costs
 * time that grows with their number. Order of calls is order of adding.
 */

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
      for (const each of last) each(signal.reason)
    }
    signal.addEventListener('abort', tell, { once: true })
  }
  const fns = all
  fns.add(fn)
  return () => void fns.delete(fn)
}
