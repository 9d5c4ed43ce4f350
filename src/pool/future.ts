/**
 * Future: the outcome of one call that was given to an executor, now or later. Executors make it (`futureOf`)
 * and settle it through the dispatch; wait.ts and as-completed.ts look at it from inside. It starts nothing,
 * and is never an unhandled rejection by itself: the promise behind it is made when somebody asks for it.
 */
import { callUser } from '../core/callbacks.ts'
import { rejectWithCallers } from '../core/callers.ts'
import { callersContext } from '../core/context.ts'
import { CancelledError } from '../core/errors.ts'
import { checkFunction } from '../core/options.ts'
import { checkWaitOptions, untilStopped, waitFor, type WaitOptions } from '../core/waiting.ts'
import { tooLate } from './async-result.ts'
import type { Dispatch } from './dispatch.ts'
import type { Task } from './task.ts'

/** Python's PENDING and RUNNING are one here: which of them it is the dispatch tells. */
type State = 'pending' | 'value' | 'error' | 'cancelled'

/** Submits the task of a future, which settles by one of the two; undefined where it has none. */
type Submit = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => Task | undefined

/** What this room may do with a future beyond its methods. */
interface Inside {
  make<T>(dispatch: Dispatch, submit: Submit): Future<T>
  stateOf(future: Future<unknown>): State
  watch(future: Future<unknown>, fn: () => void): () => void
}
let inside: Inside
const key = Symbol('futures are made here')

/**
 * The outcome of a call, now or later; `await` gives it as `result()` does. Executors make futures; there is
 * no constructor for you.
 *
 * States: pending, running, and done: with a value, with an error, or cancelled. A future is done for good.
 * One whose worker died and that is tried again (`retries`) is pending until it runs once more.
 *
 * @example
 * ```ts
 * import { ProcessPoolExecutor } from 'plait/futures'
 *
 * await using executor = new ProcessPoolExecutor(1)
 * const future = executor.submit((a: number, b: number) => a ** b, 2, 10)
 * future.addDoneCallback((future) => console.log('done', future.done()))
 * await future.result({ timeout: 10_000 }) // => 1024
 * await future // => 1024
 * await future.exception() // => null
 * future.cancel() // => false
 * ```
 * @see Python `concurrent.futures.Future`
 */
export class Future<T> implements PromiseLike<T> {
  #state: State = 'pending'
  /** The value, or what was thrown. */
  #outcome: unknown
  readonly #dispatch: Dispatch
  #task: Task | undefined
  /** Told once, in order of adding, when it is done. */
  #watchers: Set<() => void> | undefined
  #promise: Promise<T> | undefined
  #settlePromise: (() => void) | undefined

  private constructor(caller: unknown, dispatch: Dispatch) {
    if (caller !== key) throw new TypeError('a Future is made by an executor: executor.submit(fn, ...args)')
    this.#dispatch = dispatch
  }

  static {
    inside = {
      make: <T>(dispatch: Dispatch, submit: Submit): Future<T> => {
        const future = new this<T>(key, dispatch)
        const task = submit(
          (value) => future.#settle('value', value),
          (error) => future.#settle(isCancellation(error) ? 'cancelled' : 'error', error),
        )
        if (future.#state === 'pending') future.#task = task
        return future
      },
      stateOf: (future) => future.#state,
      watch: (future, fn) => future.#watch(fn),
    }
  }

  /**
   * The value; rejects with what the task threw, with CancelledError where it was cancelled, or with
   * TimeoutError, which leaves the task as it is.
   */
  async result(options?: WaitOptions): Promise<T> {
    checkWaitOptions(options)
    return waitFor(this.#asPromise(), options, tooLate('the future was not done', options), this.done())
  }

  /**
   * What the task threw, or null where it returned; rejects with CancelledError where it was cancelled, or
   * with TimeoutError, which leaves the task as it is.
   */
  async exception(options?: WaitOptions): Promise<unknown> {
    checkWaitOptions(options)
    const thrown = this.#asPromise().then(
      () => null,
      (error: unknown) => {
        if (this.#state === 'cancelled') throw error
        return error
      },
    )
    return waitFor(thrown, options, tooLate('the future was not done', options), this.done())
  }

  /**
   * Takes the call back. True where it is cancelled, now or before: it has not begun and never will. False
   * once it runs or is done; `withOptions({ signal })` stops what runs.
   */
  cancel(): boolean {
    if (this.#state !== 'pending') return this.#state === 'cancelled'
    const task = this.#task!
    const what = `task ${task.id} (${task.image.name})`
    return this.#dispatch.revoke(task, cancellation(`${what} was cancelled before it began`))
  }

  cancelled(): boolean {
    return this.#state === 'cancelled'
  }

  /** Has it begun in a worker, and not ended? As the worker's ledger tells at this moment. */
  running(): boolean {
    return this.#task !== undefined && this.#dispatch.runs(this.#task)
  }

  /** With a value, with an error, or cancelled. */
  done(): boolean {
    return this.#state !== 'pending'
  }

  /**
   * Calls `fn(future)` once it is done: in order of adding, in the AsyncLocalStorage context of whoever added
   * it; at once where it is done already. What `fn` throws is a process warning and changes nothing.
   */
  addDoneCallback(fn: (future: Future<T>) => void): void {
    checkFunction(fn, 'the callback')
    if (this.done()) return callUser(fn, this)
    const inContext = callersContext()
    this.#watch(() => inContext(() => callUser(fn, this)))
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a Future is a PromiseLike by contract
  then<A = T, B = never>(
    onValue?: ((value: T) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return untilStopped(this.#asPromise(), this.done()).then(onValue, onError)
  }

  /** Whoever calls it listens to it: so it is no unhandled rejection. */
  #asPromise(): Promise<T> {
    return (this.#promise ??= new Promise((resolve, reject) => {
      this.#settlePromise = () =>
        this.#state === 'value'
          ? resolve(this.#outcome as T)
          : rejectWithCallers(resolve, reject, this.#outcome)
      if (this.done()) this.#settlePromise()
    }))
  }

  #watch(fn: () => void): () => void {
    const watchers = (this.#watchers ??= new Set())
    watchers.add(fn)
    return () => void watchers.delete(fn)
  }

  #settle(state: State, outcome: unknown): void {
    this.#state = state
    this.#outcome = outcome
    this.#task = undefined
    const watchers = this.#watchers
    this.#watchers = undefined
    if (watchers !== undefined) for (const tell of watchers) tell()
    this.#settlePromise?.()
  }
}

/** The future of the task that `submit` makes. What `submit` throws is thrown. */
export function futureOf<T>(dispatch: Dispatch, submit: Submit): Future<T> {
  return inside.make(dispatch, submit)
}

/** Is it done with an error of its own? */
export function hasFailed(future: Future<unknown>): boolean {
  return inside.stateOf(future) === 'error'
}

/** Calls `fn` when the future, which is not done, is; answers how to take that back. `fn` must not throw. */
export function watch(future: Future<unknown>, fn: () => void): () => void {
  return inside.watch(future, fn)
}

/** By identity: the same error from elsewhere is no cancellation here. */
const cancellations = new WeakSet<CancelledError>()

/** The reason for which a dispatch revokes the task of a future, so that the future is cancelled. */
export function cancellation(message: string): CancelledError {
  const error = new CancelledError(message)
  cancellations.add(error)
  return error
}

function isCancellation(error: unknown): boolean {
  return error instanceof CancelledError && cancellations.has(error)
}
