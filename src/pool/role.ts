/**
 * What a pool's worker does, process or thread: the role that worker/body.ts imports by URL. It receives
 * tasks, runs them in the order received, and sends back what became of them. A synchronous task runs inside
 * the receipt of its record; what has to wait (an import, an async task in progress) is queued. It never
 * decides about retries, timeouts or priorities: those are the parent's.
 */
import { fstatSync } from 'node:fs'
import { inThread, runAsTask, selfName, setTask, whileImporting } from '../core/context.ts'
import { log } from '../core/log.ts'
import { textOf } from '../core/text.ts'
import { undisturbed } from '../core/undisturbed.ts'
import { decode } from '../codec/decode.ts'
import { Reviver } from '../closure/revive.ts'
import { closeUnused } from '../memory/handles.ts'
import { regionForProcess, sharedRegion } from '../memory/region.ts'
import type { Channel, Receive } from '../transport/channel.ts'
import { Link, ledgerByte, type LinkEnds } from '../transport/link.ts'
import { RingChannel } from '../transport/ring-channel.ts'
import type { Ledger } from '../worker/handle.ts'
import { printUncaught } from '../worker/print.ts'
import { callTask, isThenable, type Call } from './call.ts'
import { FilePage } from './ledger-page.ts'
import { LinkPage } from './ledger-link.ts'
import { MemoryPage } from './ledger-memory.ts'
import { ledgerRoom, type Page } from './ledger.ts'
import * as is from './protocol.ts'
import { Replies } from './replies.ts'
import { Running, Runs } from './running.ts'
import type { Setup } from './start.ts'

/** Milliseconds for which a result may stay unflushed while further tasks begin. */
const flushAfter = 1

/**
 * Milliseconds after its start at which a worker maps the memory that it shares with its pool. That takes a
 * few, and the first result shall not wait for it, nor a pool that lives shortly. Memory that only threads
 * share is there at once.
 */
const linkAfter = 10
const controlDescriptor = 3

/** A TASK record that has been received, in memory of its own. */
type TaskRecord = readonly [bytes: Buffer, start: number, end: number]

class PoolRole {
  readonly #control: Channel
  readonly #channel: RingChannel
  readonly #reviver = new Reviver()
  readonly #replies: Replies
  #ledger: Page
  readonly #link: number
  #ends: LinkEnds | undefined
  readonly #concurrency: number
  /** The functions, or the bytes of those that no task has called yet. */
  readonly #images = new Map<number, Function | Buffer>()
  readonly #waiting: TaskRecord[] = []
  readonly #running = new Runs()
  /** Tasks that were cancelled before they began. */
  readonly #cancelled = new Set<number>()
  #leaving = false
  #lastFlush = 0

