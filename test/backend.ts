/**
 * In what the pools of a test file run: in processes, or in threads where the file was bound to them. A file
 * of pool tests is bound by a second file beside it, which imports on-threads.ts and then the first, and does
 * nothing else. What has no meaning in threads is not tested there, and the data says why.
 */
import { it, type TestFn } from 'node:test'
import { currentProcess, Pool, ThreadPool } from 'plait'
import { ProcessPoolExecutor, ThreadPoolExecutor } from 'plait/futures'
import { currentThread } from 'plait/threading'

export const backend = process.env['PLAIT_TEST_BACKEND'] === 'thread' ? 'thread' : 'process'

export const TestPool: typeof Pool = backend === 'thread' ? ThreadPool : Pool
export const TestExecutor: typeof ProcessPoolExecutor =
  backend === 'thread' ? ThreadPoolExecutor : ProcessPoolExecutor

/** Inside a task or outside of one: a number for whoever runs this, another one for each worker. */
export function me(): number {
  return backend === 'thread' ? currentThread().ident : process.pid
}

/** How whoever runs this is called. */
export function myName(): string {
  return backend === 'thread' ? currentThread().name : currentProcess().name
}

/** Ends the worker that runs this without a word: nothing it could still say is said. */
export function die(): never {
  if (backend === 'process') process.kill(process.pid, 'SIGKILL')
  ;(process as unknown as { reallyExit(code: number): void }).reallyExit(suddenly.exitcode)
  for (;;);
}

/** What a WorkerLostError says after die(). */
export const suddenly =
  backend === 'thread' ? { signal: null, exitcode: 9 } : { signal: 'SIGKILL', exitcode: -9 }

/** Why a test means nothing in threads. */
export const fromOutside = 'nothing outside of a process can end one of its threads, or make it stand still'

/** A test that means something in processes only; `why` says why not in threads. */
export function itInProcesses(_why: string, name: string, fn: TestFn): void {
  if (backend === 'process') void it(name, fn)
}
