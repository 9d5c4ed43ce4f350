/**
 * A channel over a duplex byte stream: the socketpair on descriptor 3 that joins a parent and its child. Both
 * ends use this one class. One write for all that is committed in a tick. The form of a record is in
 * records.ts.
 */
import { readSync } from 'node:fs'
import type { Socket } from 'node:net'
import { flushBytes } from '../core/limits.ts'
import type { Channel, Receive } from './channel.ts'
import { Input } from './input.ts'
import { Output } from './output.ts'

/** Read at once, where it is not the event loop that reads. */
const readBytes = 64 * 1024
let scratch: Buffer | undefined

export class StreamChannel extends Output implements Channel {
  readonly #socket: Socket
  readonly #input: Input
  readonly #onEnd: (error?: Error) => void
  #ended = false
  /** Its descriptor is not its own any more. */
  #taken = false
  #writes = 0
  #clogged = false

  constructor(socket: Socket, receive: Receive, onEnd: (error?: Error) => void) {
    super()
    this.#socket = socket
    this.#input = new Input(receive, (error) => this.#end(error))
    this.#onEnd = onEnd
    socket.on('data', this.#data)
    socket.on('end', this.#finish)
    socket.on('close', this.#finish)
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A peer that died shows as an end, a reset or a broken pipe, by nothing but timing.
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') this.#finish()
      // This end was closed by something else here. The other side sees the end, and decides.
      else if (error.code === 'EBADF') this.#taken = true
      else this.#end(error)
    })
  }

  get garbled(): boolean {
    return this.#input.garbled
  }

  /** Below `flushBytes` it waits until the kernel has taken the write before it. */
  flush(): void {
    if (this.waiting === 0) return
    const socket = this.#socket
    if (socket.writableLength > 0 && this.waiting < flushBytes) return
    const piece = this.take()
    if (this.#ended || !socket.writable) return
    this.#writes++
    socket.write(piece, this.#written)
    if (socket.writableLength > 0) {
      this.#clogged = true
      this.keep() // the kernel still reads the old one
    } else this.shrink()
  }

  /** A process shares no such memory. */
  readonly beside = null

  get stuck(): boolean {
    return this.#socket.writableLength > 0
  }

  get buffered(): number {
    return this.written + this.#socket.writableLength
  }

  close(): void {
    if (this.waiting > 0) {
      this.#socket.end(this.take())
      this.keep()
    } else this.#socket.end()
  }

  destroy(): void {
    this.#input.stop()
    this.#socket.destroy()
  }

  ref(): void {
    this.#socket.ref()
  }

  unref(): void {
    this.#socket.unref()
  }

  draw(): void {
    for (let piece = this.#read(); piece !== undefined; piece = this.#read()) {
      this.#input.draw(Buffer.from(piece))
      if (piece.length < readBytes) return
    }
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

  readonly #data = (piece: Buffer): void => this.#input.take(piece)

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
    for (let piece = this.#read(); piece !== undefined; piece = this.#read()) this.#data(Buffer.from(piece))
  }

  readonly #finish = (): void => {
    if (this.#taken) return
    this.#input.deliver()
    this.#end(this.#input.torn)
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.destroy()
    this.#onEnd(error)
  }
}
