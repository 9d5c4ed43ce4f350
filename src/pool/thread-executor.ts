/**
 * ThreadPoolExecutor: an executor whose workers are threads. Its constructor only; what it does is in
 * executor.ts.
 */
import { checkInteger, checkOptions, checkString } from '../core/options.ts'
import { cpuCount } from '../worker/cpus.ts'
import { threads } from './bodies.ts'
import { FaceExecutor } from './executor.ts'
import { Face } from './face.ts'
import { checkPoolOptions, type PoolOptions } from './options.ts'

export interface ThreadPoolExecutorOptions extends PoolOptions {
  /** Threads are called `<prefix>_<n>`, n from 0. Default "ThreadPoolExecutor-0", and so on. */
  threadNamePrefix?: string | undefined
}

/** Python's: more than processors, since threads there mostly wait. */
const extraThreads = 4
const mostThreads = 32

let count = 0

/**
 * An executor whose calls run in worker threads of this process. They are started as calls come for which no
 * idle one is there.
 *
 * @example
 * ```ts
 * import { ThreadPoolExecutor } from 'plait/futures'
 *
 * await using executor = new ThreadPoolExecutor(2)
 * const future = executor.submit((name: string) => `hello ${name}`, 'plait')
 * await future.result() // => 'hello plait'
 * ```
 * @see Python `concurrent.futures.ThreadPoolExecutor`
 */
export class ThreadPoolExecutor extends FaceExecutor {
  /**
   * @throws {SerializationError} where the initializer or its arguments cannot travel.
   * @param maxWorkers Threads at most; default cpuCount() + 4, but no more than 32.
   */
  constructor(maxWorkers?: number, options?: ThreadPoolExecutorOptions) {
    if (maxWorkers !== undefined) checkInteger(maxWorkers, 'maxWorkers', 1)
    checkOptions(options)
    const { threadNamePrefix, ...rest } = options ?? {}
    checkString(threadNamePrefix, 'threadNamePrefix')
    const size = maxWorkers ?? Math.min(mostThreads, cpuCount() + extraThreads)
    const own = `ThreadPoolExecutor-${count++}`
    const prefix = threadNamePrefix || (rest.name ?? own)
    let started = 0
    const next = (): { name: string; path: [] } => ({ name: `${prefix}_${started++}`, path: [] })
    const team = { noun: 'executor', name: rest.name ?? own, body: threads, prefix, next, onDemand: true }
    super(new Face(new.target.prototype, team, checkPoolOptions(size, rest)))
  }
}
