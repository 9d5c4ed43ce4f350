/**
 * Whom a pool's worker reports to: the dispatch, which decides what becomes of the tasks.
 */
import type { Exit } from '../worker/handle.ts'
import type { PoolWorker } from './pool-worker.ts'
import type { Task } from './task.ts'

/** What a pool's worker tells its host. */
export interface Host {
  /** Workers that should be there. */
  readonly wanted: number
  /** It is there, and boots. */
  spawned(worker: PoolWorker): void
  ready(worker: PoolWorker): void
  /** The initializer threw `error`, or did not end in time: no worker of this pool will ever start. */
  startFailed(error: unknown): void
  /** `task` ended, and its outcome will be known when a module was imported here. */
  arriving(task: Task): void
  /** `task` ended at the worker, which no longer holds it. The task may have been settled before. */
  ended(worker: PoolWorker, task: Task, succeeded: boolean, outcome: unknown): void
  /** `task` has run for as long as it may; it still runs. */
  expired(task: Task): void
  /** It may have work again. */
  freed(worker: PoolWorker): void
  /** Held and never begun, in the order sent. */
  returned(tasks: readonly Task[]): void
  /** It is gone: `lost` had begun there and not ended. */
  died(worker: PoolWorker, exit: Exit, lost: readonly Task[]): void
}
