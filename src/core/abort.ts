/**
 * One listener per AbortSignal, however many tasks hang on it: adding and removing listeners one by one costs
 * time that grows with their number. Order of calls is order of adding.
 */
import { leaveAsItIs } from './callers.ts'

class Listeners {
  readonly #signal: AbortSignal
  readonly #fns = new Set<(reason: unknown) => void>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  add(fn: (reason: unknown) => void): void {
    if (this.#fns.size === 0) this.#signal.addEventListener('abort', this.#tell)
    this.#fns.add(fn)
  }

  /** With the last one goes the listener: Node keeps a derived signal in memory for as long as it has one. */
  delete(fn: (reason: unknown) => void): void {
    if (this.#fns.delete(fn) && this.#fns.size === 0) this.#signal.removeEventListener('abort', this.#tell)
  }

  readonly #tell = (): void => {
    const reason = reasonOf(this.#signal)
    for (const fn of Array.from(this.#fns)) {
      if (!this.#fns.has(fn)) continue // one before it has ended what it belongs to
      this.delete(fn)
      fn(reason)
    }
  }
}

const listening = new WeakMap<AbortSignal, Listeners>()

/** Calls `fn` once when `signal` aborts; answers how to take that back. `fn` must not throw. */
export function onAbort(signal: AbortSignal, fn: (reason: unknown) => void): () => void {
  let listeners = listening.get(signal)
  if (listeners === undefined) listening.set(signal, (listeners = new Listeners(signal)))
  const all = listeners
  all.add(fn)
  return () => all.delete(fn)
}

/** Why `signal` has aborted: the user's own error, whose stack stays as it is. */
export function reasonOf(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason
  leaveAsItIs(reason)
  return reason
}
