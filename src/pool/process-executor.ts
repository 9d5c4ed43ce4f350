/**
 * ProcessPoolExecutor: an executor whose workers are processes. Its constructor only; what it does is in
 * executor.ts.
 */
import { checkInteger, checkOptions } from '../core/options.ts'
import { processes } from './bodies.ts'
import { FaceExecutor } from './executor.ts'
import { Face } from './face.ts'
import { checkPoolOptions, type PoolOptions } from './options.ts'

let count = 0

/**
 * An executor whose calls run in worker processes: any function, on every core.
 *
 * @example
 * ```ts
 * import { ProcessPoolExecutor } from 'plait/futures'
 *
 * await using executor = new ProcessPoolExecutor(2)
 * const future = executor.submit((name: string) => `hello ${name}`, 'plait')
 * await future.result() // => 'hello plait'
 *
 * const powers: number[] = []
 * for await (const power of executor.map((a, b) => a ** b, [2, 3, 4], [5, 2, 3])) powers.push(power)
 * powers // => [32, 9, 64]
 * ```
 * @see Python `concurrent.futures.ProcessPoolExecutor`
 */
export class ProcessPoolExecutor extends FaceExecutor {
  /**
   * Starts the workers. @throws {SerializationError} where the initializer or its arguments cannot travel.
   * @param maxWorkers Worker processes; default cpuCount().
   */
  constructor(maxWorkers?: number, options?: PoolOptions) {
    if (maxWorkers !== undefined) checkInteger(maxWorkers, 'maxWorkers', 1)
    checkOptions(options)
    const name = options?.name ?? `ProcessPoolExecutor-${++count}`
    const team = { noun: 'executor', name, body: processes, prefix: 'ExecutorWorker' }
    super(new Face(new.target.prototype, team, checkPoolOptions(maxWorkers, options)))
  }
}
