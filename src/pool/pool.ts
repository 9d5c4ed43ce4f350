/**
 * Pool: many tasks on a few processes, with Python's names and meanings. Names, types and documentation only:
 * what they all do with what they are given is in face.ts.
 */
import { rejectWithCallers } from '../core/callers.ts'
import { InvalidStateError } from '../core/errors.ts'
import { checkOptions } from '../core/options.ts'
import { checkWaitOptions, waitFor, type WaitOptions } from '../core/waiting.ts'
import { PendingResult, type AsyncResult, type CallbackOptions } from './async-result.ts'
import { processes, type Body } from './bodies.ts'
import { Face, type AnyFunction, type CallKind } from './face.ts'
import type { Settle } from './gather.ts'
import type { ImapIterator } from './imap-iterator.ts'
import type { Inputs } from './inputs.ts'
import { checkPoolOptions, type ImapOptions, type MapOptions, type PoolOptions } from './options.ts'
import type { PoolStatistics } from './statistics.ts'
import type { TaskOptions } from './task.ts'

/** The options of a pool with its size among them. */
export type PoolSize = PoolOptions & { processes?: number }

let count = 0

const apply: CallKind = { method: 'apply', flag: 0 }
const applyAsync: CallKind = { method: 'applyAsync', flag: 0 }

const nothing = (): void => {}

/** The end of the promise made last: one function for all promises, where an arrow would be made for each. */
let end: (value: unknown) => void = nothing
const takeEnd = (resolve: (value: unknown) => void): void => void (end = resolve)

/** The two ends of a promise, for a map. */
function settling(resolve: (value: never) => void, reject: (error: unknown) => void): Settle {
  return { resolve, reject: (error) => rejectWithCallers(resolve, reject, error), awaited: true }
}

/**
 * A fixed number of worker processes that run any function.
 *
 * Death: a task whose worker dies rejects with WorkerLostError, or runs again where the pool has `retries`;
 * the worker is replaced and nothing else is touched. Order: `map` gives results in the order of its items;
 * tasks start in the order of submission. Cancels: `signal` and `timeout` reject at once, abort
 * `currentTask().signal`, and kill after `grace`. Keeps alive: a pending task does, an idle pool does not.
 *
 * @example
 * ```ts
 * import { Pool } from 'plait'
 *
 * await using pool = new Pool(2)
 * const factor = 3
 * await pool.map((x: number) => x * factor, [1, 2, 3]) // => [3, 6, 9]
 * ```
 * @see Python `multiprocessing.Pool`
 */
export class Pool {
  readonly #face: Face

  /**
   * Starts the workers. @throws {SerializationError} where the initializer or its arguments cannot travel.
   * @param processes Worker processes; default cpuCount().
   */
  constructor(processes?: number, options?: PoolOptions)
  constructor(options: PoolSize)
  /** @internal */
  constructor(first: number | PoolSize | undefined, second: PoolOptions | undefined, body: Body)
  constructor(first?: number | PoolSize, second?: PoolOptions, body: Body = processes) {
    const options = checkPoolOptions(first, second)
    const name = options.name ?? `${body === processes ? 'Pool' : 'ThreadPool'}-${++count}`
    this.#face = new Face(this, { noun: 'pool', name, body }, options)
  }

