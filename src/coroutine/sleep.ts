/**
 * A pause by the clock of whoever pauses: for async functions with await, for coroutines of a Scheduler with
 * yield. It stops nothing else.
 */
import { currentThreadSignal } from '../core/context.ts'
import { checkOptions, checkSignal } from '../core/options.ts'
import { currentClock } from './clock.ts'
import { checkMilliseconds } from './milliseconds.ts'
import { Waiter } from './waiter.ts'

/**
 * Resolves in `ms` milliseconds; with 0 after a turn of the event loop, with Infinity never.
 *
 * It ends early with `signal`, with the thread's own signal, and where the coroutine that yields it is
 * cancelled. In a TaskGroup, pass the group's signal on: a pause without it is waited for.
 *
 * @example
 * ```ts
 * import { sleep } from 'plait/coroutine'
 *
 * await sleep(5)
 * await sleep(60_000, { signal: AbortSignal.timeout(5) }) // throws TimeoutError
 * ```
 * @throws {RangeError} (a rejection) for a negative time or NaN.
 * @throws `signal.reason` where the signal aborts, at once where it has aborted.
 * @see Python `asyncio.sleep`
 */
export function sleep(ms: number, options?: { signal?: AbortSignal | undefined }): Promise<void> {
  let stop: (() => void) | undefined
  const waiter = new Waiter<void>(() => stop?.())
  try {
    checkMilliseconds(ms)
    checkOptions(options)
    checkSignal(options?.signal)
    stop = currentClock().after(ms, () => waiter.resolve())
    // Not with the group's or timeout's around it: what cleans up there may need some time.
    const stops = [options?.signal, currentThreadSignal()]
    waiter.endsWith(stops.filter((signal) => signal !== undefined))
  } catch (error) {
    waiter.reject(error)
  }
  return waiter.promise
}
