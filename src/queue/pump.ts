/**
 * The asynchronous requests of this thread at one end of a channel, done in the order in which they came. All
 * stand in line as one waiter: a thousand pending get()s are one node, and none overtakes another.
 */
import { reasonOf } from '../core/abort.ts'
import { rejectWithCallers } from '../core/callers.ts'
import { outside } from '../core/context.ts'
import { abortedOf, onStop, stopsOf } from '../core/stops.ts'
import { turnUnderWay } from '../core/turn.ts'
import { startTimer, type WaitOptions } from '../core/waiting.ts'
import { park, type Wait } from '../memory/park.ts'
import type { Channel, GETTERS, PUTTERS } from './channel.ts'

/** A request, whatever its promise is of. */
type AnyJob = Pick<Job<unknown>, 'attempt' | 'finish' | 'fail'>

/** One request. */
export abstract class Job<R> {
  #resolve!: (value: R) => void
  #reject!: (error: unknown) => void
  readonly promise: Promise<R>

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Under the guard: does what is asked for; false where it has to wait. Throws where it never can. */
  abstract attempt(node: number): boolean

  /**
   * After that: settles the promise. AGAIN: it was only looked at, and can be done now; a promise: when that
   * resolves.
   */
  abstract finish(): undefined | typeof AGAIN | Promise<void>

  /** It is done; not before those that were asked for earlier. */
  resolve(value: R): void {
    const turn = turnUnderWay()
    if (turn === undefined) this.#resolve(value)
    else void turn.then(() => this.#resolve(value))
  }

  /** It will not be done. */
  fail(error: unknown): void {
    rejectWithCallers(this.#resolve, this.#reject, error)
  }
}

export const AGAIN = Symbol('again')

export class Pump {
  readonly #channel: Channel
  readonly #line: typeof GETTERS | typeof PUTTERS
  /** The handle, which must not be collected while somebody waits. */
  readonly #owner: object
  readonly #check: (() => void) | undefined
  readonly #jobs = new Map<AnyJob, () => void>()
  #parked: AbortController | undefined
  #loading = false
  #serving = false
  /** How often a job was finished. */
  #finished = 0

  constructor(owner: object, channel: Channel, line: typeof GETTERS | typeof PUTTERS, check?: () => void) {
    this.#owner = owner
    this.#channel = channel
    this.#line = line
    this.#check = check
  }

  /** Somebody waits already: a new request must not overtake it. */
  get busy(): boolean {
    return this.#jobs.size > 0
  }

  /** Rejects with what `late` makes where the deadline passes. */
  add<R>(job: Job<R>, options: WaitOptions | undefined, late: () => unknown): Promise<R> {
    const timer = startTimer(options?.timeout, () => this.#drop(job, late()))
    const stops = stopsOf(options?.signal)
    const aborted = abortedOf(stops)
    if (aborted !== undefined) queueMicrotask(() => this.#drop(job, reasonOf(aborted)))
    const deafen = onStop(stops, (reason) => this.#drop(job, reason))
    this.#jobs.set(job, () => {
      clearTimeout(timer)
      deafen()
    })
    this.#start()
    return job.promise
  }

  /** All end with this error. */
  end(error: () => unknown): void {
    for (const job of Array.from(this.#jobs.keys())) this.#drop(job, error())
  }

  #drop(job: AnyJob, error: unknown): void {
    if (!this.#remove(job)) return
    job.fail(error)
    // Who is at work finds out by itself.
    if (this.#jobs.size === 0 && !this.#serving) this.#parked?.abort()
  }

  #remove(job: AnyJob): boolean {
    this.#jobs.get(job)?.()
    return this.#jobs.delete(job)
  }

  #start(): void {
    if (this.#parked !== undefined || this.#loading || this.#jobs.size === 0) return
    const parked = (this.#parked = new AbortController())
    const ended = (error?: unknown): void => {
      this.#parked = undefined
      if (error !== undefined && !parked.signal.aborted) this.end(() => error)
      this.#start()
    }
    outside(() => park(this.#wait, undefined, parked.signal)).then(() => ended(), ended)
  }

  readonly #wait: Wait<true> = {
    begin: (node, again) => this.#atWork(again ? node : 0, () => this.#channel.join(this.#line, node, again)),
    granted: (node) => {
      const before = this.#finished
      const over = this.#atWork(node, () => {})
      // Whoever it was for has given up meanwhile: it is the next one's.
      if (over === true && this.#finished === before && !this.#loading) this.#channel.nudge(this.#line)
      return over
    },
    cancel: (node, granted) => this.#channel.cancel(this.#line, node, granted),
    check: () => {
      void this.#owner
      this.#check?.()
      this.#channel.nudge(this.#line)
    },
  }

  #atWork(node: number, wait: () => void): true | undefined {
    this.#serving = true
    try {
      return this.#serve(node, wait)
    } finally {
      this.#serving = false
    }
  }

  /** Does what can be done; true where nothing is left to wait for, or something has to be loaded first. */
  #serve(node: number, wait: () => void): true | undefined {
    const channel = this.#channel
    for (const [job] of this.#jobs) {
      for (;;) {
        let done: boolean
        try {
          done = channel.locked(() => {
            const did = channel.arrive(this.#line, node, () => job.attempt(node))
            if (!did) wait()
            return did
          })
        } catch (error) {
          this.#drop(job, error)
          node = 0
          break
        }
        if (!done) return undefined
        node = 0
        this.#finished++
        const more = job.finish()
        if (more === undefined) {
          this.#remove(job)
          break
        }
        if (more === AGAIN) continue
        this.#load(more)
        return true
      }
    }
    return true
  }

  #load(ready: Promise<void>): void {
    this.#loading = true
    void ready.then(() => {
      this.#loading = false
      this.#start()
    })
  }
}
