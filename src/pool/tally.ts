/**
 * The tasks of one pool, counted: those that are not settled, and what became of the others. While one of
 * them or a promise beside them is pending the event loop stays alive; an idle pool does not hold it. Kept by
 * the dispatch, which says when there is nothing left to do.
 */
import type { Staff } from './staff.ts'
import type { PoolStatistics } from './statistics.ts'

export class Tally {
  /** Tasks that are not settled. */
  live = 0
  #completed = 0
  #failed = 0
  /** Pending promises that no task stands behind. */
  #waiters = 0
  readonly #alive = setInterval(() => {}, 2 ** 30).unref()

  submitted(): void {
    if (this.live++ === 0) this.#alive.ref()
  }

  settled(succeeded: boolean): void {
    this.live--
    if (succeeded) this.#completed++
    else this.#failed++
  }

  /** A promise is pending that no task stands behind, until the answer is called. */
  wait(): () => void {
    this.#waiters++
    this.#alive.ref()
    return () => {
      this.#waiters--
    }
  }

  /** No task is left: the event loop may end. */
  rest(): void {
    if (this.#waiters === 0) this.#alive.unref()
  }

  close(): void {
    clearInterval(this.#alive)
  }

  /** `arriving`: tasks that have ended and are not settled yet. */
  statistics(state: PoolStatistics['state'], staff: Staff, arriving: number): PoolStatistics {
    const workers = staff.snapshot()
    const running = workers.reduce((sum, worker) => sum + worker.running, arriving)
    return Object.freeze({
      state,
      queued: this.live - running,
      running,
      completed: this.#completed,
      failed: this.#failed,
      restarts: staff.restarts,
      workers: Object.freeze(workers.map((worker) => worker.public)),
    })
  }
}
