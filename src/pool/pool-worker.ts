/**
 * One worker as its pool sees it: what it holds, in the order sent; how much more it may hold; and what
 * becomes of that when it ends. It decides nothing about tasks: it reports to its host (the dispatch) and the
 * host decides. Begun and not begun are told apart by the ledger, so a death costs exactly what was running.
 */
import { log } from '../core/log.ts'
import { startLateTimer } from '../core/waiting.ts'
import type { Payload } from '../closure/capture.ts'
import type { Channel, Receive } from '../transport/channel.ts'
import type { Exit, WorkerHandle } from '../worker/handle.ts'
import { Arrivals } from './arrivals.ts'
import type { Body } from './bodies.ts'
import { hasCredit } from './credit.ts'
import { aliveWithin, Doubt } from './doubt.ts'
import { Holdings } from './holdings.ts'
import type { Host } from './host.ts'
import type { Image } from './images.ts'
import { Orders } from './orders.ts'
import * as is from './protocol.ts'
import { startWorker } from './start.ts'
import type { Task } from './task.ts'
import { Wire } from './wire.ts'

export interface PoolWorkerOptions {
  readonly name: string
  readonly path: readonly number[]
  readonly concurrency: number
  /** Of its pool: how many workers that has. */
  readonly size: number
  readonly maxTasks: number
  /** See core/limits.ts. */
  readonly lastNumber: number
  readonly startTimeout: number
  readonly initializer: Payload | null
  readonly env: NodeJS.ProcessEnv | undefined
  readonly execArgv: readonly string[] | undefined
  readonly body: Body
}

/** Milliseconds, where a task does not say. */
const defaultGrace = 1000

/** Milliseconds that an idle worker has to end when it is told to. */
const leaveGrace = 5_000

export class PoolWorker {
  readonly name: string
  state: 'starting' | 'ready' | 'leaving' | 'dead' = 'starting'
  readonly holdings: Holdings
  readonly #wire: Wire
  /** It was ready once. */
  started = false
  /** What ended it, where it could say so: an error outside of any task. */
  crash: unknown
  /** When it was started; milliseconds of performance.now(). */
  readonly since = performance.now()
  /** Microseconds that the last task took which ended here. */
  took = 0
  /** Why the pool killed it. */
  killedFor: string | undefined
  readonly #host: Host
  readonly #options: PoolWorkerOptions
  readonly #handle: WorkerHandle
  readonly #channel: Channel
  readonly #arrivals: Arrivals
  readonly #orders: Orders
  readonly #images = new Set<Image>()
  /** Of its start, then of its end. */
  #timer: NodeJS.Timeout | undefined
  readonly #doubt = new Doubt()
  /** Tasks that it may have, in all. */
  #most: number

