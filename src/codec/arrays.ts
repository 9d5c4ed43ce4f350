/**
 * Arrays that have a shorter form than one value after the other: all numbers, or mostly holes. Both
 * directions, called by encoder and decoder.
 */
import type { Encoder } from './encode.ts'
import { prependPath } from './path.ts'
import * as tag from './tags.ts'

/** Shorter arrays of numbers are not worth the scan's second half. */
const packedFrom = 5
const chunk = 1024
const scratch = new ArrayBuffer(chunk * 8)
const floats = new Float64Array(scratch)
const ints = new Int32Array(scratch)
const raw = Buffer.from(scratch)

/** INT32S, FLOAT64S, SPARSE, or ARRAY where nothing special holds. Ends at the first element that decides. */
export function arrayKind(array: readonly unknown[]): number {
  const { length } = array
  let i = 0
  if (length >= packedFrom && typeof array[0] === 'number') {
    let integers = true
    for (; i < length; i++) {
      const n = array[i]
      if (typeof n !== 'number') break
      if (integers && ((n | 0) !== n || (n === 0 && 1 / n < 0))) integers = false
    }
    if (i === length) return integers ? tag.INT32S : tag.FLOAT64S
  }
  for (; i < length; i++) if (array[i] === undefined && !Object.hasOwn(array, i)) return tag.SPARSE
  return tag.ARRAY
}

/** INT32S: a small array of small numbers is shorter as values, but then slower; four bytes each. */
export function writeInt32s(encoder: Encoder, array: readonly number[]): void {
  encoder.writeByte(tag.INT32S)
  encoder.writeUint(array.length)
  writePacked(encoder, array, ints, 4)
}

/** FLOAT64S: every number as it is, -0 and NaN too. */
export function writeFloat64s(encoder: Encoder, array: readonly number[]): void {
  encoder.writeByte(tag.FLOAT64S)
  encoder.writeUint(array.length)
  writePacked(encoder, array, floats, 8)
}

/**
 * Through an aligned scratch in pieces: an index loop over a typed array and a copy, the fastest there is.
 */
function writePacked(
  encoder: Encoder,
  array: readonly number[],
  into: Int32Array | Float64Array,
  size: 4 | 8,
): void {
  const { writer } = encoder
  writer.reserve(array.length * size)
  for (let from = 0; from < array.length; from += chunk) {
    const count = Math.min(chunk, array.length - from)
    for (let i = 0; i < count; i++) into[i] = array[from + i]!
    raw.copy(writer.bytes, writer.pos, 0, count * size)
    writer.pos += count * size
  }
}

/** The elements that are there, in order. */
export function writeSparse(encoder: Encoder, array: readonly unknown[]): void {
  const indexes = Object.keys(array).filter(isIndex)
  encoder.writeByte(tag.SPARSE)
  encoder.writeUint(array.length)
  encoder.writeUint(indexes.length)
  for (const index of indexes) {
    encoder.writeUint(Number(index))
    try {
      encoder.write(Object.getOwnPropertyDescriptor(array, index)?.value)
    } catch (error) {
      throw prependPath(error, `[${index}]`)
    }
  }
}

/** A key that counts as an element of an array. */
export function isIndex(key: string): boolean {
  const n = Number(key) >>> 0
  return String(n) === key && n !== 0xffff_ffff
}

/** Reads `count` int32 (the caller has checked that they are there). */
export function readInt32s(bytes: Buffer, pos: number, count: number): number[] {
  const array = new Array<number>(count)
  for (let from = 0; from < count; from += chunk) {
    const n = Math.min(chunk, count - from)
    bytes.copy(raw, 0, pos + from * 4, pos + (from + n) * 4)
    for (let i = 0; i < n; i++) array[from + i] = ints[i]!
  }
  return array
}

/**
 * Reads `count` float64 (the caller has checked that they are there). Apart from the one for integers, so
 * that each makes arrays of one kind of elements: mixed, V8 would box every number.
 */
export function readFloat64s(bytes: Buffer, pos: number, count: number): number[] {
  const array = new Array<number>(count)
  for (let from = 0; from < count; from += chunk) {
    const n = Math.min(chunk, count - from)
    bytes.copy(raw, 0, pos + from * 8, pos + (from + n) * 8)
    for (let i = 0; i < n; i++) array[from + i] = floats[i]!
  }
  return array
}

/** An empty array of that length which takes no room for its holes. */
export function sparseArray(length: number, count: number): unknown[] {
  const array: unknown[] = []
  if (length > count * 4 + 1024) {
    // A far element makes V8 keep the elements in a hash table; a length alone takes 8 bytes a hole.
    array[length - 1] = undefined
    delete array[length - 1]
  }
  array.length = length
  return array
}
