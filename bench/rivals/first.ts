/**
 * One program up to the first result of its pool: `node first.js NAME`. Prints two figures as JSON, the
 * milliseconds of the import and those from there to the result. Run by start.ts, anew for each figure.
 */
import { file, workers } from './shared.ts'

const options = { filename: file('jobs.mjs'), minThreads: workers, maxThreads: workers }

/** Each answers with a function that makes the pool and calls it. */
const imports: Readonly<Record<string, () => Promise<() => PromiseLike<unknown>>>> = {
  plait: async () => {
    const { Pool } = await import('plait')
    return () => new Pool(workers).apply((x: number) => x * x, [7])
  },
  piscina: async () => {
    const { Piscina } = await import('piscina')
    return () => new Piscina(options).run(7)
  },
  'tinypool, processes': async () => {
    const { Tinypool } = await import('tinypool')
    return () => new Tinypool({ ...options, runtime: 'child_process' }).run(7) as Promise<unknown>
  },
  'workerpool, processes': async () => {
    const { default: workerpool } = await import('workerpool')
    const options = { workerType: 'process', maxWorkers: workers } as const
    return async () => await workerpool.pool(file('workerpool-jobs.mjs'), options).exec('square', [7])
  },
}

const start = performance.now()
const first = await imports[process.argv[2]]()
const between = performance.now()
if ((await first()) !== 49) throw new Error('a wrong result')
console.log(JSON.stringify([between - start, performance.now() - between]))
process.exit()
