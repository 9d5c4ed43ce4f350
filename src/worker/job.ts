/**
 * What a Process and a Thread have in common: one function, called once in a worker, with its name, its
 * result and its life. The two public classes are names and meanings on top of it, and say in which body it
 * runs; what happens to a started one is in life.ts (here) and run.ts (there). A job belongs to the thread
 * that made it.
 */
import { capture } from '../closure/capture.ts'
import { homeId } from '../closure/tracker.ts'
import { ClosedError, InvalidStateError } from '../core/errors.ts'
import { checkArray, checkBoolean, checkFunction, checkString } from '../core/options.ts'
import { stopsOf, type Stops } from '../core/stops.ts'
import { untilStopped, waitFor, type WaitOptions } from '../core/waiting.ts'
import type { Exit, StartWorker } from './handle.ts'
import { defer, type Deferred, Life } from './life.ts'
import { self, type Work } from './self.ts'
import { selfWho } from './threads.ts'

export interface JobOptions {
  target: unknown
  args: readonly unknown[] | undefined
  name: string | undefined
  daemon: boolean | undefined
}

/** Throws what is wrong with them. */
export function checkJobOptions({ target, args, name, daemon }: JobOptions): void {
  if (target !== undefined) checkFunction(target, 'target')
  if (args !== undefined) checkArray(args, 'args')
  checkString(name, 'name')
  if (daemon !== undefined) checkBoolean(daemon, 'daemon')
}

/** Something with a run() of its own, or of the public class. */
interface Runnable {
  run(): unknown
}

export class Job {
  name: string
  daemon: boolean
  life: Life | null = null
  closed = false
  readonly #noun: string
  #work: Pick<Work, 'target' | 'args'>
  /** Another one after a start that failed. */
  #result: Deferred<unknown> = defer()
  /** Somebody looked at the result. */
  #awaited = false
  /** For who looks where something ends the waits. */
  #stoppable: { of: Promise<unknown>; stops: Stops; promise: Promise<unknown> } | undefined
  /** The last start threw. */
  #failed = false

  /** `noun` is the class that users know. */
  constructor(noun: string, name: string, daemon: boolean, { target, args }: JobOptions) {
    this.#noun = noun
    this.name = name
    this.daemon = daemon
    this.#work = { target: target as Work['target'], args: args === undefined ? [] : [...args] }
  }

  get work(): Pick<Work, 'target' | 'args'> {
    return this.#work
  }

  get running(): boolean {
    return this.life !== null && this.life.handle.exit === null
  }

  /** What it is doing, as Python shows it. */
  get status(): string {
    return this.closed ? 'closed' : this.life === null ? 'initial' : this.running ? 'started' : 'stopped'
  }

  /**
   * Captures now, and starts; where it throws, nothing runs, and it may be tried again. `inherited` is the
   * run() of the public class, which calls the target: another one is captured with its instance.
   */
  start(of: Runnable, inherited: unknown, startWorker: StartWorker): Life {
    if (this.life !== null)
      throw new InvalidStateError(`${this.name} was started already: make a new ${this.#noun}`)
    if (this.#failed) {
      this.#failed = false
      this.#awaited = false
      this.#result = defer()
    }
    try {
      const own = of.run !== inherited
      const work: Work = { ...this.#work, home: homeId, this: own ? of : undefined }
      const payload = capture(work, {
        what: own ? this.name : `the target of ${this.name}`,
        inside: this.#noun === 'Thread',
      })
      this.life = new Life(startWorker, this, payload, this.#result)
    } catch (error) {
      this.#failed = true
      this.#result.reject(error)
      throw error
    }
    this.#work = { target: undefined, args: [] } // what has left need not be kept
    if (this.#awaited) this.#stay()
    return this.life
  }

  /** @throws {InvalidStateError} before start(). */
  started(): Life {
    if (this.life === null)
      throw new InvalidStateError(`${this.name} was not started yet: call start() first`)
    return this.life
  }

  /** Waits for the end; null where the timeout came first. */
  async join(options: WaitOptions | undefined): Promise<Exit | null> {
    const life = this.started()
    return await life.wait(
      this.daemon,
      waitFor(life.ended, options, () => null, life.over),
    )
  }

  /** Calls `ready` at the end; answers how to take that back, or nothing where it has ended. */
  whenEnded(ready: () => void): (() => void) | undefined {
    const life = this.started()
    return life.over ? undefined : life.watch(this.daemon, ready)
  }

  result(): Promise<unknown> {
    if (!this.#awaited && this.life !== null) this.#stay()
    this.#awaited = true
    return this.#untilStopped()
  }

  /** The same promise, unless something ends the waits here; then one for all who look here. */
  #untilStopped(): Promise<unknown> {
    const { promise } = this.#result
    const stops = stopsOf(undefined)
    if (stops.length === 0) return promise
    const last = this.#stoppable
    if (last?.of === promise && last.stops.every((stop, i) => stop === stops[i])) return last.promise
    const stoppable = untilStopped(promise)
    stoppable.catch(() => {})
    this.#stoppable = { of: promise, stops, promise: stoppable }
    return stoppable
  }

  /** Before its start there is nothing to set right. */
  setDaemon(value: boolean): void {
    checkBoolean(value, 'daemon')
    if (this.life !== null)
      throw new InvalidStateError(`daemon of ${this.name} can be set before start() only`)
    this.daemon = value
  }

  close(): void {
    if (this.running)
      throw new InvalidStateError(`${this.name} is still running: join() or terminate() it before close()`)
    this.closed = true
    if (this.life === null) this.#result.reject(new ClosedError(`${this.name} was closed before its start`))
  }

  /** Ends a daemon, waits for any other. */
  async dispose(): Promise<void> {
    const { life, daemon } = this
    if (life === null) return
    if (daemon) life.handle.kill('SIGTERM')
    await life.wait(daemon, life.ended)
  }

  /** While somebody waits for the result of a daemon, it keeps the event loop alive. */
  #stay(): void {
    this.life!.wait(this.daemon, this.#result.promise).catch(() => {})
  }
}

/** Outside of the instances, whose own fields are the subclass's alone and travel. */
const jobs = new WeakMap<object, Job>()

export function setJob(of: object, job: Job): void {
  jobs.set(of, job)
}

/** undefined where the object was made elsewhere. */
export function findJob(of: object): Job | undefined {
  return jobs.get(of)
}

/** The job of a Process or Thread that was made here. */
export function jobOf(of: object, noun: string): Job {
  const job = jobs.get(of)
  const { name } = of.constructor
  if (job === undefined)
    throw new InvalidStateError(
      `this ${name === noun ? noun : `${noun} (${name})`} was not made by ${selfWho()}: ` +
        'who made it alone starts, joins and ends it',
    )
  return job
}

/** In the worker: whether this is the object whose run() it runs. */
export function isSelf(object: object): boolean {
  return self.work?.this === object
}

/** Target and arguments, here and in the worker. */
export function workOf(object: object, noun: string): Pick<Work, 'target' | 'args'> {
  return self.work !== null && isSelf(object) ? self.work : jobOf(object, noun).work
}