  constructor(control: Channel, setup: Setup, ledger: Ledger) {
    this.#control = control
    const channel = new RingChannel(control, this.receive, (error) => this.crash(error))
    this.#channel = channel
    this.#link = setup.link
    this.#ledger = this.#openLedger(ledger)
    this.#concurrency = setup.concurrency
    this.#replies = new Replies(channel, setup.home)
    channel.onDrain = () => this.#next()
    if (this.#ends !== undefined) undisturbed(() => channel.sendByRing(this.#ends!, is.RINGS))
    else if (setup.link !== 0) {
      if (process.env['PLAIT_TRANSPORT'] === 'mapped') this.#join()
      else setTimeout(this.#join, linkAfter)
    }
    if (!setup.initializer) this.#replies.send(is.READY)
  }

  /** Where it writes what it begins, until it has joined: what is to be mapped is a file until then. */
  #openLedger(ledger: Ledger): Page {
    if (this.#link === 0) return typeof ledger === 'number' ? new FilePage(ledger) : new MemoryPage(ledger)
    const { fd } = regionForProcess()
    return fd === undefined ? undisturbed(() => this.#openLink()) : new FilePage(fd, ledgerByte(this.#link))
  }

  /** Goes over to the rings, and to a ledger in memory; where the system denies that, all goes on without. */
  readonly #join = (): void => {
    // What the kernel has not taken yet is in the page.
    this.#control.flush()
    if (this.#control.buffered > 0) return void setTimeout(this.#join, linkAfter)
    try {
      if (!inThread()) fstatSync(controlDescriptor) // where a task has closed it, nobody can be told
      sharedRegion('a link to the pool')
      // A thread that is ended in this must leave nothing half made.
      undisturbed(() => {
        const page = this.#openLink()
        this.#channel.sendByRing(this.#ends!, is.RINGS)
        this.#ledger = page
      })
    } catch (error) {
      log(`${selfName()} uses no shared memory: ${textOf(error)}`)
    }
  }

  #openLink(): LinkPage {
    const link = Link.join(this.#link)
    this.#ends = link.workerEnds()
    return new LinkPage(link.ledger)
  }

  flush(): void {
    this.#channel.flush()
  }

  readonly receive: Receive = (kind, bytes, start, end) => {
    switch (kind) {
      case is.TASK:
        // Nothing overtakes what waits.
        if (this.#waiting.length === 0 && this.#mayBegin()) this.#begin(bytes, start, end)
        else this.#waiting.push(keep(bytes, start, end))
        return
      case is.RINGS:
        return this.#channel.receiveByRing(this.#ends!)
      case is.IMAGE:
        this.#images.set(bytes.readUInt32LE(start), Buffer.from(bytes.subarray(start + 4, end)))
        return
      case is.TEMPLATE:
        return this.#reviver.addTemplate(Buffer.from(bytes.subarray(start, end)))
      case is.FORGET:
        this.#images.delete(bytes.readUInt32LE(start))
        return closeUnused(true)
      case is.CANCEL:
        return this.#cancel(bytes.readUInt32LE(start), bytes[start + 4]!)
      case is.INIT:
        void this.#initialize(Buffer.from(bytes.subarray(start, end)))
        return
      case is.EXIT:
        this.#leaving = true
        return this.#leaveIfDone()
    }
  }

  /** An error that no task can catch ends the process, as it ends any Node program; the pool is told why. */
  crash(error: unknown): void {
    if (process.listenerCount('uncaughtException') > 1) return // the user's own listener decides
    this.#replies.crashed(error)
    this.#channel.flush() // first: to show an error may run code of its own, which may never return
    printUncaught(error)
    this.#exit(1)
  }

  async #initialize(payload: Buffer): Promise<void> {
    try {
      await this.#imported(this.#reviver.prepare(payload, 0, payload.length))
      const [initializer, initargs] = this.#reviver.revive(payload, 0, payload.length) as [
        Function,
        unknown[],
      ]
      await initializer(...initargs)
      this.#replies.send(is.READY)
    } catch (error) {
      await this.#replies.startFailed(error)
    }
  }

  /**
   * Whatever ended before a task begins is with the kernel or fits into the ledger: so a death loses no
   * result. Where the pool does not read, the next task waits until it does.
   */
  #mayBegin(): boolean {
    if (this.#running.size >= this.#concurrency) return false
    if (this.#channel.unflushed.size > ledgerRoom) this.#channel.flush()
    return !this.#channel.stuck && this.#channel.unflushed.size <= ledgerRoom
  }

  /**
   * Once the ledger says so the task is begun: what user code does, from its imports on, is on its account.
   */
  #begin(bytes: Buffer, start: number, end: number): void {
    const seq = bytes.readUInt32LE(start)
    const now = performance.now()
    if (now - this.#lastFlush > flushAfter) this.#flush(now)
    const flags = bytes.readUInt16LE(start + 14)
    const revocable = (flags & is.REVOCABLE) !== 0
    if (this.#cancelled.delete(seq) || !this.#ledger.begin(seq, this.#channel.unflushed, now, revocable))
      return this.#replies.skipped(seq)

    const id = bytes.readUInt32LE(start + 4)
    const task = new Running(seq, id, bytes.readUInt16LE(start + 12), flags, now)
    this.#running.add(task)
    if ((flags & is.ANNOUNCE) !== 0) {
      this.#replies.begun(seq)
      this.#flush(now)
    }
    const image = this.#images.get(bytes.readUInt32LE(start + 8))
    try {
      const ready =
        (image instanceof Buffer && (flags & is.TOGETHER) === 0
          ? this.#reviver.prepare(image, 0, image.length)
          : undefined) ?? this.#reviver.prepare(bytes, start + is.taskHead, end)
      if (ready !== undefined) return void this.#callWhen(ready, task, keep(bytes, start, end))
    } catch (error) {
      return this.#fail(task, error)
    }
    this.#call(task, bytes, start, end)
  }

  async #callWhen(ready: Promise<void>, task: Running, record: TaskRecord): Promise<void> {
    const [bytes, start, end] = record
    try {
      await this.#imported(ready)
      await this.#imported(this.#reviver.prepare(bytes, start + is.taskHead, end))
    } catch (error) {
      this.#fail(task, error)
      return this.#next()
    }
    this.#call(task, ...record)
    this.#next()
  }

  /** Where tasks overlap, another one may well start processes meanwhile. */
  #imported(modules: Promise<void> | undefined): Promise<void> | undefined {
    return this.#concurrency === 1 ? whileImporting(modules) : modules
  }

  /** Makes no function itself: few tasks need one. */
  #call(task: Running, bytes: Buffer, start: number, end: number): void {
    let value: unknown
    try {
      const together = (task.flags & is.TOGETHER) !== 0
      const image = together ? undefined : this.#function(bytes.readUInt32LE(start + 8))
      const args = this.#reviver.revive(bytes, start + is.taskHead, end) as unknown[]
      const fn = image ?? (args.shift() as Call)
      if (this.#concurrency === 1) {
        setTask(task)
        value = callTask(task, fn, args)
      } else value = this.#callBeside(task, fn, args)
      if (isThenable(value)) return this.#settleLater(task, value)
    } catch (error) {
      return this.#fail(task, error)
    }
    this.#reply(task, this.#replies.result(task, value))
  }

  #callBeside(task: Running, fn: Call, args: unknown[]): unknown {
    return runAsTask(task, () => callTask(task, fn, args))
  }

