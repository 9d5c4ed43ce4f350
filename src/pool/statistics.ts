/**
 * What a pool tells about itself, as its dispatch and its staff count it. Types only: nothing is computed
 * here.
 */

/**
 * Every task is in exactly one of queued (what a worker holds but has not begun included), running, completed
 * (with a value) and failed.
 */
export interface PoolStatistics {
  readonly state: 'running' | 'closed' | 'terminated' | 'broken'
  readonly queued: number
  readonly running: number
  readonly completed: number
  readonly failed: number
  /** Workers that were replaced, for whatever reason. */
  readonly restarts: number
  readonly workers: readonly WorkerStatistics[]
}

/** One worker; `tasks` have ended there. */
export interface WorkerStatistics {
  readonly name: string
  readonly pid: number
  readonly state: 'starting' | 'idle' | 'busy' | 'dead'
  readonly tasks: number
}
