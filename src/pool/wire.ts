/**
 * What joins a pool and one of its workers: the channel, the ledger, and where there is memory that both see,
 * the link in it. Over the link a record costs no system call and the ledger one store; without it all goes
 * over the control channel, and the ledger is a file, or memory of a thread. Used by PoolWorker, which alone
 * knows what is said.
 */
import type { Channel, Receive } from '../transport/channel.ts'
import { Link } from '../transport/link.ts'
import { RecordReader } from '../transport/records.ts'
import { RingChannel } from '../transport/ring-channel.ts'
import type { Body } from './bodies.ts'
import { LinkLedger } from './ledger-link.ts'
import type { Ledger } from './ledger.ts'
import { RINGS } from './protocol.ts'

export class Wire {
  readonly ledger: Ledger
  readonly #link: Link | undefined
  #channel: RingChannel | undefined

  constructor(body: Body) {
    if (body.links()) {
      this.#link = Link.make()
      this.ledger = new LinkLedger(this.#link.ledger)
    } else this.ledger = body.openLedger()
  }

  /** What the worker is told; 0 where there is no link. */
  get address(): number {
    return this.#link?.address ?? 0
  }

  /** The worker is there: `control` joins them already. `fail` hears that what it says cannot be read. */
  connect(control: Channel, receive: Receive, fail: (error: Error) => void): Channel {
    return (this.#channel = new RingChannel(control, receive, fail))
  }

  /** The worker has opened the memory and goes through it: so does the pool. */
  goOver(): void {
    const ends = this.#link!.parentEnds()
    this.#channel!.sendByRing(ends, RINGS)
    this.#channel!.receiveByRing(ends)
  }

  /**
   * What the worker has done and no event has told yet: in the ring, and before there is one in the ledger,
   * for `known`. What arrived on the control channel as well, or will, may be told again.
   */
  take(known: Receive): void {
    this.#channel?.take()
    new RecordReader(known).take(this.ledger.unflushed())
  }

  /** The worker has ended, or was never there. */
  close(): void {
    this.#channel?.leave()
    this.ledger.close()
    this.#link?.close()
  }
}
