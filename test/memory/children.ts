/** Children of these tests, from the sources beside the tests: processes, and threads without more. */
import { Worker } from 'node:worker_threads'
import { load, sleepOn } from '#plait/memory/atomics.js'
import { region, regionForThread } from '#plait/memory/region.js'
import { buryThread } from '#plait/memory/sweep.js'
import { Process } from '#plait/worker/process.js'
import { mortal } from '../mortal.ts'

/** A process that calls one of jobs.ts. */
export function process<A extends unknown[], R>(target: (...args: A) => R, ...args: A): Process {
  return new Process({ target: target, args }).start()
}

/** The same, and it can die in the middle of a write: see ../mortal.ts. */
export function mortalProcess<A extends unknown[], R>(target: (...args: A) => R, ...args: A): Process {
  return new Process({ target, args, execArgv: mortal }).start()
}

export interface Thread {
  readonly worker: Worker
  readonly result: Promise<unknown>
  /** Ends it, and buries it as its parent does. */
  terminate(): Promise<void>
}

/** A thread that calls one of jobs.ts, by its name. */
export function thread<A extends unknown[]>(job: (...args: A) => unknown, ...args: A): Thread {
  const worker = new Worker(new URL('./thread.js', import.meta.url), {
    workerData: { origin: regionForThread(), job: job.name, args },
  })
  const { threadId } = worker
  const ended = new Promise<void>((resolve) =>
    worker.once('exit', () => {
      buryThread(threadId)
      resolve()
    }),
  )
  const result = new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  }).then(async (value) => {
    await ended
    return value
  })
  result.catch(() => {})
  return {
    worker,
    result,
    terminate: async () => {
      await worker.terminate()
      await ended
    },
  }
}

/** Resolves when the word is `value`; half a minute at most. */
export async function reached(word: number, value: number): Promise<void> {
  const { words } = region()
  for (let turn = 0; turn < 3000; turn++) {
    if (load(words, word) === value) return
    await new Promise((resolve) => setTimeout(resolve, 1))
    if (turn % 3 === 0) sleepOn(words, word, load(words, word), 5)
  }
  throw new Error(`the word is ${load(words, word)}, not ${value}`)
}
