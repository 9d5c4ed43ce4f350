/**
 * A channel over two rings in the region, beside a control channel (a stream, a port) that was there first.
 * It begins on the control channel, so that a worker can boot without memory, and each side goes over to its
 * ring by itself: `sendByRing` says so in the last record that it sends over the control channel, and whoever
 * reads that record calls `receiveByRing`. So no record is overtaken. From then on the control channel
 * carries no records but large ones between threads; its end is still the end of the other side, and the
 * ring is then read to its last committed record. Used by pool/; who the two sides are is told by link.ts.
 *
 * The bell is rung once for all that was committed in a tick, and only where the other side sleeps.
 */
import { outside } from '../core/context.ts'
import { onRing, ring } from '../memory/bell.ts'
import type { Writer } from '../codec/writer.ts'
import type { Channel, Receive, Unflushed, Way } from './channel.ts'
import { Input } from './input.ts'
import type { LinkEnds } from './link.ts'
import { RecordReader } from './records.ts'
import { handedOver, RingOutput } from './ring-output.ts'

const nothing: Unflushed = { bytes: Buffer.alloc(0), size: 0, flushes: 0 }

export class RingChannel implements Channel {
  onDrain: (() => void) | undefined = undefined
  readonly #control: Channel
  readonly #input: Input
  #ends: LinkEnds | undefined
  #kind = 0
  #output: RingOutput | undefined
  #receives = false
  /** A piece of the ring is being delivered. */
  #taking = false
  /** Something was committed since the bell was rung last. */
  #silent = false
  #scheduled = false
  #deafen: (() => void) | undefined

  /** What the control channel delivers is its owner's to deliver; `fail` hears what is wrong with a ring. */
  constructor(control: Channel, receive: Receive, fail: (error: Error) => void) {
    this.#control = control
    this.#input = new Input(control.beside === null ? receive : handing(control.beside, receive), fail)
    control.onDrain = () => this.onDrain?.()
  }

  /** The last record over the control channel is of this kind: what follows goes through the ring. */
  sendByRing(ends: LinkEnds, kind: number): void {
    if (this.#output !== undefined) return
    this.#join(ends) // first: where the system has no bell for it, all stays as it was
    this.#kind = kind
    this.#tellOver()
    this.#output = new RingOutput(ends.writer, this.beside)
  }

  /**
   * The other side has sent its last record over the control channel. It sends it again where it cannot reach
   * the bell of this side.
   */
  receiveByRing(ends: LinkEnds): void {
    this.#join(ends)
    this.#receives = true
    this.#rung()
  }

  /** The other side is gone, and all that it sent was taken. */
  leave(): void {
    this.#deafen?.()
    this.#input.stop()
    this.#receives = false
    // Its memory is soon another's: what is still said here goes where the control channel leads, nowhere.
    this.#output = undefined
    this.#silent = false
  }

  // ── output ──

  open(kind: number): Writer {
    return (this.#output ?? this.#control).open(kind)
  }

  commit(): void {
    if (this.#output === undefined) return this.#control.commit()
    this.#output.commit()
    this.#silent = true
    if (this.#scheduled) return
    this.#scheduled = true
    process.nextTick(this.#tick)
  }

  abandon(): void {
    ;(this.#output ?? this.#control).abandon()
  }

  /** All that is committed is in the ring, or beside it until there is room: what is left is the bell. */
  flush(): void {
    if (this.#output === undefined) return this.#control.flush()
    if (!this.#silent) return
    this.#silent = false
    this.#ring()
  }

  get unflushed(): Unflushed {
    return this.#output === undefined ? this.#control.unflushed : nothing
  }

  get stuck(): boolean {
    return (this.#output !== undefined && this.#output.overflow > 0) || this.#control.stuck
  }

  get buffered(): number {
    return (this.#output?.overflow ?? 0) + this.#control.buffered
  }

  #ring(): void {
    if (!ring(this.#ends!.peer())) this.#tellOver()
  }

  #tellOver(): void {
    this.#control.open(this.#kind)
    this.#control.commit()
    this.#control.flush()
  }

  readonly #tick = (): void => {
    this.#scheduled = false
    this.flush()
  }

  #drain(output: RingOutput): void {
    const drained = output.drain()
    this.#silent = true
    this.flush()
    if (drained) this.onDrain?.()
  }

  // ── input ──

  /** Delivers what has arrived by now; true where there was something. */
  take(): boolean {
    if (!this.#receives || this.#taking) return false
    const { reader } = this.#ends!
    reader.look() // once: where the other side goes on and on, the event loop has its turn in between
    let found = false
    for (let piece = reader.read(); piece !== undefined; piece = reader.read()) {
      found = true
      this.#deliver(piece)
      if (reader.release()) this.#ring()
    }
    return found
  }

  #deliver(piece: Buffer): void {
    this.#taking = true
    try {
      this.#input.take(piece)
    } finally {
      this.#taking = false
    }
  }

  draw(): void {
    if (!this.#receives) return this.#control.draw()
    const { reader } = this.#ends!
    reader.look()
    for (let piece = reader.read(); piece !== undefined; piece = reader.read())
      this.#input.draw(Buffer.from(piece))
    // Within a delivery the piece that is being delivered is not done with.
    if (!this.#taking && reader.release()) this.#ring()
  }

  get garbled(): boolean {
    return this.#input.garbled || this.#control.garbled
  }

  readonly #rung = (): boolean => {
    if (this.#output !== undefined && this.#output.overflow > 0) this.#drain(this.#output)
    return this.take()
  }

  #join(ends: LinkEnds): void {
    this.#ends ??= ends
    this.#deafen ??= outside(() => onRing(this.#rung))
  }

  // ── the rest is the control channel's ──

  /** What is read from a ring asks for it where it is not here yet: see codec/shared-buffers.ts. */
  get beside(): Way | null {
    return this.#control.beside
  }

  close(): void {
    this.flush()
    this.#control.close()
  }

  destroy(): void {
    this.leave()
    this.#control.destroy()
  }

  ref(): void {
    this.#control.ref()
  }

  unref(): void {
    this.#control.unref()
  }
}

/** Delivers what was handed over beside the ring where the ring says so. */
function handing(way: Way, receive: Receive): Receive {
  const records = new RecordReader(receive)
  return (kind, bytes, start, end) => {
    if (kind !== handedOver) return receive(kind, bytes, start, end)
    const record = way.handed()
    if (record === undefined) throw new Error('a record that was to come beside the ring has not come')
    records.take(record)
  }
}
