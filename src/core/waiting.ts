/**
 * One wait with a deadline and a signal: the shape under every `verb(options?: WaitOptions)`. The thing
 * waited on is never changed by a wait that gives up. A pending wait keeps the event loop alive by the timer
 * or by what it waits on, as the contract says; nothing here holds a handle of its own.
 */
import { reasonOf } from './abort.ts'
import { rejectWithCallers } from './callers.ts'
import { checkOptions, checkSignal, checkTimeout } from './options.ts'
import { abortedOf, onStop, stopsOf } from './stops.ts'

/** How long to wait, and what ends the wait early. */
export interface WaitOptions {
  /** Milliseconds. Left out: for ever. 0: do not wait. Negative or NaN: RangeError. */
  timeout?: number | undefined
  /** Aborting rejects with `signal.reason`; the thing waited on is left as it was. */
  signal?: AbortSignal | undefined
}

/** Longer timers fire at once in Node; a wait of 24 days may as well be for ever. */
const longestTimer = 2 ** 31 - 1

/** Checks what a caller passed as WaitOptions. */
export function checkWaitOptions(options: unknown): asserts options is WaitOptions | undefined {
  checkOptions(options)
  if (options === undefined) return
  const { timeout, signal } = options as WaitOptions
  checkTimeout(timeout)
  checkSignal(signal)
}

/**
 * Waits for `promise`; past the deadline settles with what `onTimeout` returns or throws; an abort, of the
 * signal or of what ends every wait here, rejects with its reason. What is settled already wins over a
 * deadline of 0 and over a signal that has aborted.
 */
export function waitFor<T, U>(
  promise: PromiseLike<T>,
  options: WaitOptions | undefined,
  onTimeout: () => U,
  settled = false,
): Promise<T | U> {
  const timeout = options?.timeout
  const stops = stopsOf(options?.signal)
  if (settled || (timeout === undefined && stops.length === 0)) return Promise.resolve(promise)
  return new Promise<T | U>((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    let stopListening: (() => void) | undefined
    const stop = (): void => {
      clearTimeout(timer)
      stopListening?.()
    }
    const aborted = (reason: unknown): void => {
      stop()
      giveUp()
      reject(reason)
    }
    const expired = (): void => {
      stop()
      giveUp()
      try {
        resolve(onTimeout())
      } catch (error) {
        rejectWithCallers(resolve, reject, error)
      }
    }
    const giveUp = listen(promise, stop, resolve, reject)
    // What is settled already is told first.
    const before = abortedOf(stops)
    if (before !== undefined) return queueMicrotask(() => queueMicrotask(() => aborted(reasonOf(before))))
    if (timeout === 0) return queueMicrotask(() => queueMicrotask(expired))
    if (stops.length > 0) stopListening = onStop(stops, aborted)
    if (timeout !== undefined && timeout <= longestTimer) timer = setTimeout(expired, timeout)
  })
}

/** What is awaited without a word of options: until it is settled, or what ends the waits here does. */
export function untilStopped<T>(promise: PromiseLike<T>, settled = false): Promise<T> {
  return waitFor<T, never>(promise, undefined, never, settled)
}

function never(): never {
  throw new Error('there is no deadline')
}

/** One who waits for a promise through the reaction that all share. */
interface Waiter {
  resolve(value: unknown): void
  reject(error: unknown): void
}

/**
 * Pending promises for which somebody waited in vain. What hangs on a promise hangs there until it settles: a
 * loop that asks again and again with a timeout would leave something behind each time.
 */
const shared = new WeakMap<PromiseLike<unknown>, Set<Waiter>>()

/** Hands the outcome of `promise` to the two ends, after `stop`; answers how to give up. */
function listen<T>(
  promise: PromiseLike<T>,
  stop: () => void,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): () => void {
  const others = shared.get(promise)
  if (others !== undefined) {
    const waiter = {
      resolve: (value: T) => (stop(), resolve(value)),
      reject: (error: unknown) => (stop(), reject(error)),
    }
    others.add(waiter)
    return () => others.delete(waiter)
  }
  // In two steps, so that V8 can follow from `promise` to who waits here: see callers.ts.
  promise
    .then(
      (value) => (stop(), value),
      (error: unknown) => {
        stop()
        throw error
      },
    )
    .then(resolve, reject)
  return () => {
    if (!shared.has(promise)) share(promise)
  }
}

function share(promise: PromiseLike<unknown>): void {
  const waiters = new Set<Waiter>()
  shared.set(promise, waiters)
  const tell = (one: (waiter: Waiter) => void): void => {
    shared.delete(promise)
    waiters.forEach(one)
  }
  promise.then(
    (value) => tell((waiter) => waiter.resolve(value)),
    (error: unknown) => tell((waiter) => waiter.reject(error)),
  )
}

/** `setTimeout` that understands for ever. */
export function startTimer(ms: number | undefined, fn: () => void): NodeJS.Timeout | undefined {
  return ms === undefined || ms > longestTimer ? undefined : setTimeout(fn, ms)
}

/**
 * A timer that first lets in what has arrived: where this process was busy past the time, what it missed
 * meanwhile may have come in time.
 */
export function startLateTimer(ms: number | undefined, fn: () => void): NodeJS.Timeout | undefined {
  return startTimer(ms, () => setImmediate(fn))
}
