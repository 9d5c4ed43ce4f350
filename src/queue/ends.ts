/**
 * What both ends of a channel have in common, in the three forms of waiting: Queue and Connection say in
 * their own words what is refused, and why.
 */
import { InvalidStateError } from '../core/errors.ts'
import { throwIfStopped } from '../core/stops.ts'
import { turnDue } from '../core/turn.ts'
import type { WaitOptions } from '../core/waiting.ts'
import { parkSync } from '../memory/park.ts'
import { GETTERS, PUTTERS, type Channel } from './channel.ts'
import { GetJob, PutJob, type Refuse } from './jobs.ts'
import { giveOutgoing, prepare, takeOutgoing, unpack, type Outgoing } from './message.ts'
import { Pump } from './pump.ts'

/** In the words of a Queue, or of a Connection. */
export interface Words {
  /** Throws where nothing more can come, or can be put. */
  readonly refuseGet: Refuse
  readonly refusePut: Refuse
  /** What a deadline that passed is. */
  lateGet(): Error
  latePut(): Error
  /** What is sent, in errors. */
  readonly what: string
  /** The asynchronous form of taking, for an error. */
  readonly verb: string
  /** Every slice of a wait: is who could end it still there? */
  readonly check?: () => void
}

/** Where messages are put. */
export class Sender {
  readonly #channel: Channel
  readonly #words: Words
  readonly #pump: Pump

  constructor(owner: object, channel: Channel, words: Words) {
    this.#channel = channel
    this.#words = words
    this.#pump = new Pump(owner, channel, PUTTERS, words.check)
  }

  put(value: unknown, options: WaitOptions | undefined): Promise<void> {
    try {
      throwIfStopped(options?.signal)
      const message = takeOutgoing().pack(value, this.#words.what)
      if (!this.#pump.busy && this.#now(message)) return turnDue() ?? done
      if (options?.timeout === 0) {
        settle(message, false)
        throw this.#words.latePut()
      }
      message.keep()
      const job = new PutJob(this.#channel, this.#words.refusePut, message)
      return this.#pump.add(job, options, () => this.#words.latePut())
    } catch (error) {
      return Promise.reject(error)
    }
  }

  putSync(value: unknown, options: WaitOptions | undefined): void {
    throwIfStopped(options?.signal)
    const { refusePut, what, latePut, check } = this.#words
    const message = takeOutgoing().pack(value, what)
    let put = false
    try {
      const channel = this.#channel
      put = channel.locked(() => channel.put(message, refusePut))
      if (put) return
      if (options?.timeout === 0) throw latePut()
      message.keep()
      const wait = channel.wait(
        PUTTERS,
        (node) => (channel.put(message, refusePut, node) ? true : undefined),
        check,
      )
      put = parkSync(wait, options?.timeout, options?.signal) === true
      if (!put) throw latePut()
    } finally {
      settle(message, put)
    }
  }

  putNowait(value: unknown): void {
    const message = takeOutgoing().pack(value, this.#words.what)
    if (this.#now(message)) return
    settle(message, false)
    throw this.#words.latePut()
  }

  end(error: () => unknown): void {
    this.#pump.end(error)
  }

  /** Where there is no room it is false, and the message is still to be put, or to be settled. */
  #now(message: Outgoing): boolean {
    const channel = this.#channel
    let put: boolean | undefined
    channel.enter()
    try {
      put = channel.put(message, this.#words.refusePut)
    } finally {
      channel.leave()
      if (put !== false) settle(message, put === true)
    }
    return put
  }
}

/** A message was put, or will not be. */
function settle(message: Outgoing, put: boolean): void {
  if (put) message.sent()
  else message.drop()
  giveOutgoing(message)
}

const done = Promise.resolve()

/** Where messages are taken. */
export class Receiver {
  readonly #channel: Channel
  readonly #words: Words
  readonly pump: Pump

  constructor(owner: object, channel: Channel, words: Words) {
    this.#channel = channel
    this.#words = words
    this.pump = new Pump(owner, channel, GETTERS, words.check)
  }

  get<T>(options: WaitOptions | undefined): Promise<T> {
    try {
      throwIfStopped(options?.signal)
      const channel = this.#channel
      let there = false
      if (!this.pump.busy) {
        channel.enter()
        let found
        try {
          found = channel.take(this.#words.refuseGet)
        } finally {
          channel.leave()
        }
        if (found?.taken === true) {
          const item = unpack(found) as T
          const turn = turnDue()
          return turn === undefined ? Promise.resolve(item) : turn.then(() => item)
        }
        there = found !== undefined
      }
      const { refuseGet, lateGet } = this.#words
      if (options?.timeout !== 0) return this.pump.add(new GetJob<T>(channel, refuseGet), options, lateGet)
      // What is there and has to be loaded first is no reason to be late; that it is gone by then is one.
      if (!there) throw lateGet()
      const job = new GetJob<T>(channel, refuseGet, lateGet)
      return this.pump.add(job, { signal: options.signal }, lateGet)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  getSync<T>(options: WaitOptions | undefined): T {
    throwIfStopped(options?.signal)
    const channel = this.#channel
    const { refuseGet, lateGet, check } = this.#words
    const deadline = options?.timeout === undefined ? Infinity : performance.now() + options.timeout
    for (let known: number | undefined; ;) {
      let found = channel.locked(() => channel.take(refuseGet, known))
      if (found === undefined) {
        const left = deadline - performance.now()
        if (left <= 0) throw lateGet()
        const wait = channel.wait(GETTERS, (node) => channel.take(refuseGet, known, node), check)
        found = parkSync(wait, left, options?.signal)
      }
      if (found === undefined) throw lateGet()
      if (found.taken) return unpack(found) as T
      const ready = prepare(found, channel)
      if (ready !== undefined) {
        ready.catch(() => {})
        channel.nudge(GETTERS)
        throw this.#mustAwait()
      }
      known = found.sequence
    }
  }

  #mustAwait(): InvalidStateError {
    const { what, verb } = this.#words
    return new InvalidStateError(
      `${what} needs modules that plait has not loaded here yet, even where the program itself imports ` +
        `them, and loading is asynchronous: await ${verb}(); ${verb}Sync() takes what needs the same ` +
        `modules from then on; ${what} is still there`,
    )
  }
}
