/**
 * The writing half of a channel over a ring: encodes each record where it will be read, and commits it at
 * once, so that nothing of it is lost by a death a moment later. What does not fit (a large record, or any
 * where the ring is full) is written beside the ring and follows piece by piece; between threads a large one
 * changes hands instead. Rings no bell: that is ring-channel.ts's.
 */
import { Writer } from '../codec/writer.ts'
import { SerializationError } from '../core/errors.ts'
import { maxRecordBytes } from '../core/limits.ts'
import type { Way } from './channel.ts'
import { headBytes, mark } from './records.ts'
import type { RingWriterEnd } from './ring.ts'

/** Of the ring, at a time; so much is copied at most when a record turns out to be larger. */
const windowBytes = 16 * 1024
/** A window with less left than this is done with. */
const leastBytes = 64

/** Writes into the ring as long as the record fits there, then into memory of its own. */
class RecordWriter extends Writer {
  /** Where the open record begins. */
  start = 0
  /** It has left the ring. */
  own: boolean

  constructor(bytes: Buffer | number, own: boolean) {
    super(bytes)
    this.own = own
  }

  override reserve(n: number): void {
    const needed = this.pos + n
    if (needed <= this.bytes.length) return
    if (this.own) return super.reserve(n)
    // At the same offsets: an encoder remembers where it has to come back to.
    const own = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length))
    this.bytes.copy(own, this.start, this.start, this.pos)
    this.bytes = own
    this.own = true
  }
}

/**
 * Of this size and more a record goes as it is where the other side can be given its memory, and the ring
 * says only that it is its turn. A ring would take it in pieces, with a bell for each.
 */
const largeBytes = 64 * 1024
/** Kind of the record that says so: neither worker/ nor a role has it. */
export const handedOver = 0
const handedRecord = Buffer.alloc(headBytes)
handedRecord.writeUInt32LE((mark | handedOver) >>> 0, 4)

const nowhere = Buffer.alloc(0)

export class RingOutput {
  readonly #ring: RingWriterEnd
  readonly #way: Way | null
  #writer = new RecordWriter(nowhere, false)
  #isOpen = false
  /** Records that were open when another was opened, and what was committed meanwhile. */
  readonly #outer: RecordWriter[] = []
  readonly #late: Buffer[] = []
  /** Committed, and not in the ring yet. */
  readonly #overflow: Buffer[] = []
  /** Bytes of it: they would be lost with this side. */
  overflow = 0

  /** By `way`, where there is one, goes what is large. */
  constructor(ring: RingWriterEnd, way: Way | null = null) {
    this.#ring = ring
    this.#way = way
  }

  open(kind: number): Writer {
    if (this.#isOpen) {
      this.#outer.push(this.#writer)
      this.#writer = new RecordWriter(256, true)
    } else {
      this.#isOpen = true
      this.#place()
    }
    const writer = this.#writer
    writer.start = writer.pos
    writer.reserve(headBytes)
    writer.bytes.writeUInt32LE((mark | kind) >>> 0, writer.pos + 4)
    writer.pos += headBytes
    return writer
  }

  commit(): void {
    const writer = this.#writer
    const { start, pos, bytes } = writer
    const length = pos - start - headBytes
    if (length > maxRecordBytes) {
      this.abandon()
      throw new SerializationError(
        `a message of ${length} bytes is too large: the limit is ${maxRecordBytes}`,
        { hint: 'send it in parts, or through a file' },
      )
    }
    bytes.writeUInt32LE(length, start)
    if (this.#outer.length > 0) this.#late.push(bytes.subarray(start, pos))
    else if (writer.own) this.#append(bytes.subarray(start, pos))
    else this.#ring.advance(pos - start)
    this.#leave()
  }

  abandon(): void {
    if (!this.#isOpen) return
    this.#writer.pos = this.#writer.start
    this.#leave()
  }

  /** Moves into the ring what there is room for; false where some of it has to wait for the bell. */
  drain(): boolean {
    for (let first = this.#overflow[0]; first !== undefined; first = this.#overflow[0]) {
      const n = this.#ring.write(first)
      this.overflow -= n
      if (n === first.length) this.#overflow.shift()
      else {
        this.#overflow[0] = first.subarray(n)
        if (this.#ring.await()) return false
      }
    }
    return true
  }

  /** Where the next record is written: nothing may overtake what waits. */
  #place(): void {
    const writer = this.#writer
    if (this.overflow === 0) {
      if (!writer.own && writer.bytes.length - writer.pos >= leastBytes) return
      const window = this.#ring.window(windowBytes)
      if (window.length >= leastBytes) return this.#use(window, false)
    }
    this.#use(Buffer.allocUnsafeSlow(256), true)
  }

  #use(bytes: Buffer, own: boolean): void {
    const writer = this.#writer
    writer.bytes = bytes
    writer.pos = writer.start = 0
    writer.own = own
  }

  /** Bytes that have a memory of their own. */
  #append(record: Buffer): void {
    const hands = this.#way !== null && record.length >= largeBytes
    if (hands) this.#way.hand(record) // first: who reads that it comes finds it
    const bytes = hands ? handedRecord : record
    this.#overflow.push(bytes)
    this.overflow += bytes.length
    if (this.#overflow.length === 1) this.drain()
  }

  /** The open record is done: back to the one around it. */
  #leave(): void {
    const outer = this.#outer.pop()
    if (outer !== undefined) {
      this.#writer = outer
      return
    }
    this.#isOpen = false
    if (this.#late.length === 0) return
    for (const late of this.#late.splice(0)) this.#append(late)
    this.#use(nowhere, false) // the ring's head is elsewhere
  }
}