  constructor(options: PoolWorkerOptions, host: Host) {
    this.name = options.name
    this.#host = host
    this.#options = options
    this.#most = options.maxTasks
    this.#arrivals = new Arrivals(this, host)
    this.#wire = new Wire(options.body)
    this.holdings = new Holdings(this.#wire.ledger)
    try {
      this.#handle = startWorker(options, this.#wire, this.#arrived)
    } catch (error) {
      this.#wire.close()
      throw error
    }
    this.#channel = this.#wire.connect(this.#handle.channel, this.#arrived, (error) =>
      this.kill(error.message),
    )
    this.#handle.onExit = (exit) => this.#exited(exit)
    // What it holds may still end, over the link; it gets nothing more.
    this.#handle.onSilence = () => (this.state = 'leaving')
    this.#handle.unref()
    this.#orders = new Orders(this.#channel)
    if (options.initializer !== null) this.#orders.initialize(options.initializer)
    this.#limit(options.startTimeout, () => {
      if (this.started || this.state === 'dead') return
      this.#host.startFailed(new Error(`worker ${this.who} did not start within ${options.startTimeout} ms`))
    })
  }

  get pid(): number {
    return this.#handle.pid
  }

  /** For messages. */
  get who(): string {
    return this.#handle.who
  }

  /** Holds more than it runs. */
  get loaded(): boolean {
    return this.holdings.size > this.#options.concurrency
  }

  get idle(): boolean {
    return this.state === 'ready' && this.holdings.size === 0 && !this.#doubt.stuck
  }

  /** True where it has had as many tasks as it may have, and all have ended. */
  get spent(): boolean {
    return this.idle && this.holdings.ended >= this.#most
  }

  /** May it be given `task` now? An idle worker takes anything; a busy one a little that is surely short. */
  accepts(task: Task): boolean {
    const { size, ended } = this.holdings
    if (this.state !== 'ready' || this.#doubt.stuck || ended + size >= this.#most) return false
    return hasCredit(this.holdings, task, this.#options.concurrency, this.#options.size === 1)
  }

  send(task: Task): void {
    const { image } = task
    if (!this.#images.has(image)) {
      this.#orders.image(image)
      this.#images.add(image)
      image.holders.add(this)
    }
    // One that has not answered to what was taken back shows no life by that.
    if (this.holdings.size === 0 && !this.holdings.recalling) this.#doubt.ease()
    this.holdings.add(task)
    if (task.seq >= this.#options.lastNumber) this.#most = 0
    this.#orders.task(task)
  }

  /** What runs there now. What ended and is on its way here may still look as if it ran. */
  running(): Task[] {
    return this.state === 'dead' ? [] : this.holdings.running(this.#options.concurrency)
  }

  /** For a REVOCABLE task that this worker holds: true where it has not begun and never will. */
  revoke(task: Task): boolean {
    return this.holdings.revoke(task)
  }

  /**
   * Stops a task that this worker holds and that was settled already: it is skipped, or its signal aborts and
   * the kill follows after the grace.
   */
  stop(task: Task, why: number): void {
    this.holdings.unwant(task)
    this.#orders.cancel(task.seq, why)
    clearTimeout(task.timer)
    this.#killLater(task)
  }

  /** Not for what has not begun, and not for what has ended: others may be running there. */
  #killLater(task: Task): void {
    task.timer = startLateTimer(task.options?.grace ?? defaultGrace, () => {
      if (this.state === 'dead') return
      this.#wire.take(this.#receive)
      if (!this.holdings.has(task)) return
      if (this.holdings.hasBegun(task)) this.kill(`task ${task.id} did not stop when it was told to`)
      else this.#killLater(task)
    })
  }

  /**
   * Looks after a busy worker. True where it has been at one task since the last look. Then the results
   * before it, not flushed yet, are taken in, and what has not begun is taken back where its priority is
   * `below` that: others could do it, or should go first.
   */
  inspect(below: number): boolean {
    if (this.state === 'dead') return false
    if (!this.holdings.ledger.standing()) {
      this.#doubt.ease()
      return false
    }
    this.#wire.take(this.#receive)
    // Before anything is taken back: it may be given the very same at once.
    if (!this.holdings.waiting) this.#doubt.ease()
    else if (this.#doubt.grow()) this.#giveUp()
    this.#host.returned(this.holdings.takeBack(below))
    return true
  }

  /** Others do its work, and it is killed unless it shows in time that it lives. */
  #giveUp(): void {
    const limit = Math.min(this.#options.startTimeout, aliveWithin)
    this.#limit(limit, () => {
      if (!this.#doubt.stuck || this.state === 'dead') return
      this.#host.returned(this.holdings.takeBack(Infinity))
      this.kill(`it did not begin a task for ${limit} ms`)
    })
    this.#host.returned(this.holdings.takeBack(Infinity))
  }

  #wake(): void {
    this.#doubt.end()
    if (this.state !== 'ready') return
    clearTimeout(this.#timer)
    this.#host.freed(this)
  }

  /** In a long turn: takes in what it says, to listen later, and looks how far it is. */
  attend(): void {
    this.#channel.draw()
    if (this.state !== 'dead') this.holdings.look()
  }

  /** Sends now what would leave at the end of the turn. */
  flush(): void {
    this.#channel.flush()
  }

  forget(image: Image): void {
    this.#images.delete(image)
    if (this.state !== 'dead') this.#orders.forget(image)
  }

  /** No further task: it ends when it holds nothing. */
  leave(): void {
    if (this.state !== 'ready' && this.state !== 'starting') return
    this.state = 'leaving'
    log(`${this.who} is dismissed`)
    this.#orders.exit()
    this.#limitLeaving()
  }

  /**
   * One that holds nothing more and ends not, because of what a task left behind, must not stand in the way
   * of the next. What it still holds ends within a grace of its own.
   */
  #limitLeaving(): void {
    if (this.state === 'leaving' && this.holdings.size === 0)
      this.#limit(leaveGrace, () => this.kill(`it did not end within ${leaveGrace} ms`))
  }

  #limit(ms: number, fn: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = startLateTimer(ms, fn)?.unref()
  }

  terminate(): void {
    this.#handle.kill('SIGTERM')
  }

  kill(why?: string): void {
    this.killedFor ??= why
    log(`${this.who} is killed: ${why ?? 'its pool has ended'}`)
    this.#handle.kill('SIGKILL')
  }

  readonly #arrived: Receive = (kind, bytes, start, end) => {
    if (this.#doubt.stuck) this.#wake()
    this.#receive(kind, bytes, start, end)
  }

  readonly #receive: Receive = (kind, bytes, start, end) => {
    switch (kind) {
      case is.RESULT:
      case is.FAILURE:
      case is.MIXED:
        return this.#result(kind, bytes, start, end)
      case is.TEMPLATE:
        return this.#arrivals.template(Buffer.from(bytes.subarray(start, end)))
      case is.RINGS:
        return this.#wire.goOver()
      case is.READY:
        if (this.state === 'starting') clearTimeout(this.#timer)
        this.started = true
        if (this.state === 'starting') this.state = 'ready'
        return this.#host.ready(this)
      case is.START_FAILED:
        clearTimeout(this.#timer)
        return void this.#arrivals.revive(bytes, start, end, (_, error) => this.#host.startFailed(error))
      case is.BEGUN:
        return this.#begun(bytes.readUInt32LE(start))
      case is.CRASHED:
        return void this.#arrivals.revive(bytes, start, end, (_, error) => (this.crash = error))
      case is.SKIPPED: {
        const task = this.holdings.skip(bytes.readUInt32LE(start))
        this.#limitLeaving()
        if (task !== undefined) this.#host.returned([task])
        return
      }
    }
  }

  #result(kind: number, bytes: Buffer, start: number, end: number): void {
    const task = this.holdings.end(bytes.readUInt32LE(start))
    if (task === undefined) return
    this.took = bytes.readUInt32LE(start + 4)
    task.image.profile.record(this.took)
    this.#limitLeaving()
    this.#arrivals.outcome(kind, task, bytes, start + is.resultHead, end)
  }

  #begun(seq: number): void {
    const task = this.holdings.get(seq)
    if (task === undefined || task.settled) return
    clearTimeout(task.timer)
    task.timer = startLateTimer(task.options?.timeout, () => {
      if (this.holdings.has(task)) this.#host.expired(task)
    })
  }

  #exited(exit: Exit): void {
    clearTimeout(this.#timer)
    this.state = 'dead'
    this.killedFor ??= this.#handle.fault
    this.#wire.take(this.#receive)
    const { lost, unbegun } = this.holdings.close()
    this.#wire.close()
    for (const image of this.#images) image.holders.delete(this)
    this.#host.returned(unbegun)
    this.#host.died(this, exit, lost)
  }
}
