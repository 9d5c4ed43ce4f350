/**
 * Numbers and strings out of a message, each step within its bounds: the decoder's lower half. Knows
 * primitives only.
 */
import { SerializationError } from '../core/errors.ts'
import * as tag from './tags.ts'
import { readLatin1, readUtf16, readUtf8 } from './text.ts'

const float = new Float64Array(1)
const floatBytes = new Uint8Array(float.buffer)
const noBytes = Buffer.alloc(0)

/** What Decoder builds on. */
export class Input {
  /** @internal */
  bytes: Buffer = noBytes
  /** @internal */
  pos = 0
  /** @internal Where the root value must end. */
  end = 0

  /** Reads what writeUint wrote. */
  readUint(): number {
    const { bytes, end } = this
    let pos = this.pos
    let result = 0
    let scale = 1
    for (;;) {
      if (pos >= end) throw this.truncated()
      const byte = bytes[pos++]!
      result += (byte & 127) * scale
      if (byte < 128) break
      scale *= 128
      if (scale > 0x1000_0000) throw this.corrupt('a number is too long')
    }
    if (result > 0xffff_ffff) throw this.corrupt('a number is too large')
    this.pos = pos
    return result
  }

  /** Reads what writeString wrote. */
  readString(): string {
    const code = this.readByte()
    const text =
      code >= tag.SHORT_TEXT && code < tag.SHORT_ARRAY ? this.readLatin1(code & 31) : this.readText(code)
    if (text === undefined) throw this.corrupt('a string was expected')
    return text
  }

  /** @internal */
  readPrimitive(code: number): unknown {
    switch (code) {
      case tag.NULL:
        return null
      case tag.UNDEFINED:
        return undefined
      case tag.TRUE:
        return true
      case tag.FALSE:
        return false
      case tag.NEGATIVE:
        return -1 - this.readByte()
      case tag.UINT16:
        this.need(2)
        this.pos += 2
        return this.bytes[this.pos - 2]! | (this.bytes[this.pos - 1]! << 8)
      case tag.INT32:
        return this.readUint32() | 0
      case tag.FLOAT64:
        return this.readFloat()
      case tag.BIGINT: {
        const negative = this.readByte() === 1
        const value = BigInt(`0x${this.readString()}`)
        return negative ? -value : value
      }
      case tag.SYMBOL_REGISTERED:
        return Symbol.for(this.readString())
      case tag.SYMBOL_WELL_KNOWN: {
        const symbol = (Symbol as unknown as Record<string, unknown>)[this.readString()]
        if (typeof symbol !== 'symbol') throw this.corrupt('a well-known symbol is not known here')
        return symbol
      }
    }
    const text = this.readText(code)
    if (text === undefined) throw this.corrupt(`0x${code.toString(16)} begins no value`)
    return text
  }

  /** @internal */
  readText(code: number): string | undefined {
    if (code === tag.TEXT8) return this.readLatin1(this.readByte())
    if (code !== tag.LATIN1 && code !== tag.UTF8 && code !== tag.UTF16) return undefined
    const size = this.readUint32()
    this.need(size)
    const start = this.pos
    this.pos = start + size
    if (code === tag.LATIN1) return readLatin1(this.bytes, start, size)
    return code === tag.UTF8 ? readUtf8(this.bytes, start, size) : readUtf16(this.bytes, start, size)
  }

  /** @internal */
  readLatin1(length: number): string {
    const start = this.pos
    if (start + length > this.end) throw this.truncated()
    this.pos = start + length
    return readLatin1(this.bytes, start, length)
  }

  /** @internal */
  readByte(): number {
    if (this.pos >= this.end) throw this.truncated()
    return this.bytes[this.pos++]!
  }

  /** @internal */
  readUint32(): number {
    this.need(4)
    this.pos += 4
    return this.bytes.readUInt32LE(this.pos - 4)
  }

  /** @internal */
  readFloat(): number {
    this.need(8)
    const { bytes, pos } = this
    for (let i = 0; i < 8; i++) floatBytes[i] = bytes[pos + i]!
    this.pos = pos + 8
    return float[0]!
  }

  /** @internal Throws unless `n` more bytes are there. */
  need(n: number): void {
    if (n > this.end - this.pos) throw this.truncated()
  }

  /** @internal */
  truncated(): SerializationError {
    return this.corrupt('the message ends early')
  }

  /** @internal */
  corrupt(what: string, cause?: unknown): SerializationError {
    return new SerializationError(
      `corrupt data at byte ${this.pos}: ${what}`,
      cause === undefined ? {} : { cause },
    )
  }

  /** @internal Lets go of the message. */
  forget(): void {
    this.bytes = noBytes
  }
}
