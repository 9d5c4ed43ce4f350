/**
 * What can be asked of a channel asynchronously: to take a message, to put one, to say whether there is one.
 */
import type { Channel, Found } from './channel.ts'
import { GETTERS } from './channel.ts'
import { prepare, unpack, type Outgoing } from './message.ts'
import { AGAIN, Job } from './pump.ts'

/** Says why there is nothing to take, or no way to put: throws, or lets it wait. */
export type Refuse = (state: number) => void

export class GetJob<T> extends Job<T> {
  readonly #channel: Channel
  readonly #refuse: Refuse
  readonly #late: (() => Error) | undefined
  #found: Found | undefined
  /** Sequence number of the record for which everything was imported, or could not be. */
  #known: number | undefined
  #failure: unknown

  /** `late` is what it fails with where it would have to wait; without it, it waits. */
  constructor(channel: Channel, refuse: Refuse, late?: () => Error) {
    super()
    this.#channel = channel
    this.#refuse = refuse
    this.#late = late
  }

  attempt(node: number): boolean {
    this.#found = this.#channel.take(this.#refuse, this.#known, node)
    if (this.#found === undefined && this.#late !== undefined) throw this.#late()
    return this.#found !== undefined
  }

  finish(): undefined | typeof AGAIN | Promise<void> {
    const found = this.#found!
    if (!found.taken) {
      const ready = prepare(found, this.#channel)
      this.#failure = undefined
      this.#known = found.sequence
      return ready === undefined ? AGAIN : ready.catch((error: unknown) => void (this.#failure = error))
    }
    try {
      this.resolve(unpack(found) as T)
    } catch (error) {
      this.fail(this.#failure ?? error)
    }
    return undefined
  }
}

export class PutJob extends Job<void> {
  readonly #channel: Channel
  readonly #refuse: Refuse
  readonly #message: Outgoing

  constructor(channel: Channel, refuse: Refuse, message: Outgoing) {
    super()
    this.#channel = channel
    this.#refuse = refuse
    this.#message = message
  }

  attempt(node: number): boolean {
    return this.#channel.put(this.#message, this.#refuse, node)
  }

  finish(): undefined {
    this.#message.sent()
    this.resolve(undefined)
  }

  override fail(error: unknown): void {
    this.#message.drop()
    super.fail(error)
  }
}

/** Is there a message, or will there never be one? False past the deadline. */
export class LookJob extends Job<boolean> {
  /** What the deadline is told with. */
  static readonly late = Symbol('late')
  readonly #channel: Channel

  constructor(channel: Channel) {
    super()
    this.#channel = channel
  }

  attempt(): boolean {
    return this.#channel.readable()
  }

  finish(): undefined {
    this.resolve(true)
    // It took nothing: somebody else may.
    this.#channel.nudge(GETTERS)
  }
  override fail(error: unknown): void {
    if (error === LookJob.late) this.resolve(false)
    else super.fail(error)
  }
}
