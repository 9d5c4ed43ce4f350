/**
 * ThreadPool: a Pool whose workers are threads. Its constructor only.
 */
import { threads } from './bodies.ts'
import type { PoolOptions } from './options.ts'
import { Pool, type PoolSize } from './pool.ts'

/**
 * A fixed number of worker threads that run any function: a Pool in every other respect. Threads start
 * faster than processes, take less memory, and end with them: what crashes the process ends all of its
 * threads. A task that is stopped is ended at once, but for a call into native code, which is waited for.
 *
 * @example
 * ```ts
 * import { ThreadPool } from 'plait'
 *
 * await using pool = new ThreadPool(2)
 * const factor = 3
 * await pool.map((x: number) => x * factor, [1, 2, 3]) // => [3, 6, 9]
 * ```
 * @see Python `multiprocessing.pool.ThreadPool`
 */
export class ThreadPool extends Pool {
  /**
   * Starts the threads. @throws {SerializationError} where the initializer or its arguments cannot travel.
   * @param processes Worker threads; default cpuCount().
   */
  constructor(processes?: number, options?: PoolOptions)
  constructor(options: PoolSize)
  constructor(first?: number | PoolSize, second?: PoolOptions) {
    super(first, second, threads)
  }
}
