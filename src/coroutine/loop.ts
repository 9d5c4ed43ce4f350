/**
 * What runs the coroutines of one Scheduler: the line of those that can run, and the way to give each its
 * turn without keeping the event loop from its own work. A turn begins at step(), or in bursts while run() is
 * pending. It knows nothing of generators: a task does that. Every task that is not done is held here, so
 * none vanishes.
 */
import { inCallersContext } from '../core/context.ts'
import { rejectWithCallers } from '../core/callers.ts'
import { withClock, type Clock } from './clock.ts'
import type { Host, Task } from './task.ts'

/** Turns between two looks at what promises have settled: so long, that the look costs next to nothing. */
const burst = 64
/** Milliseconds of turns between two turns of the event loop, for timers and sockets. */
const slice = 4

/** A run() that is pending. */
interface Run {
  readonly promise: Promise<void>
  readonly end: (failed: Task<unknown> | undefined) => void
  /** In the async context of run(): the coroutines have no other. */
  readonly burst: () => void
  /** The task whose error ends it, once all others have ended too. */
  failed: Task<unknown> | undefined
}

export class Loop implements Host {
  readonly #clock: Clock | undefined
  readonly #alive = new Set<Task<unknown>>()
  #first: Task<unknown> | undefined
  #last: Task<unknown> | undefined
  #length = 0
  #turns = 0
  #turning = false
  #run: Run | undefined
  /** A burst comes by itself. */
  #scheduled = false
  #sliceEnd = 0
  /** Those that failed while nobody waited for them, and the turn by which somebody should. */
  #unclaimed: { readonly task: Task<unknown>; readonly until: number }[] = []
  #judging = false

  constructor(clock: Clock | undefined) {
    this.#clock = clock
  }

  /** Is one of its coroutines running at this moment? */
  get turning(): boolean {
    return this.#turning
  }

  add(task: Task<unknown>): void {
    this.#alive.add(task)
    this.ready(task)
  }

  ready(task: Task<unknown>): void {
    if (this.#last === undefined) this.#first = task
    else this.#last.next = task
    this.#last = task
    this.#length++
    if (this.#run !== undefined && !this.#scheduled && !this.#turning) this.#burstSoon(this.#run)
  }

  ended(task: Task<unknown>, failed: boolean): void {
    this.#alive.delete(task)
    if (!failed || task.claimed) return
    this.#unclaimed.push({ task, until: this.#turns + this.#length })
  }

  /** One turn of the first in line; false where none is there. */
  step(): boolean {
    return this.#clock === undefined ? this.#step() : withClock(this.#clock, () => this.#step())
  }

  #step(): boolean {
    const task = this.#first
    if (task === undefined) return false
    this.#first = task.next
    if (task.next === undefined) this.#last = undefined
    else task.next = undefined
    this.#length--
    this.#turns++
    this.#turning = true
    task.turn()
    this.#turning = false
    return true
  }

  /** Runs all to their ends; the promise is the same for all who ask meanwhile. */
  run(): Promise<void> {
    if (this.#run !== undefined) return this.#run.promise
    let end!: Run['end']
    const promise = new Promise<void>((resolve, reject) => {
      end = (failed) => (failed === undefined ? resolve() : rejectWithCallers(resolve, reject, failed.error))
    })
    const burst = inCallersContext(() => this.#burst(run))
    const run: Run = { promise, end, burst, failed: undefined }
    this.#run = run
    this.#sliceEnd = performance.now() + slice
    this.#burst(run)
    return promise
  }

  #burstSoon(run: Run): void {
    this.#scheduled = true
    if (performance.now() < this.#sliceEnd) queueMicrotask(run.burst)
    else {
      const release = this.#clock?.hold?.()
      setImmediate(() => {
        this.#sliceEnd = performance.now() + slice
        run.burst()
        release?.()
      })
    }
  }

  #burst(run: Run): void {
    if (this.#run !== run) return // step() was faster
    this.#scheduled = true
    for (let n = 0; n < burst; n++) if (!this.step()) break
    this.#scheduled = false
    if (this.#length > 0) this.#burstSoon(run)
    if (this.#unclaimed.length > 0) this.#judgeSoon()
    else if (this.#alive.size === 0) this.#end(run)
  }

  /**
   * As Node judges rejections that nobody handles: whoever can run had a turn, and the event loop too. Who
   * has not asked by then does not know of the error.
   */
  #judgeSoon(): void {
    if (this.#judging) return
    this.#judging = true
    setImmediate(() => {
      this.#judging = false
      if (this.#run !== undefined) this.#judge(this.#run)
    })
  }

  #judge(run: Run): void {
    const early = ({ until }: { until: number }): boolean => this.#turns < until && this.#length > 0
    const failed = this.#unclaimed.find((one) => !one.task.claimed && !early(one))?.task
    this.#unclaimed = this.#unclaimed.filter(early)
    if (failed !== undefined && run.failed === undefined) {
      run.failed = failed
      for (const task of this.#alive) task.cancel(failed.error)
    }
    if (this.#unclaimed.length > 0) this.#judgeSoon()
    else if (this.#alive.size === 0) this.#end(run)
  }

  #end(run: Run): void {
    this.#run = undefined
    run.end(run.failed)
  }
}
