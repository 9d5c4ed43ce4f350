/**
 * Numbers and strings into a Writer: the encoder's lower half. Knows primitives only.
 */
import { writeText } from './text.ts'
import * as tag from './tags.ts'
import type { Writer } from './writer.ts'

const float = new Float64Array(1)
const floatBytes = new Uint8Array(float.buffer)

/** What Encoder builds on. */
export class Output {
  /** Where the message goes. An extension may write through it what decoders of its own read. */
  writer!: Writer

  /** Writes a small number cheaply: an integer from 0 to 2^32-1. */
  writeUint(n: number): void {
    const writer = this.writer
    if (writer.pos + 16 > writer.bytes.length) writer.reserve(16)
    const bytes = writer.bytes
    let pos = writer.pos
    while (n > 127) {
      bytes[pos++] = (n & 127) | 128
      n >>>= 7
    }
    bytes[pos++] = n
    writer.pos = pos
  }

  /** Writes a string that `readString` reads. */
  writeString(text: string): void {
    writeText(this.writer, text)
  }

  /** @internal */
  writeByte(byte: number): void {
    const writer = this.writer
    if (writer.pos + 16 > writer.bytes.length) writer.reserve(16)
    writer.bytes[writer.pos++] = byte
  }

  /** @internal An integer in as few bytes as it needs, anything else in eight. */
  writeNumber(n: number): void {
    const writer = this.writer
    if (writer.pos + 16 > writer.bytes.length) writer.reserve(16)
    const bytes = writer.bytes
    const pos = writer.pos
    if ((n | 0) !== n || (n === 0 && 1 / n < 0)) {
      bytes[pos] = tag.FLOAT64
      writer.pos = pos + 1
      return this.writeFloat(n)
    }
    if (n >= 0 && n < 128) {
      bytes[pos] = n
      writer.pos = pos + 1
    } else if (n < 0 && n >= -256) {
      bytes[pos] = tag.NEGATIVE
      bytes[pos + 1] = -1 - n
      writer.pos = pos + 2
    } else if (n >= 0 && n < 65_536) {
      bytes[pos] = tag.UINT16
      bytes[pos + 1] = n
      bytes[pos + 2] = n >>> 8
      writer.pos = pos + 3
    } else {
      bytes[pos] = tag.INT32
      bytes[pos + 1] = n
      bytes[pos + 2] = n >>> 8
      bytes[pos + 3] = n >>> 16
      bytes[pos + 4] = n >>> 24
      writer.pos = pos + 5
    }
  }

  /** @internal Eight bytes. */
  writeFloat(n: number): void {
    const writer = this.writer
    if (writer.pos + 16 > writer.bytes.length) writer.reserve(16)
    const bytes = writer.bytes
    const pos = writer.pos
    float[0] = n
    for (let i = 0; i < 8; i++) bytes[pos + i] = floatBytes[i]!
    writer.pos = pos + 8
  }

  /** @internal */
  writeBigInt(n: bigint): void {
    this.writeByte(tag.BIGINT)
    this.writeByte(n < 0n ? 1 : 0)
    this.writeString((n < 0n ? -n : n).toString(16))
  }
}
