/** Helpers of the codec's tests: one trip through bytes, and a stand-in for what closure/ does. */
import { Decoder, type DecodeExtension } from '#plait/codec/decode.js'
import { Encoder, encode, type EncodeExtension } from '#plait/codec/encode.js'
import { decode } from '#plait/codec/decode.js'
import { Writer } from '#plait/codec/writer.js'

/** Encodes into the middle of a too small buffer, and decodes from there. */
export function trip<T>(value: T, extension?: EncodeExtension & DecodeExtension): T {
  const writer = new Writer(8)
  writer.pos = 5
  encode(value, writer, extension)
  return decode(writer.bytes, 5, writer.pos, extension) as T
}

/** The bytes of one message. */
export function bytesOf(value: unknown, extension?: EncodeExtension): Buffer {
  const writer = new Writer(8)
  encode(value, writer, extension)
  return Buffer.from(writer.bytes.subarray(0, writer.pos))
}

/** Reads one message. */
export function valueOf(bytes: Buffer, extension?: DecodeExtension): unknown {
  return decode(bytes, 0, bytes.length, extension)
}

/**
 * What closure/ does, within one process: functions, symbols and classes by a table, instances by
 * writeNative.
 */
export class Local implements EncodeExtension, DecodeExtension {
  private readonly table: (object | symbol)[] = []

  encode(value: object | symbol, encoder: Encoder): void {
    if (typeof value === 'function' || typeof value === 'symbol') {
      encoder.writeUint(this.table.push(value))
      return
    }
    encoder.writeUint(0)
    encoder.write((Object.getPrototypeOf(value) as { constructor: unknown }).constructor)
    encoder.writeNative(value)
  }

  decode(decoder: Decoder, slot: number): unknown {
    const n = decoder.readUint()
    if (n > 0) return this.table[n - 1]
    const type = decoder.read() as { prototype: object }
    return decoder.readNative(slot, type.prototype)
  }
}
