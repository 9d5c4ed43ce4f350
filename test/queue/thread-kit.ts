/**
 * How a test hands handles to a bare thread, and how that takes them.
 */
import { decode } from '#plait/codec/decode.js'
import { Carried } from '#plait/codec/handles.js'
import { encode } from '#plait/codec/encode.js'
import { Writer } from '#plait/codec/writer.js'
import { adoptRegion, regionForThread, type RegionOrigin } from '#plait/memory/region.js'

export function originForThread(): RegionOrigin {
  return regionForThread()
}

export function bytesFor(value: unknown): Uint8Array {
  const writer = new Writer()
  encode(value, writer, {
    carried: new Carried(false, true),
    encode: () => {
      throw new Error('plain data and handles only')
    },
  })
  return new Uint8Array(writer.bytes.subarray(0, writer.pos))
}

export function valueOf(origin: RegionOrigin, bytes: Uint8Array): unknown {
  adoptRegion(origin)
  return decode(Buffer.from(bytes), 0, bytes.length)
}
