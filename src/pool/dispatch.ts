/**
 * The one dispatch under every pool: it gives waiting tasks to workers, settles them, and decides what a
 * death, a timeout or an abort means. It alone changes the state of a pool. No manager thread, no lock: the
 * parent assigns, so it knows what every worker holds. Faces (pools, executors) make the tasks.
 *
 * What may stand still, and what ends it: a task in the line or held (a result, a death, a timeout, an abort,
 * terminate, break), a start (READY, START_FAILED, startTimeout, a death), an end (the last death).
 */
import { log } from '../core/log.ts'
import type { BrokenPoolError } from '../core/errors.ts'
import { textOf } from '../core/text.ts'
import type { Exit } from '../worker/handle.ts'
import { lostError } from '../worker/lost.ts'
import { tellExited, tellReady, tellSettled, tellStarted, tellSubmitted } from './events.ts'
import { Images } from './images.ts'
import { Line, priorityOf } from './line.ts'
import type { Host } from './host.ts'
import type { PoolWorker } from './pool-worker.ts'
import { ABORTED, TIMED_OUT } from './protocol.ts'
import { about, broken, terminated, timedOut, tooLate } from './refusals.ts'
import { Returns } from './returns.ts'
import { Staff, type StaffOptions } from './staff.ts'
import type { PoolStatistics } from './statistics.ts'
import { Submits, type Submit } from './submits.ts'
import { Tally } from './tally.ts'
import type { Task } from './task.ts'
import { Watch, type Found } from './watch.ts'

/** So many tasks are put into the line before a worker is attended to: some tenths of a millisecond. */
const attention = 512

export class Dispatch implements Host {
  readonly name: string
  state: PoolStatistics['state'] = 'running'
  /** Why the pool is broken. */
  cause: BrokenPoolError | undefined
  readonly images = new Images()
  /** Resolves when the pool takes no more tasks and its last worker is gone. */
  readonly over: Promise<void>
  readonly #line = new Line()
  readonly #returns = new Returns(this.#line, () => this.#cameBack())
  /** Ended at their workers, while their outcomes wait for a module here. */
  readonly #arriving = new Set<Task>()
  readonly #staff: Staff
  readonly #tally = new Tally()
  readonly #submits = new Submits(() => this.#rest())
  #queued = 0
  readonly #watch = new Watch(() => this.#look())

