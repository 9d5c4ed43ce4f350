/**
 * Framed records over a duplex byte stream: the socketpair on descriptor 3 that joins a parent and its child.
 * Both ends use this one class. Output is batched: one write for all that is committed in a tick. It never
 * interprets a payload. The form of a record is in records.ts.
 */
import { AsyncResource } from 'node:async_hooks'
import { readSync } from 'node:fs'
import type { Socket } from 'node:net'
import { Writer } from '../codec/writer.ts'
import { SerializationError } from '../core/errors.ts'
import { flushBytes, maxRecordBytes } from '../core/limits.ts'
import { headBytes, mark, type Receive, RecordReader } from './records.ts'

export type { Receive } from './records.ts'

/** Output memory that is kept for the next tick; a larger one is given back once it is written. */
const keptBytes = 4 * flushBytes
/** Read at once, where it is not the event loop that reads. */
const readBytes = 64 * 1024
let scratch: Buffer | undefined

/** Records in `bytes[0 … size)`. Where `flushes` is what it was, they have only become more. */
export interface Unflushed {
  readonly bytes: Buffer
  readonly size: number
  readonly flushes: number
}

export class Channel {
  /** The stream did not end, it was ended: what it said could not be read. */
  garbled = false
  /** Called when the kernel has taken all output, after a time in which it had not. */
  onDrain: (() => void) | undefined = undefined

  readonly #socket: Socket
  readonly #records: RecordReader
  readonly #onEnd: (error?: Error) => void
  #ended = false

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
  /** Arrived in this turn and not delivered yet. */
  readonly #drawn: Buffer[] = []
  #writes = 0
  #clogged = false

  /** `onEnd` is called exactly once, after the last whole record was delivered. */
  constructor(socket: Socket, receive: Receive, onEnd: (error?: Error) => void) {
    this.#socket = socket
    this.#records = new RecordReader(receive)
    this.#onEnd = onEnd
    socket.on('data', this.#data)
    socket.on('end', this.#finish)
    socket.on('close', this.#finish)
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A peer that died shows as an end, a reset or a broken pipe, by nothing but timing.
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') this.#finish()
      else this.#end(error)
    })
  }

  // ── output ──

  /** Begins a record: write the payload at `writer.pos`, then commit() or abandon(). */
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

  /** Ends the open record; it leaves at the end of the tick, or at once where much is waiting. */
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

  /** Drops the open record: its encoding threw. */
  abandon(): void {
    if (this.#open < 0) return
    this.#writer.pos = this.#open
    this.#leave()
  }

  /** Writes what is committed. Below `flushBytes` it waits until the kernel has taken the write before it. */
  flush(): void {
    const writer = this.#writer
    if (this.#open >= 0 || writer.pos === 0) return
    const socket = this.#socket
    if (socket.writableLength > 0 && writer.pos < flushBytes) return
    this.#unflushed.flushes++
    if (this.#ended || !socket.writable) {
      writer.pos = 0
      return
    }
    this.#writes++
    socket.write(writer.bytes.subarray(0, writer.pos), this.#written)
    writer.pos = 0
    if (socket.writableLength > 0) {
      this.#clogged = true
      writer.bytes = Buffer.allocUnsafeSlow(keptBytes) // the kernel still reads the old one
    } else if (writer.bytes.length > keptBytes) writer.bytes = Buffer.allocUnsafeSlow(keptBytes)
  }

  /** What is committed and not yet written; valid until the next open or flush. */
  get unflushed(): Unflushed {
    this.#unflushed.bytes = this.#writer.bytes
    this.#unflushed.size = this.#open >= 0 ? 0 : this.#writer.pos
    return this.#unflushed
  }

  /** The kernel has not taken all that was written: the other end does not read. */
  get stuck(): boolean {
    return this.#socket.writableLength > 0
  }

  /** Bytes that the kernel has not taken yet. */
  get buffered(): number {
    return this.#writer.pos + this.#socket.writableLength
  }

  /** Flushes, then ends the writing side; the other end reads all of it, then its end. */
  close(): void {
    const writer = this.#writer
    if (writer.pos > 0 && this.#open < 0) {
      this.#socket.end(writer.bytes.subarray(0, writer.pos))
      this.#writer = new Writer(headBytes)
    } else this.#socket.end()
  }

  /** Drops everything; `onEnd` follows. */
  destroy(): void {
    this.#records.stop()
    this.#socket.destroy()
  }

  /** Does this channel keep the event loop alive? At first it does. */
  ref(): void {
    this.#socket.ref()
  }

  unref(): void {
    this.#socket.unref()
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

  readonly #written = (error?: Error | null): void => {
    this.#writes--
    if (error) return this.#rescue()
    if (this.#writes > 0) return
    this.flush()
    if (!this.#clogged || this.buffered > 0) return
    this.#clogged = false
    this.onDrain?.()
  }

  // ── input ──

  /**
   * Takes in what has arrived, and delivers it when this turn is over: while a turn is long, the other end
   * can go on writing.
   */
  draw(): void {
    for (let chunk = this.#read(); chunk !== undefined; chunk = this.#read()) {
      if (this.#drawn.length === 0) process.nextTick(this.#deliver)
      this.#drawn.push(Buffer.from(chunk))
      if (chunk.length < readBytes) return
    }
  }

  readonly #data = (chunk: Buffer): void => {
    this.#deliver()
    this.#take(chunk)
  }

  /** Whoever made this channel is whom what it delivers belongs to, not who happened to draw. */
  readonly #deliver = AsyncResource.bind((): void => {
    if (this.#drawn.length > 0) for (const chunk of this.#drawn.splice(0)) this.#take(chunk)
  })

  #take(chunk: Buffer): void {
    try {
      this.#records.take(chunk)
    } catch (error) {
      this.garbled = true
      this.#end(error instanceof Error ? error : new Error('a record was refused', { cause: error }))
    }
  }

  /** What the kernel holds, in memory that the next one overwrites; undefined where there is nothing. */
  #read(): Buffer | undefined {
    const fd = (this.#socket as { _handle?: { fd?: number } | null })._handle?.fd
    if (fd === undefined || fd < 0 || this.#ended) return undefined
    scratch ??= Buffer.allocUnsafeSlow(readBytes)
    try {
      const n = readSync(fd, scratch)
      return n === 0 ? undefined : scratch.subarray(0, n)
    } catch {
      return undefined // EAGAIN, ECONNRESET: an event will tell
    }
  }

  /** A write failed because the peer is gone. What it had sent is still in the kernel; Node would drop it. */
  #rescue(): void {
    for (let chunk = this.#read(); chunk !== undefined; chunk = this.#read()) this.#data(Buffer.from(chunk))
  }

  readonly #finish = (): void => {
    this.#deliver()
    this.#end(this.#records.torn)
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.destroy()
    this.#onEnd(error)
  }
}
