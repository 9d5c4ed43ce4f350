/**
 * Pool: many tasks on a few processes, with Python's names and meanings. A thin face over the dispatch: it
 * checks what it is given, captures the function once per call, encodes the arguments, and makes the tasks.
 */
import { onAbort } from '../core/abort.ts'
import { BrokenPoolError, InvalidStateError, PoolClosedError } from '../core/errors.ts'
import { checkArray, checkFunction, checkOptions } from '../core/options.ts'
import { checkWaitOptions, waitFor, type WaitOptions } from '../core/waiting.ts'
import { capture, prewarm } from '../closure/capture.ts'
import { ownedVariables } from '../closure/initializer.ts'
import { PendingResult, type AsyncResult, type CallbackOptions } from './async-result.ts'
import { defaultChunksize } from './chunk.ts'
import { Dispatch } from './dispatch.ts'
import { Gather } from './gather.ts'
import type { Image } from './images.ts'
import { Intake, type Method } from './intake.ts'
import { collect, type Inputs } from './inputs.ts'
import { checkPoolOptions, checkTaskOptions, type MapOptions, type PoolOptions } from './options.ts'
import { ANNOUNCE, CHUNK, STAR } from './protocol.ts'
import type { PoolStatistics } from './statistics.ts'
import { CallTask, type Task, type TaskOptions } from './task.ts'

type AnyFunction = (...args: never[]) => unknown
type Settle = { resolve: (value: never) => void; reject: (error: unknown) => void }

let count = 0

/**
 * The ends of the promise made last: one function for all promises, where an arrow would be made for each.
 */