  constructor(name: string, options: StaffOptions) {
    this.name = name
    let over!: () => void
    this.over = new Promise((resolve) => (over = resolve))
    this.#staff = new Staff(options, this, () => {
      this.#tally.close()
      over()
    })
    this.#staff.start()
  }

  /** Workers that the pool has when it is whole. */
  get size(): number {
    return this.#staff.size
  }

  /** Takes over a task; from here on it is settled exactly once. */
  submit(task: Task): void {
    this.#tally.submitted()
    this.images.retain(task.image)
    tellSubmitted(this.name, task)
    if (this.#staff.ending)
      return this.#settle(task, false, this.cause ?? tooLate(this.name, this.state, task))
    // Where others wait no worker has room: nothing overtakes them.
    const worker = this.#line.peek() === undefined ? this.#staff.best(task) : undefined
    if (worker !== undefined) this.#send(worker, task)
    else {
      this.#line.push(task)
      if (++this.#queued % attention === 0) this.#attend()
    }
    if (this.#staff.onDemand) this.#staff.grow()
  }

  /** Rejects `task` with `reason` now; what of it runs is stopped. Nothing where it is settled. */
  cancel(task: Task, reason: unknown): void {
    this.#abandon(task, reason, ABORTED)
  }

  /**
   * A REVOCABLE task that has not begun is rejected with `reason` and never begins: true. Nothing happens to
   * any other: false.
   */
  revoke(task: Task, reason: unknown): boolean {
    if (task.settled) return false
    const worker = this.#staff.holder(task)
    if (worker?.revoke(task) === false) return false
    this.#settle(task, false, reason)
    if (worker === undefined) this.#line.settled(task)
    return true
  }

  /** For a face all of whose tasks are REVOCABLE: what has not begun is rejected and never begins. */
  revokeAll(reason: unknown): void {
    for (const task of this.#staff.held()) this.revoke(task, reason)
    for (const task of this.#returns.take()) this.#settle(task, false, reason)
    for (let task = this.#line.shift(); task !== undefined; task = this.#line.shift())
      this.#settle(task, false, reason)
  }

  /** Does `task` run now? */
  runs(task: Task): boolean {
    return this.#staff.holder(task)?.running().includes(task) ?? false
  }

  /**
   * More tasks of one submit, called `what`, will come: a pool that is closed goes on until the answer is
   * called.
   */
  expect(what: string, submit: Submit): () => void {
    return this.#submits.add(what, submit)
  }

  /** No more tasks; the workers leave when the last has ended. */
  close(): void {
    if (this.state !== 'running') return
    this.state = 'closed'
    log(`${this.name}: closed, ${this.#tally.live} tasks to go`)
    this.#rest()
  }

  /** All that is not settled rejects; the workers are stopped. */
  terminate(): void {
    if (this.state === 'terminated' || this.state === 'broken') return
    this.state = 'terminated'
    log(`${this.name}: terminated, ${this.#tally.live} tasks dropped`)
    this.#rejectAll((what) => terminated(this.name, what))
    this.#staff.stop()
  }

  /**
   * Somebody waits for the end of the pool, until the answer is called: what is still to come, comes unasked.
   */
  drain(): () => void {
    const stopStaying = this.stayAlive()
    const stopDraining = this.#submits.drain()
    return () => {
      stopStaying()
      stopDraining()
    }
  }

  /** A promise is pending that no task stands behind: the event loop goes on until the answer is called. */
  stayAlive(): () => void {
    const stop = this.#tally.wait()
    return () => {
      stop()
      this.#rest()
    }
  }

  statistics(): PoolStatistics {
    return this.#tally.statistics(this.state, this.#staff, this.#arriving.size)
  }

  // ── what workers report ──

  /** Workers that should be there: all, unless they start on demand; once closed, those still of use. */
  get wanted(): number {
    if (this.state !== 'running' && this.state !== 'closed') return 0
    const all = this.state === 'running' || this.#submits.size > 0
    return all && !this.#staff.onDemand ? this.#staff.size : Math.min(this.#tally.live, this.#staff.size)
  }

  spawned(worker: PoolWorker): void {
    tellStarted(this.name, worker)
  }

  ready(worker: PoolWorker): void {
    tellReady(this.name, worker)
    this.#staff.started()
    this.#feed(worker)
  }

  startFailed(cause: unknown): void {
    if (this.state === 'broken' || this.state === 'terminated') return
    const text = textOf(cause)
    this.state = 'broken'
    this.cause = broken(this.name, text, cause)
    log(this.cause.message)
    this.#rejectAll(() => broken(this.name, text, cause))
    this.#staff.stop()
  }

  arriving(task: Task): void {
    if (!task.settled) this.#arriving.add(task)
  }

  ended(worker: PoolWorker, task: Task, succeeded: boolean, outcome: unknown): void {
    this.#settle(task, succeeded, outcome, worker, worker.took)
    this.#feed(worker)
  }

  expired(task: Task): void {
    log(`${this.name}: ${about(task)} has run for its ${task.options?.timeout} ms`)
    this.#abandon(task, timedOut(task), TIMED_OUT)
  }

  freed(worker: PoolWorker): void {
    this.#feed(worker)
  }

  returned(tasks: readonly Task[]): void {
    this.#returns.add(tasks)
  }

  died(worker: PoolWorker, exit: Exit, lost: readonly Task[]): void {
    tellExited(this.name, worker, exit, lost.length)
    for (const task of lost) {
      if (task.settled) continue
      // Whoever hears of the death, or of the loss of another task, may have ended the pool just now.
      if (task.retries > 0 && !this.#staff.ending) {
        task.retries--
        task.attempt++
        this.#line.unshift(task)
        log(`${this.name}: ${about(task)} is tried again, attempt ${task.attempt}`)
      } else this.#settle(task, false, lostError(worker, exit, `${about(task)} ended`, worker), worker)
    }
    this.#staff.gone(worker, exit, worker.holdings.ended > 0 || lost.length > 0)
    this.#assign()
  }

  // ── inside ──

  #cameBack(): void {
    this.#assign()
    // What came back may have been the last that a worker was to have.
    this.#staff.dismissSpent()
  }

  #assign(): void {
    for (let task = this.#line.peek(); task !== undefined; task = this.#line.peek()) {
      const worker = this.#staff.best(task)
      if (worker === undefined) return
      this.#line.shift()
      this.#send(worker, task)
    }
  }

  /**
   * Many submits in one turn: no result can be taken meanwhile, but the workers go on. One in turn is looked
   * at, and given what it has room for by now.
   */
  #attend(): void {
    const worker = this.#staff.next()
    if (worker === undefined) return
    worker.attend()
    this.#feed(worker)
    worker.flush()
  }

  #send(worker: PoolWorker, task: Task): void {
    worker.send(task)
    this.#watch.given(worker)
  }

  /** `worker` has room again. While tasks wait nobody else has, so there is no need to look further. */
  #feed(worker: PoolWorker): void {
    let task = this.#line.peek()
    while (task !== undefined && worker.accepts(task)) {
      this.#line.shift()
      this.#send(worker, task)
      task = this.#line.peek()
    }
    if (!worker.idle) return
    if (worker.spent) worker.leave()
    else if (this.#tally.live > 0) this.#watch.hurry()
  }

  #look(): Found {
    const busy = this.#staff.busy()
    let moving = false
    for (const worker of busy) {
      const first = this.#line.peek()
      const below = first !== undefined ? priorityOf(first) : this.#staff.someoneIdle() ? Infinity : -Infinity
      if (!worker.inspect(below) && worker.loaded) moving = true
    }
    if (moving || busy.length === 0) return moving ? 'moving' : 'nothing'
    return busy.some((worker) => worker.loaded) ? 'loaded' : 'running'
  }

  #settle(task: Task, succeeded: boolean, outcome: unknown, worker?: PoolWorker, took?: number): void {
    if (task.settled) return
    task.settled = true
    this.#tally.settled(succeeded)
    if (this.#arriving.size > 0) this.#arriving.delete(task)
    this.images.release(task.image)
    task.lent?.drop()
    tellSettled(this.name, task, succeeded, outcome, worker, took)
    if (succeeded) task.succeed(outcome)
    else task.fail(outcome)
    this.#rest()
  }

  #abandon(task: Task, reason: unknown, why: number): void {
    if (task.settled) return
    const worker = this.#staff.holder(task)
    this.#settle(task, false, reason, worker)
    if (worker === undefined) this.#line.settled(task)
    else worker.stop(task, why)
  }

  /** Nothing is left to do: let the event loop end, and the workers of a closed pool go. */
  #rest(): void {
    if (this.#tally.live > 0) return
    this.#tally.rest()
    if (this.state === 'closed' && this.#submits.size === 0) this.#staff.dismiss()
  }

  #rejectAll(error: (what: string) => unknown): void {
    this.#submits.halt(error)
    for (let task = this.#line.shift(); task !== undefined; task = this.#line.shift())
      this.#settle(task, false, error(about(task)))
    for (const task of this.#staff.held())
      this.#settle(task, false, error(about(task)), this.#staff.holder(task))
    for (const task of this.#returns.take()) this.#settle(task, false, error(about(task)))
    for (const task of Array.from(this.#arriving)) this.#settle(task, false, error(about(task)))
  }
}