  #settleLater(task: Running, value: PromiseLike<unknown>): void {
    Promise.resolve(value).then(
      (result) => {
        this.#reply(task, this.#replies.result(task, result))
        this.#next()
      },
      (error: unknown) => {
        this.#fail(task, error)
        this.#next()
      },
    )
  }

  #fail(task: Running, error: unknown): void {
    this.#reply(task, this.#replies.failure(task, error))
  }

  /** The task ends with its reply; where that waits for code to be loaded, so does the task. */
  #reply(task: Running, sent: Promise<void> | undefined): void {
    if (sent === undefined) this.#ended(task)
    else void this.#endWhen(sent, task)
  }

  async #endWhen(sent: Promise<void>, task: Running): Promise<void> {
    await sent
    this.#ended(task)
    this.#next()
  }

  #ended(task: Running): void {
    this.#running.delete(task)
    if (this.#concurrency === 1) setTask(null)
    closeUnused()
    if (this.#leaving) this.#leaveIfDone()
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#mayBegin()) this.#begin(...this.#waiting.shift()!)
    if (this.#leaving) this.#leaveIfDone()
  }

  #function(id: number): Call {
    const image = this.#images.get(id)
    if (!(image instanceof Buffer)) return image as Call
    const fn = this.#reviver.revive(image, 0, image.length) as Call
    this.#images.set(id, fn)
    return fn
  }

  #cancel(seq: number, why: number): void {
    const task = this.#running.get(seq)
    if (task !== undefined) return task.stop(why)
    if (this.#waiting.some(([bytes, start]) => bytes.readUInt32LE(start) === seq)) this.#cancelled.add(seq)
  }

  #flush(now: number): void {
    this.#lastFlush = now
    this.#channel.flush()
  }

  #leaveIfDone(): void {
    if (this.#running.size > 0 || this.#waiting.length > 0) return
    this.#exit(0)
  }

  #exit(code: number): void {
    this.#channel.flush()
    if (this.#channel.buffered === 0) process.exit(code)
    this.#channel.onDrain = () => process.exit(code)
  }
}

/** A channel uses the memory of a record again; one that waits is copied. */
function keep(bytes: Buffer, start: number, end: number): TaskRecord {
  return [Buffer.from(bytes.subarray(start, end)), 0, end - start]
}

let role: PoolRole

/** Called by worker/body.ts. */
export function start(channel: Channel, bytes: Buffer, from: number, end: number, ledger: Ledger): void {
  process.on('uncaughtException', (error) => role.crash(error))
  // Ctrl-C reaches the whole process group: the parent decides, and its end is the end of its workers.
  process.on('SIGINT', () => {})
  // What has ended beside a task that calls process.exit() is not lost with it.
  process.on('exit', () => role.flush())
  role = new PoolRole(channel, decode(bytes, from, end) as Setup, ledger)
}

export const receive: Receive = (kind, bytes, start, end) => role.receive(kind, bytes, start, end)
