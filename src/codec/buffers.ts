/**
 * ArrayBuffers and the views on them. Views that share a buffer share it afterwards; of each buffer only the
 * window travels that its views look at, so that ten bytes of a pooled Buffer cost ten bytes. Which window is
 * known at the end of the walk, hence the trailer behind the root value.
 */
import { maxRecordBytes } from '../core/limits.ts'
import type { Encoder } from './encode.ts'
import { type Carried, countRead } from './handles.ts'
import type { Input } from './input.ts'
import { cannotSend } from './path.ts'
import { bufferOf } from './shared-buffers.ts'
import * as tag from './tags.ts'
import type { Writer } from './writer.ts'

type ViewClass = new (buffer: ArrayBufferLike, offset: number, length?: number) => ArrayBufferView

/** By their number in the format; only ever append. Float16Array is missing in older Nodes. */
const viewClasses: readonly (ViewClass | undefined)[] = [
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  (globalThis as { Float16Array?: ViewClass }).Float16Array,
]
const kinds = new Map(viewClasses.flatMap((type, kind) => (type ? [[type.name, kind] as const] : [])))
const bufferKind = 31
/** In the kind byte: the view's length follows its resizable buffer. */
const tracking = 0x80
const nameOfView = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)!.get!

interface Used {
  readonly buffer: ArrayBuffer & { readonly resizable?: boolean; readonly maxByteLength?: number }
  from: number
  to: number
}

/** Buffers of so many bytes may travel beside the message, where there is a place for them. */
const fewestPlaced = 64 * 1024

/** In place of a largest length: the bytes are not in the trailer, and their place follows. */
const placed = 0xffff_ffff

/** Finds what `Carried.place` took. */
let openPlaced: ((place: number, length: number) => ArrayBuffer) | undefined

export function findPlacedBy(open: (place: number, length: number) => ArrayBuffer): void {
  openPlaced = open
}

/** The buffers of one message, on the sending side. */
export class Trailer {
  private readonly used: Used[] = []
  private numbers: Map<ArrayBuffer, number> | undefined

  /** How many buffers. */
  get size(): number {
    return this.used.length
  }

  /** The buffer's number; from now on its window holds `from` to `to`. */
  add(buffer: ArrayBuffer, from: number, to: number): number {
    this.numbers ??= new Map()
    let number = this.numbers.get(buffer)
    if (number === undefined) {
      if (buffer.byteLength === 0) refuseDetached(buffer)
      number = this.used.length
      this.numbers.set(buffer, number)
      this.used.push({ buffer, from, to })
    } else {
      const used = this.used[number]!
      used.from = Math.min(used.from, from)
      used.to = Math.max(used.to, to)
    }
    return number
  }

  /** Writes the trailer and its length. */
  write(writer: Writer, carried: Carried): void {
    const start = writer.pos
    writer.reserve(16)
    let pos = writeUint(writer.bytes, writer.pos, this.used.length)
    for (const { buffer, from, to } of this.used) {
      const max = buffer.resizable === true ? buffer.maxByteLength! : -1
      writer.pos = pos
      const place =
        max < 0 && to - from >= fewestPlaced
          ? carried.place(new Uint8Array(buffer, from, to - from))
          : undefined
      if (place !== undefined) {
        writer.reserve(32)
        pos = writeUint(writer.bytes, pos, from)
        pos = writeUint(writer.bytes, pos, to - from)
        pos = writeUint(writer.bytes, pos, placed)
        pos = writeUint(writer.bytes, pos, place)
        continue
      }
      if (pos + to - from > maxRecordBytes || max > maxRecordBytes)
        throw cannotSend(`its buffers hold more than ${maxRecordBytes} bytes`, 'Send it in parts')
      writer.reserve(to - from + 32)
      const bytes = writer.bytes
      pos = writeUint(bytes, pos, from)
      pos = writeUint(bytes, pos, to - from)
      pos = writeUint(bytes, pos, max + 1)
      bytes.set(new Uint8Array(buffer, from, to - from), pos)
      pos += to - from
    }
    writer.pos = pos
    writer.reserve(4)
    writer.bytes.writeUInt32LE(pos - start, pos)
    writer.pos = pos + 4
  }

  /** Forgets the message. */
  clear(): void {
    this.used.length = 0
    this.numbers = undefined
  }
}

/** A detached buffer looks empty; only a new view tells. */
function refuseDetached(buffer: ArrayBuffer): void {
  try {
    Reflect.construct(Uint8Array, [buffer])
  } catch (error) {
    throw cannotSend('its memory was transferred away', 'Send it before the transfer, or a copy', error)
  }
}

function writeUint(bytes: Buffer, pos: number, n: number): number {
  while (n > 127) {
    bytes[pos++] = (n & 127) | 128
    n >>>= 7
  }
  bytes[pos++] = n
  return pos
}

/** The kind of a view whose prototype the codec knows; -1 for a subclass. */
export function viewKind(view: ArrayBufferView, prototype: object): number {
  if (prototype === Buffer.prototype) return bufferKind
  const kind = nativeKind(view)
  return viewClasses[kind]!.prototype === prototype ? kind : -1
}

function nativeKind(view: ArrayBufferView): number {
  const name = nameOfView.call(view) as string | undefined
  return name === undefined ? 0 : kinds.get(name)!
}

