/**
 * The promise that a pool keeps for the caller: Python's AsyncResult. Never an unhandled rejection by itself;
 * its callbacks run once, before it is ready, and what they throw changes nothing for anyone else.
 */
import { callUser } from '../core/callbacks.ts'
import { rejectWithCallers } from '../core/callers.ts'
import { inCallersContext } from '../core/context.ts'
import { InvalidStateError, TimeoutError } from '../core/errors.ts'
import { checkFunction } from '../core/options.ts'
import type { TaskOptions } from './task.ts'
import { checkWaitOptions, untilStopped, waitFor, type WaitOptions } from '../core/waiting.ts'

/**
 * Runs once, in the caller's async context, before the result is ready. One that throws is reported as a
 * process warning.
 */
export interface CallbackOptions<R> extends TaskOptions {
  callback?: (value: R) => void
  errorCallback?: (error: unknown) => void
}

/**
 * The outcome of a task, now or later. Python: `multiprocessing.pool.AsyncResult`.
 *
 * @example
 * ```ts
 * import { Pool } from 'plait'
 *
 * await using pool = new Pool(1)
 * const result = pool.applyAsync((a: number, b: number) => a + b, [1, 2])
 * await result.get({ timeout: 10_000 }) // => 3
 * result.successful() // => true
 * ```
 */
export interface AsyncResult<R> extends PromiseLike<R> {
  /** The value; rejects with what the task threw, or TimeoutError, which leaves the task running. */
  get(options?: WaitOptions): Promise<R>
  /** Resolves when ready or when the timeout is over, whichever comes first. */
  wait(options?: WaitOptions): Promise<void>
  ready(): boolean
  /** @throws {InvalidStateError} while not ready. */
  successful(): boolean
}

interface Pending<R> {
  readonly result: AsyncResult<R>
  resolve(value: R): void
  reject(error: unknown): void
}

export class PendingResult<R> implements AsyncResult<R> {
  readonly #promise: Promise<R>
  readonly #callback: ((value: R) => void) | undefined
  readonly #errorCallback: ((error: unknown) => void) | undefined
  #resolve!: (value: R) => void
  #reject!: (error: unknown) => void
  #state: 'pending' | 'value' | 'error' = 'pending'

  /** A result with the two ends that settle it, which are nobody's but its maker's. */
  static make<R>(callbacks: CallbackOptions<R> | undefined): Pending<R> {
    const result = new PendingResult(callbacks)
    return {
      result,
      resolve: (value) => result.#succeed(value),
      reject: (error) => result.#fail(error),
    }
  }

  private constructor(callbacks: CallbackOptions<R> | undefined) {
    if (callbacks?.callback !== undefined) checkFunction(callbacks.callback, 'callback')
    if (callbacks?.errorCallback !== undefined) checkFunction(callbacks.errorCallback, 'errorCallback')
    this.#callback = inCallersContext(callbacks?.callback)
    this.#errorCallback = inCallersContext(callbacks?.errorCallback)
    this.#promise = new Promise<R>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  #succeed(value: R): void {
    callUser(this.#callback, value)
    this.#state = 'value'
    this.#resolve(value)
  }

  #fail(error: unknown): void {
    callUser(this.#errorCallback, error)
    this.#state = 'error'
    rejectWithCallers(this.#resolve, this.#rejectKept, error)
  }

  /** Never an unhandled rejection by itself. Said at the end: until then only those who wait hang on it. */
  readonly #rejectKept = (reason: unknown): void => {
    this.#reject(reason)
    this.#promise.catch(() => {})
  }

  // oxlint-disable-next-line unicorn/no-thenable -- AsyncResult is a PromiseLike by contract
  then<A = R, B = never>(
    onValue?: ((value: R) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return untilStopped(this.#promise, this.ready()).then(onValue, onError)
  }

  async get(options?: WaitOptions): Promise<R> {
    checkWaitOptions(options)
    return waitFor(this.#promise, options, tooLate('the result was not ready', options), this.ready())
  }

  async wait(options?: WaitOptions): Promise<void> {
    checkWaitOptions(options)
    const settled = this.#promise.then(
      () => {},
      () => {},
    )
    return waitFor(settled, options, () => {}, this.ready())
  }

  ready(): boolean {
    return this.#state !== 'pending'
  }

  successful(): boolean {
    if (this.#state === 'pending')
      throw new InvalidStateError('the result is not ready; await wait() or get() first')
    return this.#state === 'value'
  }
}

/** What a wait for `what` ends with when its time is over. */
export function tooLate(what: string, options: WaitOptions | undefined): () => never {
  return () => {
    throw new TimeoutError(`${what} within ${options?.timeout} ms; the task goes on`)
  }
}
