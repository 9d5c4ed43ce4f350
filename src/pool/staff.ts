/**
 * The workers of one pool: started, replaced, dismissed. Holds the brake against respawn storms: a worker
 * that dies before it is ready, or again and again without having ended a task, is replaced more and more
 * slowly, and after a few such deaths in a row the pool is told that it cannot work.
 */
import { maxFailedStarts } from '../core/limits.ts'
import { log } from '../core/log.ts'
import type { Exit } from '../worker/handle.ts'
import type { Host } from './host.ts'
import { PoolWorker, type PoolWorkerOptions } from './pool-worker.ts'
import type { WorkerStatistics } from './statistics.ts'
import type { Task } from './task.ts'

export interface StaffOptions extends Omit<PoolWorkerOptions, 'name' | 'path'> {
  readonly size: number
  /** Of the workers, in messages. */
  readonly prefix: string
  /** The next worker's name and place. */
  readonly next: () => { name: string; path: readonly number[] }
  /** Workers are started when there is work that no idle one is there for. */
  readonly onDemand: boolean
}

/** Milliseconds from terminate to SIGKILL, for a worker that handles SIGTERM. */
const terminateGrace = 500

/**
 * A start that somebody else may have ended counts little: a program that kills workers is no broken pool.
 */
const killedStart = 1 / 16
const fromOutside = new Set<NodeJS.Signals | null>(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'])

export class Staff {
  readonly size: number
  readonly onDemand: boolean
  restarts = 0
  /** Workers that are gone, and that none was started for. */
  #missing = 0
  readonly #options: StaffOptions
  readonly #host: Host
  readonly #onOver: () => void
  readonly #workers = new Set<PoolWorker>()
  /** Where next() is. */
  #turns = this.#workers.values()
  /** No worker will be started any more. */
  ending = false
  /** Deaths in a row of workers that never became ready, and of ready ones that had never been of use. */
  #failedStarts = 0
  #idleDeaths = 0
  #startLater: NodeJS.Timeout | undefined
  /** The next start waits for its time. */
  #braked = false
  #harsher: NodeJS.Timeout | undefined

  constructor(options: StaffOptions, host: Host, onOver: () => void) {
    this.size = options.size
    this.onDemand = options.onDemand
    this.#options = options
    this.#host = host
    this.#onOver = onOver
  }

  /** Apart from the constructor: what was started reports to the host even where the next one fails. */
  start(): void {
    if (this.onDemand) return
    try {
      for (let i = 0; i < this.size; i++) this.#start()
    } catch (error) {
      this.stop()
      throw error
    }
  }

  /** There is more work; for those that start on demand. */
  grow(): void {
    // One that is put off because others have died is no matter of demand.
    if (!this.#braked) this.#fill()
  }

  /** The worker that should have `task` now: an idle one, else the least loaded of those with credit. */
  best(task: Task): PoolWorker | undefined {
    let best: PoolWorker | undefined
    for (const worker of this.#workers) {
      if (!worker.accepts(task)) continue
      if (worker.holdings.size === 0) return worker
      if (best === undefined || worker.holdings.size < best.holdings.size) best = worker
    }
    return best
  }

  /** Each worker in turn. */
  next(): PoolWorker | undefined {
    return this.#turns.next().value ?? (this.#turns = this.#workers.values()).next().value
  }

  holder(task: Task): PoolWorker | undefined {
    for (const worker of this.#workers) if (worker.holdings.has(task)) return worker
    return undefined
  }

  held(): Task[] {
    return [...this.#workers].flatMap((worker) => worker.holdings.all())
  }

  someoneIdle(): boolean {
    for (const worker of this.#workers) if (worker.idle) return true
    return false
  }

  busy(): PoolWorker[] {
    return [...this.#workers].filter((worker) => worker.holdings.size > 0)
  }

  /** Those that have had all the tasks that they may have. */
  dismissSpent(): void {
    for (const worker of this.#workers) if (worker.spent) worker.leave()
  }

  started(): void {
    this.#failedStarts = 0
  }

  /** A worker is gone. `useful`: it had a task before it died. */
  gone(worker: PoolWorker, exit: Exit, useful: boolean): void {
    this.#workers.delete(worker)
    this.#missing++
    this.#failedStarts = worker.started
      ? 0
      : this.#failedStarts + (fromOutside.has(exit.signal) ? killedStart : 1)
    this.#idleDeaths = useful || !worker.started ? 0 : this.#idleDeaths + 1
    if (!this.ending && this.#failedStarts >= maxFailedStarts) {
      const how = exit.how ?? (exit.signal === null ? `exit code ${exit.code}` : exit.signal)
      this.#host.startFailed(
        new Error(
          `its workers end before they are ready, again and again, the last by ${how}; see what they printed`,
        ),
      )
    } else if (!this.ending) this.#refill(Math.max(this.#failedStarts, this.#idleDeaths - 1))
    this.#checkOver()
  }

  /** No more work will come: each ends when it has done what it holds, or soon after. */
  dismiss(): void {
    this.ending = true
    for (const worker of this.#workers) worker.leave()
    this.#checkOver()
  }

  /** Ends them all now. */
  stop(): void {
    this.ending = true
    for (const worker of this.#workers) worker.terminate()
    clearTimeout(this.#harsher)
    this.#harsher = setTimeout(() => {
      for (const worker of this.#workers) worker.kill()
    }, terminateGrace).unref()
    this.#checkOver()
  }

  snapshot(): { running: number; public: WorkerStatistics }[] {
    return Array.from(this.#workers, (worker) => {
      const { name, pid, holdings } = worker
      const busy = holdings.size > 0 ? 'busy' : 'idle'
      const state = worker.state === 'ready' || worker.state === 'leaving' ? busy : worker.state
      const running = Math.min(worker.running().length, this.#options.concurrency)
      return { running, public: Object.freeze({ name, pid, state, tasks: holdings.ended }) }
    })
  }

  /**
   * Starts what is missing; after `faults` in a row later and later, so that a broken worker is no fork bomb.
   */
  #refill(faults: number): void {
    if (this.ending) return
    clearTimeout(this.#startLater)
    this.#braked = faults > 0
    if (faults === 0) return this.#fill()
    const wait = Math.min(10 * 4 ** faults, 1000)
    log(`${this.#options.prefix}: workers end too early; the next one starts in ${wait} ms`)
    this.#startLater = setTimeout(() => this.#refill(0), wait).unref()
  }

  /** Starts what is missing now: how much is wanted changes while a start waits for its time. */
  #fill(): void {
    try {
      while (this.#workers.size < this.#host.wanted && !this.ending) {
        this.#start()
        if (this.#missing === 0) continue
        this.#missing--
        this.restarts++
      }
    } catch (error) {
      // A system that is out of processes for a moment gives one a little later.
      if (++this.#failedStarts >= maxFailedStarts) this.#host.startFailed(error)
      else this.#refill(this.#failedStarts)
    }
  }

  #start(): void {
    const worker = new PoolWorker({ ...this.#options, ...this.#options.next() }, this.#host)
    this.#workers.add(worker)
    this.#host.spawned(worker)
  }

  #checkOver(): void {
    if (!this.ending || this.#workers.size > 0) return
    clearTimeout(this.#startLater)
    clearTimeout(this.#harsher)
    this.#onOver()
  }
}