/** Writes a view: VIEW or SHARED_VIEW. */
export function writeView(encoder: Encoder, view: ArrayBufferView, kind: number): void {
  const { buffer, byteOffset, byteLength } = view
  if (kind < 0) kind = nativeKind(view)
  const shared = buffer instanceof SharedArrayBuffer
  encoder.writeByte(shared ? tag.SHARED_VIEW : tag.VIEW)
  const resizable = (buffer as { resizable?: boolean }).resizable === true
  const follows = resizable && byteOffset + byteLength === buffer.byteLength
  encoder.writeByte(kind | (follows ? tracking : 0))
  if (shared) writeShared(encoder, buffer)
  else {
    // A base of whole 8 bytes keeps every element aligned; a resizable buffer keeps its own length.
    const from = resizable ? 0 : byteOffset - (byteOffset & 7)
    encoder.writeUint(
      encoder.trailer.add(buffer, from, resizable ? buffer.byteLength : byteOffset + byteLength),
    )
  }
  encoder.writeUint(byteOffset)
  encoder.writeUint('length' in view ? (view.length as number) : byteLength)
}

/** Writes an ArrayBuffer, whole. */
export function writeArrayBuffer(encoder: Encoder, buffer: ArrayBuffer): void {
  encoder.writeByte(tag.ARRAY_BUFFER)
  encoder.writeUint(encoder.trailer.add(buffer, 0, buffer.byteLength))
}

/** Writes a SharedArrayBuffer, where both ends are threads. */
export function writeSharedBuffer(encoder: Encoder, buffer: SharedArrayBuffer): void {
  encoder.writeByte(tag.SHARED_BUFFER)
  writeShared(encoder, buffer)
}

function writeShared(encoder: Encoder, buffer: SharedArrayBuffer): void {
  const { carried } = encoder
  const number = carried.share(buffer)
  if (number === undefined)
    throw cannotSend(
      'a SharedArrayBuffer is shared only between threads of one process',
      'Send a copy of it: new Uint8Array(shared).slice()',
    )
  encoder.writeByte(carried.lent ? 1 : 0)
  encoder.writeUint(Math.floor(number / 2 ** 32))
  encoder.writeUint(number >>> 0)
}

/** The way back of writeShared. */
export function readShared(input: Input): SharedArrayBuffer {
  const given = input.readByte() === 0
  const number = input.readUint() * 2 ** 32 + input.readUint()
  const buffer = bufferOf(number, given)
  if (buffer === undefined) throw input.corrupt('a shared buffer that is not here')
  countRead()
  return buffer
}

/** One buffer of a message that arrived: where its bytes lie, and the buffer once somebody asked for it. */
export interface Arrived {
  readonly pos: number
  readonly length: number
  /** Where in the sender's buffer the window began. */
  readonly base: number
  readonly max: number
  /** Where the bytes are if not in the message; -1 where they are in it. */
  readonly place: number
  buffer: ArrayBuffer | undefined
}

/** Reads one buffer of a trailer, all but its bytes. */
export function readArrived(input: Input): Arrived {
  const base = input.readUint()
  const length = input.readUint()
  const max = input.readUint()
  const beside = max === placed
  if (beside && openPlaced === undefined) throw input.corrupt('a buffer is in a place that is not known here')
  const place = beside ? input.readUint() : -1
  const { pos } = input
  if (!beside) {
    input.need(length)
    input.pos += length
  }
  return { pos, length, base, max: beside ? -1 : max - 1, place, buffer: undefined }
}

/** Makes the buffer: a copy, since the message's own bytes are soon overwritten. */
export function openBuffer(bytes: Buffer, arrived: Arrived): ArrayBuffer {
  if (arrived.buffer !== undefined) return arrived.buffer
  const { pos, length, max, place } = arrived
  if (place >= 0) return (arrived.buffer = openPlaced!(place, length))
  const start = bytes.byteOffset + pos
  if (max < 0 && bytes.buffer instanceof ArrayBuffer)
    arrived.buffer = bytes.buffer.slice(start, start + length)
  else {
    const make = ArrayBuffer as unknown as new (n: number, options?: { maxByteLength: number }) => ArrayBuffer
    arrived.buffer = max < 0 ? new ArrayBuffer(length) : new make(length, { maxByteLength: max })
    new Uint8Array(arrived.buffer).set(bytes.subarray(pos, pos + length))
  }
  return arrived.buffer
}

/** Makes a view; RangeError where it does not fit its buffer, TypeError for a kind that this Node lacks. */
export function makeView(
  kindByte: number,
  buffer: ArrayBufferLike,
  offset: number,
  length: number,
  prototype: object | undefined,
): ArrayBufferView {
  const kind = kindByte & ~tracking
  if (kind === bufferKind && prototype === undefined)
    return Buffer.from(buffer as ArrayBuffer, offset, length)
  const type = kind === bufferKind ? (Uint8Array as ViewClass) : viewClasses[kind]
  if (type === undefined) throw new TypeError(`typed array kind ${kind} is not known here`)
  const args = (kindByte & tracking) !== 0 ? [buffer, offset] : [buffer, offset, length]
  const view = Reflect.construct(type, args) as ArrayBufferView
  if (prototype !== undefined) Object.setPrototypeOf(view, prototype)
  return view
}
