/**
 * Executor: what can be given calls and hands out futures, with Python's names and meanings. The abstract
 * class is the type that users write; FaceExecutor is all executors there are, over a Face. Names, types and
 * documentation mostly: what becomes of a call is decided in face.ts and below.
 */
import { checkBoolean, checkFunction, checkOptions } from '../core/options.ts'
import { untilStopped } from '../core/waiting.ts'
import type { CallKind, Face } from './face.ts'
import { cancellation, futureOf, type Future } from './future.ts'
import type { ImapIterator } from './imap-iterator.ts'
import { isSync, type Inputs } from './inputs.ts'
import { checkTaskOptions } from './options.ts'
import { REVOCABLE } from './protocol.ts'
import type { TaskOptions } from './task.ts'
import { zip } from './zip.ts'

/** What withOptions() may say about calls: of each call, and of map. */
export interface SubmitOptions extends TaskOptions {
  /** Items of map in one task. Default 1. */
  chunksize?: number | undefined
  /**
   * Items that map takes from its inputs ahead of the consumer. Default 2 × workers × concurrency ×
   * chunksize.
   */
  buffersize?: number | undefined
}

/**
 * Runs calls on workers and hands out their outcomes as futures. Python: `concurrent.futures.Executor`.
 *
 * Death: a call whose worker dies fails with WorkerLostError, or runs again where the executor has `retries`;
 * the executor itself heals and goes on. Order: calls begin in the order of submission. Cancels:
 * `future.cancel()` what has not begun, `withOptions({ signal, timeout })` also what runs. Keeps alive: a
 * pending future does, an idle executor does not.
 */
export abstract class Executor {
  /**
   * Calls `fn(...args)` in a worker. Throws what is wrong with the call, and PoolClosedError after shutdown.
   * Python: `Executor.submit`.
   */
  abstract submit<A extends readonly unknown[] | [], R>(fn: (...args: A) => R, ...args: A): Future<Awaited<R>>

  /**
   * Calls `fn` for every item, with one argument from each input, until the shortest ends; the results in
   * order. A window of calls begins at once, iterated or not; the rest as results are taken: see `buffersize`
   * of withOptions. The first error ends it and takes back what has not begun, and so does leaving the loop;
   * what runs goes on.
   *
   * After shutdown the rest of an input that is all there (an array, a Set …) runs too, as in Python; with a
   * `buffersize` of your own, or with other inputs, the next item that is taken is a PoolClosedError.
   * Python: `Executor.map`, which takes its whole input at once.
   */
  abstract map<A extends readonly unknown[] | [], R>(
    fn: (...args: A) => R,
    ...inputs: { [K in keyof A]: Iterable<A[K]> | AsyncIterable<A[K]> }
  ): ImapIterator<Awaited<R>>

  /**
   * The same executor, with options for what is submitted through this view of it; those that it had stay
   * where nothing else is said. Its shutdown() is the executor's.
   *
   * @example
   * ```ts
   * import { ProcessPoolExecutor } from 'plait/futures'
   *
   * await using executor = new ProcessPoolExecutor(1)
   * const hasty = executor.withOptions({ timeout: 50, grace: 0 })
   * await hasty.submit(() => { while (true); }) // throws TimeoutError
   * await hasty.submit(() => 'still here') // => 'still here'
   * ```
   */
  abstract withOptions(options: SubmitOptions): Executor

  /**
   * No more calls; what was submitted is finished. Resolves when the workers are gone, with `wait: false` at
   * once. With `cancelFutures` what has not begun is cancelled; what runs goes on. Twice is once. Python:
   * `Executor.shutdown`.
   */
  abstract shutdown(options?: { wait?: boolean; cancelFutures?: boolean }): Promise<void>

  /** As Python's `with`: shutdown, waiting for what was submitted. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }
}

const submit: CallKind = { method: 'submit', flag: REVOCABLE }

/** An executor over a face, or a view of one. */
export class FaceExecutor extends Executor {
  readonly #face: Face
  readonly #options: SubmitOptions | undefined

  constructor(face: Face, options?: SubmitOptions) {
    super()
    this.#face = face
    this.#options = options
  }

  submit<A extends readonly unknown[] | [], R>(fn: (...args: A) => R, ...args: A): Future<Awaited<R>> {
    const face = this.#face
    return futureOf(face.dispatch, (resolve, reject) =>
      face.call(submit, fn, args, this.#options, resolve, reject),
    )
  }

  map<A extends readonly unknown[] | [], R>(
    fn: (...args: A) => R,
    ...inputs: { [K in keyof A]: Iterable<A[K]> | AsyncIterable<A[K]> }
  ): ImapIterator<Awaited<R>> {
    checkFunction(fn, 'fn')
    const all = inputs as readonly Inputs<unknown>[]
    const now = all.map((input, i) => isSync(input, `input ${i + 1} of executor.map`))
    const [only] = all
    const star = only === undefined || all.length > 1
    const whole =
      this.#options?.buffersize === undefined &&
      now.every(Boolean) &&
      all.some((input) => isCollection(input))
    const rules = { ordered: true, eager: true, star, whole }
    return this.#face.imap('map', fn, star ? zip(all) : only, this.#options, rules)
  }

  withOptions(options: SubmitOptions): Executor {
    checkTaskOptions(options)
    return view(this.#face, { ...this.#options, ...options })
  }

  async shutdown(options?: { wait?: boolean; cancelFutures?: boolean }): Promise<void> {
    checkOptions(options)
    const { wait = true, cancelFutures = false } = options ?? {}
    checkBoolean(wait, 'wait')
    checkBoolean(cancelFutures, 'cancelFutures')
    const { dispatch } = this.#face
    const reason = `executor ${dispatch.name} was shut down with cancelFutures before the call began`
    this.#face.close(cancelFutures ? cancellation(reason) : undefined)
    if (wait) await this.#over(untilStopped(dispatch.over))
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#face.close()
    await this.#over(this.#face.dispatch.over)
  }

  async #over(wait: Promise<void>): Promise<void> {
    const release = this.#face.dispatch.stayAlive()
    try {
      await wait
    } finally {
      release()
    }
  }
}

/** Apart, because a bundler renames a class that speaks of itself. */
function view(face: Face, options: SubmitOptions): Executor {
  return new FaceExecutor(face, options)
}

/** Has it an end, and is it all there? */
function isCollection(input: Inputs<unknown>): boolean {
  return (
    Array.isArray(input) ||
    ArrayBuffer.isView(input) ||
    input instanceof Set ||
    input instanceof Map ||
    typeof input === 'string'
  )
}
