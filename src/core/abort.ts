/**
 * One listener per AbortSignal, however many tasks hang on it: adding and removing listeners one by one costs
 * time that grows with their number. Order of calls is order of adding.
 */
import { getEventListeners } from 'node:events'
import { leaveAsItIs } from './callers.ts'

class Listeners {
  readonly #signal: AbortSignal
  readonly #fns = new Set<(reason: unknown) => void>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  get listens(): boolean {
    return this.#fns.size > 0
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

/**
 * Whether anybody but plait waits for `signal` to abort: by a listener, or through `AbortSignal.any`. What
 * plait itself waits for beside it keeps the event loop alive, if it can come.
 */
export function isAwaited(signal: AbortSignal): boolean {
  const ours = listening.get(signal)?.listens === true ? 1 : 0
  return getEventListeners(signal, 'abort').length > ours || hasDependants(signal)
}

/** Signals that follow this one are no listeners: Node keeps them in a set of its own. */
function hasDependants(signal: AbortSignal): boolean {
  return Object.getOwnPropertySymbols(signal).some((key) => {
    if (key.description !== 'kDependantSignals') return false
    const dependants = (signal as unknown as Record<symbol, Set<WeakRef<object>> | undefined>)[key]
    return dependants !== undefined && dependants.size > 0
  })
}

/** Why `signal` has aborted: the user's own error, whose stack stays as it is. */
export function reasonOf(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason
  leaveAsItIs(reason)
  return reason
}
