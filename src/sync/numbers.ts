/**
 * The types of numbers that shared values and arrays hold: their names, their typed arrays, and the one lock
 * that such a cell has if somebody asks for it.
 */
import { checkChoice } from '../core/options.ts'
import { compareExchange, load, type Words } from '../memory/atomics.ts'
import { handleAt } from '../memory/handles.ts'
import { send, unsend, unsendAt } from '../memory/holders.ts'
import { openCell } from './cell.ts'
import { RLock } from './rlock.ts'

/** Types whose values are numbers. */
export type NumberType = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'float32' | 'float64'
/** Types whose values are bigints. */
export type BigType = 'int64' | 'uint64'
/** What a value of the type is. */
export type ValueOf<K extends NumberType | BigType> = K extends BigType ? bigint : number

/** The typed array of each type. */
export interface TypedArrays {
  int8: Int8Array
  uint8: Uint8Array
  int16: Int16Array
  uint16: Uint16Array
  int32: Int32Array
  uint32: Uint32Array
  float32: Float32Array
  float64: Float64Array
  int64: BigInt64Array
  uint64: BigUint64Array
}

const arrays = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
}

/** Their order is part of the layout: a cell holds the number of its type. */
export const types = Object.keys(arrays) as readonly (NumberType | BigType)[]

export function checkType(type: unknown): asserts type is NumberType | BigType {
  if (type === undefined) throw new TypeError(`type must be one of ${types.join(', ')}`)
  checkChoice(type, 'type', types)
}

export function isBig(type: string): type is BigType {
  return type === 'int64' || type === 'uint64'
}

export function bytesOf(type: NumberType | BigType): number {
  return arrays[type].BYTES_PER_ELEMENT
}

/** A typed array over memory that is there. */
export function viewOf<K extends NumberType | BigType>(
  type: K,
  buffer: ArrayBufferLike,
  offset: number,
  length: number,
): TypedArrays[K] {
  return new arrays[type](buffer as ArrayBuffer, offset, length) as unknown as TypedArrays[K]
}

/** A number, or a bigint where the type asks for one. */
export function checkValue(type: NumberType | BigType, value: unknown, what: string): void {
  const wanted = isBig(type) ? 'bigint' : 'number'
  if (typeof value !== wanted)
    throw new TypeError(`${what} must be a ${wanted} for ${type}, got a ${typeof value}`)
}

/** The lock whose address is in the word: made by whoever asks first, and the same for all. */
export function lockAt(words: Words, word: number): RLock {
  let address = load(words, word)
  if (address === 0) {
    const made = new RLock()
    send(made.address) // the cell's own share, before anybody can see it
    address = compareExchange(words, word, 0, made.address)
    if (address === 0) return made
    unsend(made.address)
  }
  return handleAt(address, () => openCell(address, () => new RLock()))
}

/** The cell of a value or array is given back. */
export function dropLock(words: Words, word: number): void {
  unsendAt(words, word)
}
