/**
 * One end of a way for records between a parent and its worker, whatever carries them: a byte stream
 * (stream.ts) or a message port (port.ts). All that worker/ and pool/ know of a transport. A channel delivers
 * records in the order in which they were committed, each once, and never interprets a payload. What is
 * committed in one tick leaves together, at its end.
 */
import type { Beside } from '../codec/shared-buffers.ts'
import type { Writer } from '../codec/writer.ts'

/** Takes one whole record: `bytes[start … end)`, valid only during the call. A throw ends the channel. */
export type Receive = (kind: number, bytes: Buffer, start: number, end: number) => void

/** Records in `bytes[0 … size)`. Where `flushes` is what it was, they have only become more. */
export interface Unflushed {
  readonly bytes: Buffer
  readonly size: number
  readonly flushes: number
}

/** The way beside the records, where the other end is a thread. */
export interface Way extends Beside {
  /** Gives a record, with its memory, to the other side, which takes it when a ring says so. */
  hand(record: Buffer): void
  /** The next of them that was handed over; undefined where none is here. */
  handed(): Buffer | undefined
}

/**
 * Made with a Receive and with an `onEnd(error?)`, which is called exactly once, after the last whole record
 * was delivered: with an error where the end is not one that the other side has made.
 */
export interface Channel {
  /** Begins a record: write the payload at `writer.pos`, then commit() or abandon(). */
  open(kind: number): Writer
  /** Ends the open record; it leaves at the end of the tick, or at once where much is waiting. */
  commit(): void
  /** Drops the open record: its encoding threw. */
  abandon(): void
  /** Sends what is committed now. A carrier that has not taken what was sent before may put it off. */
  flush(): void

  /** What is committed and has not left yet; valid until the next open or flush. */
  readonly unflushed: Unflushed
  /** The carrier has not taken all that was sent: the other end does not read. */
  readonly stuck: boolean
  /** Bytes that would be lost if this side died now. */
  readonly buffered: number
  /** Called when the carrier has taken all output, after a time in which it had not. */
  onDrain: (() => void) | undefined

  /**
   * Takes in what has arrived, and delivers it when this turn is over: while a turn is long, the other end
   * can go on writing.
   */
  draw(): void
  /** It did not end, it was ended: what it said could not be read. */
  readonly garbled: boolean

  /** What goes by it is there before any record that is committed later; null where there is none. */
  readonly beside: Way | null

  /** Flushes, then ends the writing side; the other end reads all of it, then its end. */
  close(): void
  /** Drops everything; `onEnd` follows. */
  destroy(): void
  /** Does this channel keep the event loop alive? At first it does. */
  ref(): void
  unref(): void
}

/** One record of bytes that are there already. */
export function sendBytes(channel: Channel, kind: number, bytes: Uint8Array): void {
  channel.open(kind).append(bytes)
  channel.commit()
}
