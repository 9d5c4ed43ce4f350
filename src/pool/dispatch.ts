/**
 * The one dispatch under every pool: it gives waiting tasks to workers, settles them, and decides what a
 * death, a timeout or an abort means. It alone changes the state of a pool. No manager thread, no lock: the
 * parent assigns, so it knows what every worker holds. Faces (pools, executors) make the tasks.
 *
 * What may stand still, and what ends it: a task in the line or held (a result, a death, a timeout, an abort,
 * terminate, break), a start (READY, START_FAILED, startTimeout, a death), an end (the last death).
 */
import { outside } from '../core/context.ts'
import { log } from '../core/log.ts'
import { BrokenPoolError, PoolClosedError, PoolTerminatedError, TimeoutError } from '../core/errors.ts'
import { textOf } from '../core/text.ts'
import type { Exit } from '../worker/handle.ts'
import { lostError } from '../worker/lost.ts'
import { tellExited, tellReady, tellSettled, tellStarted, tellSubmitted } from './events.ts'
import { Images } from './images.ts'
import { Line, priorityOf } from './line.ts'
import type { Host } from './host.ts'
import type { PoolWorker } from './pool-worker.ts'
import { ABORTED, TIMED_OUT } from './protocol.ts'
import { Staff, type StaffOptions } from './staff.ts'
import type { PoolStatistics } from './statistics.ts'
import type { Task } from './task.ts'

/** Milliseconds between two looks at workers that hold more than they run. */
const silence = 2
/** Repeated more and more rarely while nothing changes, down to this; where none holds more, to that. */
const longestSilence = 64
const longestTask = 1000
/** So many tasks are put into the line before a worker is attended to: some tenths of a millisecond. */
const attention = 512

/** A submit whose tasks are not all there yet. */
export interface Submit {
  /** The pool will not work any more. */
  halt(error: unknown): void
  /** The rest is to come without being asked for; or no longer. */
  drain?(on: boolean): void
}

export class Dispatch implements Host {
  readonly name: string
  state: PoolStatistics['state'] = 'running'
  /** Why the pool is broken. */
  cause: BrokenPoolError | undefined
  readonly images = new Images()
  /** Resolves when the pool takes no more tasks and its last worker is gone. */
  readonly over: Promise<void>
  readonly #line = new Line()
  /** Held by a worker, never begun, not yet in the line again. */
  readonly #returning: Task[] = []
  /** Ended at their workers, while their outcomes wait for a module here. */
  readonly #arriving = new Set<Task>()
  readonly #staff: Staff
  /** Tasks that are not settled. */
  #live = 0
  /** Submits whose input is still to come, and what messages call them. */
  readonly #expected = new Map<Submit, string>()
  /** Pending promises that no task stands behind. */
  #waiters = 0
  #drainers = 0
  #queued = 0
  #completed = 0
  #failed = 0
  #watching: NodeJS.Timeout | undefined
  #patience = silence
  /** A pending promise keeps the event loop alive; an idle pool does not. */
  readonly #alive = setInterval(() => {}, 2 ** 30).unref()

