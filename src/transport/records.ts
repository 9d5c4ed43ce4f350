/**
 * Cuts a stream of bytes into records, `u32 payload length | u16 kind | u16 mark | payload`, little endian:
 * the reading half of a channel. What arrives whole is delivered where it lies. Never allocates by what the
 * other side merely claims.
 */
import { maxRecordBytes } from '../core/limits.ts'
import type { Receive } from './channel.ts'

/** Before each payload: its length, the record's kind, and the mark. */
export const headBytes = 8

/**
 * In the upper half of every kind. Whatever else writes into the stream, were it one byte, is found out at
 * the next head: no length, and no shifted head, has these bits at this place.
 */
export const mark = 0xa55e_0000
const maxKind = 0xffff
/** Allocated at once for a record that claims to be large; beyond it memory follows what really arrives. */
const trustedBytes = 64 * 1024 * 1024

export class RecordReader {
  readonly #receive: Receive
  #stopped = false
  /** A record of which only `#have` of `#need` bytes have arrived, its head included. */
  #partial: Buffer = Buffer.allocUnsafeSlow(headBytes)
  #have = 0
  #need = headBytes

  constructor(receive: Receive) {
    this.#receive = receive
  }

  /** Delivers nothing more, not even of the chunk that is being read. */
  stop(): void {
    this.#stopped = true
  }

  /** What is wrong with a stream that ends here. */
  get torn(): Error | undefined {
    if (this.#have === 0 || this.#stopped) return undefined
    return new Error(`the stream ended inside a record: ${this.#have} of ${this.#need} bytes had arrived`)
  }

  /** Delivers every whole record in `chunk`; keeps the beginning of the last one. Throws at garbage. */
  take(chunk: Buffer): void {
    let at = this.#have > 0 ? this.#fill(chunk, 0) : 0
    while (chunk.length - at >= headBytes && !this.#stopped) {
      const length = chunk.readUInt32LE(at)
      const kind = chunk.readUInt32LE(at + 4) - mark
      checkHead(length, kind)
      const start = at + headBytes
      if (chunk.length - start < length) break
      at = start + length
      this.#receive(kind, chunk, start, at)
    }
    if (at < chunk.length && !this.#stopped) this.#fill(chunk, at)
  }

  /** Adds to the partial record, delivers it once whole; returns where the next one begins. */
  #fill(chunk: Buffer, from: number): number {
    let at = from
    while (at < chunk.length) {
      const n = Math.min(this.#need - this.#have, chunk.length - at)
      if (this.#have + n > this.#partial.length) this.#grow(this.#have + n)
      chunk.copy(this.#partial, this.#have, at, at + n)
      this.#have += n
      at += n
      if (this.#have === headBytes && this.#need === headBytes) {
        const length = this.#partial.readUInt32LE(0)
        checkHead(length, this.#partial.readUInt32LE(4) - mark)
        this.#need += length
      }
      if (this.#have === this.#need) {
        this.#deliver()
        break
      }
    }
    return at
  }

  #deliver(): void {
    const record = this.#partial
    const end = this.#need
    this.#partial = Buffer.allocUnsafeSlow(headBytes)
    this.#have = 0
    this.#need = headBytes
    this.#receive(record.readUInt32LE(4) - mark, record, headBytes, end)
  }

  #grow(least: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#need, Math.max(trustedBytes, 2 * least)))
    this.#partial.copy(larger, 0, 0, this.#have)
    this.#partial = larger
  }
}

function checkHead(length: number, kind: number): void {
  if (length > maxRecordBytes || kind < 0 || kind > maxKind)
    throw new Error('garbage in the stream: what came is no record (does something write to descriptor 3?)')
}