const ends = {} as { resolve: (value: unknown) => void; reject: (error: unknown) => void }
const takeEnds = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
  ends.resolve = resolve
  ends.reject = reject
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
  readonly #dispatch: Dispatch
  readonly #intake: Intake
  readonly #retries: number
  readonly #concurrency: number

  /**
   * Starts the workers. @throws {SerializationError} where the initializer or its arguments cannot travel.
   * @param processes Worker processes; default cpuCount().
   */
  constructor(processes?: number, options?: PoolOptions)
  constructor(options: PoolOptions & { processes?: number })
  constructor(first?: number | (PoolOptions & { processes?: number }), second?: PoolOptions) {
    const options = checkPoolOptions(first, second)
    const { initializer, initargs } = options
    const what = 'the initializer of the pool'
    const owned = (initializer && ownedVariables(initializer, { what })) ?? undefined
    this.#intake = new Intake(this, owned)
    this.#retries = options.retries
    this.#concurrency = options.concurrency
    this.#dispatch = new Dispatch(options.name ?? `Pool-${++count}`, {
      size: options.processes,
      prefix: options.name ?? 'PoolWorker',
      concurrency: options.concurrency,
      maxTasks: options.maxTasksPerChild,
      startTimeout: options.startTimeout,
      initializer: initializer ? capture([initializer, initargs], { what, owned }) : null,
      env: options.env,
      execArgv: options.execArgv,
    })
    // The first capture loads a parser: now, while the workers boot.
    prewarm()
  }

  /** Calls `fn(...args)` in a worker. Python: `Pool.apply`, without stopping the caller. */
  apply<R>(fn: () => R, args?: readonly [], options?: TaskOptions): Promise<Awaited<R>>
  apply<A extends readonly unknown[] | [], R>(
    fn: (...args: A) => R,
    args: A,
    options?: TaskOptions,
  ): Promise<Awaited<R>>
  apply(fn: AnyFunction, args: readonly unknown[] = [], options?: TaskOptions): Promise<unknown> {
    const promise = new Promise(takeEnds)
    const { resolve, reject } = ends
    try {
      this.#call('apply', fn, args, options, resolve, reject)
    } catch (error) {
      reject(error)
    }
    return promise
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
    const result = new PendingResult(options)
    this.#call('applyAsync', fn, args, options, result.resolve, result.reject)
    return result
  }

  /**
   * Calls `fn(item)` for every item; the results in the order of the items. The first item that throws
   * rejects the map at once, and what has not begun of it is dropped. Python: `Pool.map`, which waits for the
   * rest first.
   */
  map<T, R>(fn: (item: T) => R, items: Inputs<T>, options?: MapOptions): Promise<Awaited<R>[]> {
    return new Promise((resolve, reject) => this.#map('map', fn, items, options, 0, { resolve, reject }))
  }

  /** As map, with the outcome as an AsyncResult. Python: `Pool.map_async`. */
  mapAsync<T, R>(
    fn: (item: T) => R,
    items: Inputs<T>,
    options?: MapOptions & CallbackOptions<Awaited<R>[]>,
  ): AsyncResult<Awaited<R>[]> {
    checkOptions(options)
    const result = new PendingResult(options)
    this.#map('mapAsync', fn, items, options, 0, result)
    return result
  }

  /** As map, with each item an array of arguments. Python: `Pool.starmap`. */
  starmap<A extends readonly unknown[] | [], R>(
    fn: (...args: A) => R,
    items: Inputs<Readonly<A>>,
    options?: MapOptions,
  ): Promise<Awaited<R>[]> {
    return new Promise((resolve, reject) =>
      this.#map('starmap', fn, items, options, STAR, { resolve, reject }),
    )
  }

  /** As starmap, with the outcome as an AsyncResult. Python: `Pool.starmap_async`. */
  starmapAsync<A extends readonly unknown[] | [], R>(
    fn: (...args: A) => R,
    items: Inputs<Readonly<A>>,
    options?: MapOptions & CallbackOptions<Awaited<R>[]>,
  ): AsyncResult<Awaited<R>[]> {
    checkOptions(options)
    const result = new PendingResult(options)
    this.#map('starmapAsync', fn, items, options, STAR, result)
    return result
  }

  /** No more work; what was submitted is finished, then the workers end. Twice is once. */
  close(): void {
    this.#dispatch.close()
  }

  /**
   * Stop now: pending work rejects with PoolTerminatedError, the workers get SIGTERM, then SIGKILL. Twice is
   * once.
   */
  terminate(): void {
    this.#dispatch.terminate()
  }

  /**
   * Waits until the last worker has ended. True where it has, false where the timeout came first.
   * @throws {InvalidStateError} before close() or terminate().
   */
  async join(options?: WaitOptions): Promise<boolean> {
    checkWaitOptions(options)
    const dispatch = this.#dispatch
    if (dispatch.state === 'running')
      throw new InvalidStateError('the pool still runs: close() or terminate() it first')
    const release = dispatch.awaitOver()
    try {
      return await waitFor(
        dispatch.over.then(() => true),
        options,
        () => false,
      )
    } finally {
      release()
    }
  }

  /** What the pool does now; consistent in itself, frozen. */
  statistics(): PoolStatistics {
    return this.#dispatch.statistics()
  }

  /** As Python's `with Pool()`: terminate, then join. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate()
    await this.join()
  }

  #call(
    method: Method,
    fn: AnyFunction,
    args: readonly unknown[],
    options: TaskOptions | undefined,
    resolve: (value: never) => void,
    reject: (error: unknown) => void,
  ): void {
    this.#checkOpen()
    if (!Array.isArray(args)) checkArray(args, 'args')
    if (options !== undefined) checkTaskOptions(options)
    const image = this.#image(method, fn)
    const encoded = this.#intake.encode(method, args)
    if (options?.signal?.aborted === true) return reject(options.signal.reason)
    const flags = options?.timeout === undefined ? 0 : ANNOUNCE
    if (options?.signal === undefined) {
      this.#dispatch.submit(new CallTask(image, encoded, flags, options, this.#retries, resolve, reject))
      return
    }
    const stopListening = onAbort(options.signal, (reason) => this.#dispatch.cancel(task, reason))
    const settle =
      <V>(done: (value: V) => void) =>
      (value: V) => {
        stopListening()
        done(value)
      }
    const task: Task = new CallTask(
      image,
      encoded,
      flags,
      options,
      this.#retries,
      settle(resolve),
      settle(reject),
    )
    this.#dispatch.submit(task)
  }

  #map<T>(
    method: Method,
    fn: AnyFunction,
    items: Inputs<T>,
    options: MapOptions | undefined,
    star: number,
    { resolve, reject }: Settle,
  ): void {
    this.#checkOpen()
    checkTaskOptions(options)
    const image = this.#image(method, fn)
    const signal = options?.signal
    if (signal?.aborted === true) return reject(signal.reason)

    let gather: Gather | undefined
    const halt = new AbortController()
    const images = this.#dispatch.images
    let finished = false
    const finish =
      <V>(settle: (value: V) => void) =>
      (value: V): void => {
        if (finished) return
        finished = true
        stopListening?.()
        expected()
        images.release(image)
        settle(value)
      }
    const fail = (error: unknown): void => (gather === undefined ? halt.abort(error) : gather.fail(error))
    const stopListening = signal && onAbort(signal, fail)
    const expected = this.#dispatch.expect(fail)
    images.retain(image)

    const spread = (all: readonly T[]): void => {
      gather = new Gather(
        all.length,
        this.#dispatch,
        options?.onProgress,
        finish(resolve as (v: unknown) => void),
        finish(reject),
      )
      this.#spread(method, gather, image, all, options ?? {}, star)
    }
    try {
      const all = collect(items, halt.signal)
      if (!(all instanceof Promise)) return spread(all)
      all
        .then(spread)
        .catch((error: unknown) => (gather === undefined ? finish(reject)(error) : gather.fail(error)))
    } catch (error) {
      // At the call: nothing is left of it. What had been submitted is dropped.
      gather?.fail(error)
      if (gather === undefined) finish(() => {})(error)
      throw error
    }
  }

  /**
   * Cuts the items into chunks and submits them all: the workers begin with the first while the last is
   * encoded.
   */
  #spread(
    method: Method,
    gather: Gather,
    image: Image,
    items: readonly unknown[],
    options: MapOptions,
    star: number,
  ): void {
    const single = options.timeout !== undefined || this.#retries > 0
    const slots = this.#dispatch.size * this.#concurrency
    const size = options.chunksize ?? defaultChunksize(items.length, slots, single)
    const flags = CHUNK | star | (options.timeout === undefined ? 0 : ANNOUNCE)
    for (let offset = 0; offset < items.length && !gather.over; offset += size) {
      const part = items.slice(offset, offset + size)
      if (star !== 0)
        for (let i = 0; i < part.length; i++) checkArray(part[i], `item ${offset + i} of pool.${method}`)
      const args = this.#intake.encodeChunk(method, part, offset)
      this.#dispatch.submit(gather.chunk(image, args, flags, options, this.#retries, offset))
    }
  }

  #image(method: Method, fn: AnyFunction): Image {
    checkFunction(fn, 'fn')
    return this.#dispatch.images.of(this.#intake.capture(method, fn), fn.name || '(anonymous)')
  }

  #checkOpen(): void {
    const { state, cause, name } = this.#dispatch
    if (state === 'running') return
    if (state === 'broken') throw new BrokenPoolError(cause!.message, { cause: cause!.cause })
    throw new PoolClosedError(`pool ${name} was ${state}: it takes no more work`)
  }
}
