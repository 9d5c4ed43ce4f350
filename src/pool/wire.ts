/**
 * What joins a pool and one of its workers: the channel, the ledger, and where there is memory that both see,
 * the link in it. Over the link a record costs no system call and the ledger one store; without it all goes
 * over the control channel, and the ledger is a file, or memory of a thread. Used by PoolWorker, which alone
 * knows what is said.
 */
import { log } from '../core/log.ts'
import { textOf } from '../core/text.ts'
import { openBell } from '../memory/bell.ts'
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
    this.#link = body.links() ? makeLink() : undefined
    this.ledger = this.#link === undefined ? body.openLedger() : new LinkLedger(this.#link.ledger)
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

/** Undefined where no memory is left for it, or no descriptor: a pool needs none. */
function makeLink(): Link | undefined {
  try {
    openBell() // now: when the worker goes over it is too late to find that no descriptor is left
    return Link.make()
  } catch (error) {
    log(`a worker shares no memory with its pool: ${textOf(error)}`)
    return undefined
  }
}