  /** Calls `fn(...args)` in a worker. Python: `Pool.apply`, without stopping the caller. */
  apply<R>(fn: () => R, args?: readonly [], options?: TaskOptions): Promise<Awaited<R>>
  apply<A extends readonly unknown[] | [], R>(
    fn: (...args: A) => R,
    args: A,
    options?: TaskOptions,
  ): Promise<Awaited<R>>
  apply(fn: AnyFunction, args: readonly unknown[] = [], options?: TaskOptions): Promise<unknown> {
    const promise = new Promise(takeEnd)
    const resolve = end
    // It would keep the last promise, its value and its async context.
    end = nothing
    try {
      this.#face.call(apply, fn, args, options, resolve)
      return promise
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * As apply, with the outcome as an AsyncResult. Throws what is wrong with the arguments. Python:
   * `Pool.apply_async`.
   */
  applyAsync<R>(
    fn: () => R,
    args?: readonly [],
    options?: CallbackOptions<Awaited<R>>,
  ): AsyncResult<Awaited<R>>
  applyAsync<A extends readonly unknown[] | [], R>(
    fn: (...args: A) => R,
    args: A,
    options?: CallbackOptions<Awaited<R>>,
  ): AsyncResult<Awaited<R>>
  applyAsync(
    fn: AnyFunction,
    args: readonly unknown[] = [],
    options?: CallbackOptions<unknown>,
  ): AsyncResult<unknown> {
    checkOptions(options)
    const pending = PendingResult.make(options)
    this.#face.call(applyAsync, fn, args, options, pending.resolve, pending.reject)
    return pending.result
  }

  /**
   * Calls `fn(item)` for every item; the results in the order of the items. The first item that throws
   * rejects the map at once, and what has not begun of it is dropped. Python: `Pool.map`, which waits for the
   * rest first.
   */
  map<T, R>(fn: (item: T) => R, items: Inputs<T>, options?: MapOptions): Promise<Awaited<R>[]> {
    return new Promise((...ends) => this.#face.map('map', fn, items, options, {}, settling(...ends)))
  }

  /** As map, with the outcome as an AsyncResult. Python: `Pool.map_async`. */
  mapAsync<T, R>(
    fn: (item: T) => R,
    items: Inputs<T>,
    options?: MapOptions & CallbackOptions<Awaited<R>[]>,
  ): AsyncResult<Awaited<R>[]> {
    checkOptions(options)
    const pending = PendingResult.make(options)
    this.#face.map('mapAsync', fn, items, options, {}, pending)
    return pending.result
  }

  /** As map, with each item an array of arguments. Python: `Pool.starmap`. */
  starmap<A extends readonly unknown[] | [], R>(
    fn: (...args: A) => R,
    items: Inputs<Readonly<A>>,
    options?: MapOptions,
  ): Promise<Awaited<R>[]> {
    return new Promise((...ends) =>
      this.#face.map('starmap', fn, items, options, { star: true }, settling(...ends)),
    )
  }

  /** As starmap, with the outcome as an AsyncResult. Python: `Pool.starmap_async`. */
  starmapAsync<A extends readonly unknown[] | [], R>(
    fn: (...args: A) => R,
    items: Inputs<Readonly<A>>,
    options?: MapOptions & CallbackOptions<Awaited<R>[]>,
  ): AsyncResult<Awaited<R>[]> {
    checkOptions(options)
    const pending = PendingResult.make(options)
    this.#face.map('starmapAsync', fn, items, options, { star: true }, pending)
    return pending.result
  }

  /**
   * Calls `fn(item)` for every item and hands out the results one by one, in the order of the items, as they
   * are asked for: an endless input works in constant memory, as at most `buffersize` items are taken ahead:
   * 2 × workers × concurrency × chunksize where it is left out. An item that threw is thrown by its own
   * next(), and the next one goes on; a `for await` ends there. Leaving the loop stops the work and closes
   * the input. A pool that is closed goes on for the iterators it gave out; join() does the rest of their
   * work without waiting to be asked. Python: `Pool.imap`, which takes the whole input at once.
   *
   * @example
   * ```ts
   * import { Pool } from 'plait'
   *
   * await using pool = new Pool(2)
   * function* endless() {
   *   for (let n = 1; ; n++) yield n
   * }
   * const squares: number[] = []
   * for await (const square of pool.imap((n) => n * n, endless())) {
   *   if (square > 30) break
   *   squares.push(square)
   * }
   * squares // => [1, 4, 9, 16, 25]
   * ```
   * @throws {SerializationError} where the function cannot travel; an item that cannot is its own next()'s.
   */
  imap<T, R>(fn: (item: T) => R, items: Inputs<T>, options?: ImapOptions): ImapIterator<Awaited<R>> {
    return this.#face.imap('imap', fn, items, options, { ordered: true })
  }

  /** As imap, with the results in the order in which they arrive. Python: `Pool.imap_unordered`. */
  imapUnordered<T, R>(fn: (item: T) => R, items: Inputs<T>, options?: ImapOptions): ImapIterator<Awaited<R>> {
    return this.#face.imap('imapUnordered', fn, items, options, { ordered: false })
  }

  /** No more work; what was submitted is finished, then the workers end. Twice is once. */
  close(): void {
    this.#face.dispatch.close()
  }

  /**
   * Stop now: pending work rejects with PoolTerminatedError, the workers get SIGTERM, then SIGKILL. Twice is
   * once.
   */
  terminate(): void {
    this.#face.dispatch.terminate()
  }

  /**
   * Waits until the last worker has ended. True where it has, false where the timeout came first.
   * @throws {InvalidStateError} before close() or terminate().
   */
  async join(options?: WaitOptions): Promise<boolean> {
    checkWaitOptions(options)
    const { dispatch } = this.#face
    if (dispatch.state === 'running')
      throw new InvalidStateError('the pool still runs: close() or terminate() it first')
    return (await this.#drained(waitFor(dispatch.over, options, () => false))) !== false
  }

  async #drained<T>(wait: Promise<T>): Promise<T> {
    const release = this.#face.dispatch.drain()
    try {
      return await wait
    } finally {
      release()
    }
  }

  /** What the pool does now; consistent in itself, frozen. */
  statistics(): PoolStatistics {
    return this.#face.dispatch.statistics()
  }

  /** As Python's `with Pool()`: terminate, then join. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate()
    await this.#drained(this.#face.dispatch.over)
  }
}