  constructor(name: string, options: StaffOptions) {
    this.name = name
    let over!: () => void
    this.over = new Promise((resolve) => (over = resolve))
    this.#staff = new Staff(options, this, () => {
      clearInterval(this.#alive)
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
    if (this.#live++ === 0) this.#alive.ref()
    this.images.retain(task.image)
    tellSubmitted(this.name, task)
    if (this.#staff.ending) return this.#settle(task, false, this.#tooLate(task))
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
    for (const task of this.#returning.splice(0)) this.#settle(task, false, reason)
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
    this.#expected.set(submit, what)
    return () => {
      if (this.#expected.delete(submit)) this.#rest()
    }
  }

  /** No more tasks; the workers leave when the last has ended. */
  close(): void {
    if (this.state !== 'running') return
    this.state = 'closed'
    log(`${this.name}: closed, ${this.#live} tasks to go`)
    this.#rest()
  }

  /** All that is not settled rejects; the workers are stopped. */
  terminate(): void {
    if (this.state === 'terminated' || this.state === 'broken') return
    this.state = 'terminated'
    log(`${this.name}: terminated, ${this.#live} tasks dropped`)
    this.#rejectAll(
      (what) => new PoolTerminatedError(`pool ${this.name} was terminated before ${what} ended`),
    )
    this.#staff.stop()
  }

  /**
   * Somebody waits for the end of the pool, until the answer is called: what is still to come, comes unasked.
   */
  drain(): () => void {
    const stopStaying = this.stayAlive()
    if (this.#drainers++ === 0) for (const submit of Array.from(this.#expected.keys())) submit.drain?.(true)
    return () => {
      stopStaying()
      if (--this.#drainers === 0) for (const submit of this.#expected.keys()) submit.drain?.(false)
    }
  }

  /** A promise is pending that no task stands behind: the event loop goes on until the answer is called. */
  stayAlive(): () => void {
    this.#waiters++
    this.#alive.ref()
    return () => {
      this.#waiters--
      this.#rest()
    }
  }

  statistics(): PoolStatistics {
    const workers = this.#staff.snapshot()
    const running = workers.reduce((sum, worker) => sum + worker.running, this.#arriving.size)
    return Object.freeze({
      state: this.state,
      queued: this.#live - running,
      running,
      completed: this.#completed,
      failed: this.#failed,
      restarts: this.#staff.restarts,
      workers: Object.freeze(workers.map((worker) => worker.public)),
    })
  }

  // ── what workers report ──

  /** Workers that should be there: all, unless they start on demand; once closed, those still of use. */
  get wanted(): number {
    if (this.state !== 'running' && this.state !== 'closed') return 0
    const all = this.state === 'running' || this.#expected.size > 0
    return all && !this.#staff.onDemand ? this.#staff.size : Math.min(this.#live, this.#staff.size)
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
    const what = `pool ${this.name} cannot start its workers: ${textOf(cause)}`
    const error = new BrokenPoolError(what, { cause })
    this.state = 'broken'
    this.cause = error
    log(error.message)
    this.#rejectAll(() => new BrokenPoolError(error.message, { cause }))
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
    this.#abandon(
      task,
      new TimeoutError(`${about(task)} ran longer than ${task.options?.timeout} ms`),
      TIMED_OUT,
    )
  }

  freed(worker: PoolWorker): void {
    this.#feed(worker)
  }

  returned(tasks: readonly Task[]): void {
    if (this.#returning.length === 0 && tasks.length > 0) process.nextTick(this.#takeBack)
    this.#returning.push(...tasks)
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

  /** What came back in this tick goes to the front, in the order of submission. */
  readonly #takeBack = (): void => {
    const tasks = this.#returning.splice(0).sort((a, b) => b.id - a.id)
    for (const task of tasks) if (!task.settled) this.#line.unshift(task)
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
    if (this.#watching === undefined) this.#watch(silence)
    else if (worker.loaded && this.#patience > longestSilence) this.#watch(silence)
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
    else if (this.#live > 0 && this.#patience > silence) this.#watch(silence)
  }

  /**
   * While anything runs somebody has to see when it is long: a look after `patience`, and again, more and
   * more rarely while nothing moves.
   */
  #watch(patience: number): void {
    clearTimeout(this.#watching)
    this.#patience = patience
    this.#watching = outside(() => setTimeout(this.#look, patience)).unref()
  }

  readonly #look = (): void => {
    this.#watching = undefined
    const busy = this.#staff.busy()
    let moving = false
    for (const worker of busy) {
      const first = this.#line.peek()
      const below = first !== undefined ? priorityOf(first) : this.#staff.someoneIdle() ? Infinity : -Infinity
      if (!worker.inspect(below) && worker.loaded) moving = true
    }
    if (busy.length === 0) return
    const longest = busy.some((worker) => worker.loaded) ? longestSilence : longestTask
    this.#watch(moving ? silence : Math.min(this.#patience * 2, longest))
  }

  #settle(task: Task, succeeded: boolean, outcome: unknown, worker?: PoolWorker, took?: number): void {
    if (task.settled) return
    task.settled = true
    this.#live--
    if (succeeded) this.#completed++
    else this.#failed++
    if (this.#arriving.size > 0) this.#arriving.delete(task)
    this.images.release(task.image)
    task.lent?.drop()
    tellSettled(this.name, task, succeeded, outcome, worker, took)
    if (succeeded) task.succeed(outcome)
    else task.fail(outcome)
    this.#rest()
  }

  /** What user code did while the task was made: an input or a reducer may well end the pool. */
  #tooLate(task: Task): Error {
    if (this.cause !== undefined) return this.cause
    const what = `pool ${this.name} was ${this.state} while ${about(task)} was submitted`
    return this.state === 'closed' ? new PoolClosedError(what) : new PoolTerminatedError(what)
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
    if (this.#live > 0) return
    if (this.#waiters === 0) this.#alive.unref()
    if (this.state === 'closed' && this.#expected.size === 0) this.#staff.dismiss()
  }

  #rejectAll(error: (what: string) => unknown): void {
    for (const [submit, what] of Array.from(this.#expected)) submit.halt(error(what))
    for (let task = this.#line.shift(); task !== undefined; task = this.#line.shift())
      this.#settle(task, false, error(about(task)))
    for (const task of this.#staff.held())
      this.#settle(task, false, error(about(task)), this.#staff.holder(task))
    for (const task of this.#returning.splice(0)) this.#settle(task, false, error(about(task)))
    for (const task of Array.from(this.#arriving)) this.#settle(task, false, error(about(task)))
  }
}

function about(task: Task): string {
  return `task ${task.id} (${task.image.name})`
}
