/**
 * A deadline around an async function: it is told, waited for, and then the caller is. Nothing goes on behind
 * the caller's back.
 */
import { setMaxListeners } from 'node:events'
import { runWithSignal } from '../core/context.ts'
import { TimeoutError } from '../core/errors.ts'
import { checkFunction } from '../core/options.ts'
import { onAbortAbove } from './above.ts'
import { currentClock } from './clock.ts'
import { checkMilliseconds } from './milliseconds.ts'
import { obeyed } from './obeyed.ts'

/**
 * Calls `fn(signal)` and gives what it gives. When `ms` milliseconds are over first, `signal` aborts, `fn` is
 * waited for, and then TimeoutError is thrown, whatever `fn` returned; where it threw an error of its own
 * meanwhile, that is the `cause`.
 *
 * `signal` aborts as well, with the same reason, with that of the TaskGroup, timeout() or pool task in which
 * it is called. The waits of plait in `fn` that have no end of their own stop with it; pass it on to all
 * others.
 *
 * @example
 * ```ts
 * import { sleep, timeout } from 'plait/coroutine'
 *
 * await timeout(5, (signal) => sleep(60_000, { signal })) // throws TimeoutError
 * await timeout(60_000, () => sleep(5).then(() => 'in time')) // => 'in time'
 * ```
 * @throws {TimeoutError} once `fn` has ended.
 * @see Python `asyncio.timeout`
 */
export async function timeout<R>(ms: number, fn: (signal: AbortSignal) => R): Promise<Awaited<R>> {
  checkMilliseconds(ms)
  checkFunction(fn, 'what timeout() is given')
  const controller = new AbortController()
  const { signal } = controller
  // As many as there are may listen.
  setMaxListeners(0, signal)
  let late: TimeoutError | undefined
  const letGo = onAbortAbove(undefined, (reason) => controller.abort(reason))
  signal.throwIfAborted()
  const stop = currentClock().after(ms, () => {
    if (signal.aborted) return
    late = new TimeoutError(`it was not done within ${ms} ms`)
    controller.abort(late)
  })
  try {
    const value = await runWithSignal(signal, () => fn(signal))
    if (isLate(late)) throw late
    return value
  } catch (error) {
    if (!isLate(late)) throw error
    if (!obeyed(error, signal)) late.cause = error
    // Its stack is that of a timer: here the callers are known.
    Error.captureStackTrace(late, timeout)
    throw late
  } finally {
    stop()
    letGo()
  }
}

/** The compiler does not see that the timer writes it. */
function isLate(late: TimeoutError | undefined): late is TimeoutError {
  return late !== undefined
}
