/**
 * Those that plait is measured beside, each with as many workers: piscina (threads), tinypool and workerpool
 * (processes); python.ts has Python's Pool. Opened by the benchmarks that want them, and warm when they are
 * handed out: what a start costs is measured in start.ts.
 */
import { Piscina } from 'piscina'
import { Tinypool } from 'tinypool'
import { pool as workerpool } from 'workerpool'
import { childrenOf } from '../process.ts'
import { file, workers } from './shared.ts'

/** A pool that calls the functions of jobs.mjs by name. */
export interface Rival {
  readonly name: string
  call(job: string, argument: unknown): PromiseLike<unknown>
  /** Its workers' process ids; none where they are threads. */
  readonly pids: readonly number[]
  close(): Promise<unknown>
}

/** All of them; `close` ends them. */
export async function openRivals(): Promise<Rival[]> {
  const rivals: Rival[] = []
  for (const open of [ofPiscina, ofWidePiscina, ofTinypool, ofWorkerpool]) {
    const before = new Set(childrenOf(process.pid))
    const rival = open()
    await Promise.all([1, 2, 3, 4].map((x) => rival.call('square', x)))
    rivals.push({ ...rival, pids: childrenOf(process.pid).filter((pid) => !before.has(pid)) })
  }
  return rivals
}

type Opened = Omit<Rival, 'pids'>

function ofWidePiscina(): Opened {
  return ofPiscina('piscina, 64 a worker', 64)
}

function ofPiscina(name = 'piscina', concurrentTasksPerWorker = 1): Opened {
  const piscina = new Piscina({
    filename: file('jobs.mjs'),
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker,
  })
  return {
    name,
    call: (job, argument) => piscina.run(argument, { name: job }),
    close: () => piscina.destroy(),
  }
}

function ofTinypool(): Opened {
  const tinypool = new Tinypool({
    filename: file('jobs.mjs'),
    runtime: 'child_process',
    minThreads: workers,
    maxThreads: workers,
  })
  return {
    name: 'tinypool, processes',
    call: (job, argument) => tinypool.run(argument, { name: job }) as Promise<unknown>,
    close: () => tinypool.destroy(),
  }
}

function ofWorkerpool(): Opened {
  const pool = workerpool(file('workerpool-jobs.mjs'), {
    workerType: 'process',
    minWorkers: workers,
    maxWorkers: workers,
  })
  return {
    name: 'workerpool, processes',
    call: (job, argument) => pool.exec(job, [argument]),
    close: async () => await pool.terminate(true),
  }
}
