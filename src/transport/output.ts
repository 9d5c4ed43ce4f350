/**
 * The writing half of a channel whose carrier takes bytes in pieces: frames records one behind the other in
 * memory, and has them sent once in a tick. stream.ts and port.ts are made of it; how a piece is sent is
 * theirs.
 */
import { Writer } from '../codec/writer.ts'
import { SerializationError } from '../core/errors.ts'
import { flushBytes, maxRecordBytes } from '../core/limits.ts'
import type { Unflushed } from './channel.ts'
import { headBytes, mark } from './records.ts'

/** Output memory that is kept for the next tick; a larger one is given back once it is written. */
const keptBytes = 4 * flushBytes

export abstract class Output {
  onDrain: (() => void) | undefined = undefined

  #writer = new Writer(keptBytes)
  /** One for all who ask: a worker asks before each task. */
  readonly #unflushed = { bytes: this.#writer.bytes, size: 0, flushes: 0 }
  /** Where the open record begins; -1 where none is open. */
  #open = -1
  /**
   * Records that were open when another was opened (a reducer that submits), and what was committed
   * meanwhile.
   */
  readonly #outer: { writer: Writer; open: number }[] = []
  readonly #late: Buffer[] = []
  #scheduled = false

  abstract flush(): void

  open(kind: number): Writer {
    if (this.#open >= 0) {
      this.#outer.push({ writer: this.#writer, open: this.#open })
      this.#writer = new Writer(1024)
    }
    const writer = this.#writer
    writer.reserve(headBytes)
    this.#open = writer.pos
    writer.bytes.writeUInt32LE((mark | kind) >>> 0, writer.pos + 4)
    writer.pos += headBytes
    return writer
  }

  commit(): void {
    const writer = this.#writer
    const length = writer.pos - this.#open - headBytes
    if (length > maxRecordBytes) {
      this.abandon()
      throw new SerializationError(
        `a message of ${length} bytes is too large: the limit is ${maxRecordBytes}`,
        {
          hint: 'send it in parts, or through a file',
        },
      )
    }
    writer.bytes.writeUInt32LE(length, this.#open)
    if (this.#outer.length > 0) this.#late.push(writer.bytes.subarray(this.#open, writer.pos))
    this.#leave()
  }

  abandon(): void {
    if (this.#open < 0) return
    this.#writer.pos = this.#open
    this.#leave()
  }

  get unflushed(): Unflushed {
    this.#unflushed.bytes = this.#writer.bytes
    this.#unflushed.size = this.waiting
    return this.#unflushed
  }

  /** Bytes of whole records that could be sent now: none while a record is open. */
  protected get waiting(): number {
    return this.#open >= 0 ? 0 : this.#writer.pos
  }

  /** All bytes that were not taken out, those of the open record included. */
  protected get written(): number {
    return this.#writer.pos
  }

  /** Hands out what waits, to be sent; its memory is used again unless keep() is called. */
  protected take(): Buffer {
    const writer = this.#writer
    const piece = writer.bytes.subarray(0, writer.pos)
    this.#unflushed.flushes++
    writer.pos = 0
    return piece
  }

  /** The piece that was taken is still read from: what comes next goes elsewhere. */
  protected keep(): void {
    this.#writer.bytes = Buffer.allocUnsafeSlow(keptBytes)
  }

  /** The piece that was taken is done with. */
  protected shrink(): void {
    if (this.#writer.bytes.length > keptBytes) this.keep()
  }

  /** The open record is done: back to the one around it, or on the way with what was committed meanwhile. */
  #leave(): void {
    const outer = this.#outer.pop()
    if (outer !== undefined) {
      this.#writer = outer.writer
      this.#open = outer.open
      return
    }
    this.#open = -1
    const writer = this.#writer
    if (this.#late.length > 0)
      for (const late of this.#late.splice(0)) {
        writer.reserve(late.length)
        writer.pos += late.copy(writer.bytes, writer.pos)
      }
    if (writer.pos >= flushBytes) this.flush()
    else if (!this.#scheduled && writer.pos > 0) {
      this.#scheduled = true
      process.nextTick(this.#tick)
    }
  }

  readonly #tick = (): void => {
    this.#scheduled = false
    this.flush()
  }
}
