/**
 * In what the workers of a pool run: each in a process of its own, or in a thread of this one. All that the
 * dispatch and its faces know of the difference.
 */
import { region } from '../memory/region.ts'
import type { Receive } from '../transport/channel.ts'
import type { WorkerHandle, WorkerOptions } from '../worker/handle.ts'
import { nameOf, nextPath } from '../worker/names.ts'
import { ProcessHandle } from '../worker/process-handle.ts'
import { ThreadHandle } from '../worker/thread-handle.ts'
import { nextNumber } from '../worker/threads.ts'
import { FileLedger } from './ledger-file.ts'
import { MemoryLedger } from './ledger-memory.ts'
import type { Ledger } from './ledger.ts'

/** What a worker of a pool is started with. */
export interface PoolWorkerStart extends WorkerOptions {
  readonly path: readonly number[]
  readonly ledger: Ledger
  readonly env: NodeJS.ProcessEnv | undefined
  readonly execArgv: readonly string[] | undefined
}

export interface Body {
  /** What shares memory with this thread whatever the system: other threads. */
  readonly inside: boolean
  /** Called so where a pool's workers have no name of their own. */
  readonly worker: string
  /** The next worker's name and place, for a pool whose workers are called `prefix`. */
  next(prefix: string): { name: string; path: readonly number[] }
  /** Whether its workers share memory with their pool, and so go over to a link in it. */
  links(): boolean
  /** Of a worker without a link. */
  openLedger(): Ledger
  start(options: PoolWorkerStart, receive: Receive): WorkerHandle
}

export const processes: Body = {
  inside: false,
  worker: 'PoolWorker',
  next(prefix) {
    const path = nextPath()
    return { name: nameOf(prefix, path), path }
  },
  links: () => region().system !== null,
  openLedger: () => new FileLedger(),
  start: ({ ledger, ...options }, receive) =>
    new ProcessHandle({ ...options, ledger: ledger.memory as number | undefined }, receive),
}

export const threads: Body = {
  inside: true,
  worker: 'PoolThread',
  next: (prefix) => ({ name: `${prefix}-${nextNumber('thread')}`, path: [] }),
  // Where nothing is mapped the region is memory that threads share.
  links: () => region().system !== null || process.env['PLAIT_TRANSPORT'] !== 'stream',
  openLedger: () => new MemoryLedger(),
  start: ({ ledger, path: _, ...options }, receive) =>
    new ThreadHandle({ ...options, ledger: ledger.memory as SharedArrayBuffer | undefined }, receive),
}
