/**
 * Many numbers in shared memory: a typed array over a block of the region, without a copy. The cell says what
 * the block holds, and gives it back with itself. The buffer keeps the cell's hold, since it may outlive the
 * handle: a view that somebody took points into memory that nobody else gets.
 */
import { constants } from 'node:buffer'
import { checkInteger } from '../core/options.ts'
import { load, store } from '../memory/atomics.ts'
import { keep } from '../memory/handles.ts'
import { allocate, freeAt, write } from '../memory/heap.ts'
import { cellWord, defineKind } from '../memory/holders.ts'
import { arenaFirst, H_OWNER, kinds } from '../memory/layout.ts'
import { region } from '../memory/region.ts'
import { Cell, travels } from './cell.ts'
import {
  bytesOf,
  checkType,
  checkValue,
  dropLock,
  lockAt,
  types,
  viewOf,
  type BigType,
  type NumberType,
  type TypedArrays,
  type ValueOf,
} from './numbers.ts'
import type { RLock } from './rlock.ts'

const TYPE = 0
const LOCK = 1
/** Elements: the lower 32 bits, and the upper ones. */
const LENGTH = 2
const LENGTH_HIGH = 3
/** Address of the elements; 0 where there are none. */
const BLOCK = 4
const arrayWords = 5

/** Bytes: no program has as much to share. */
const largest = 64 * 2 ** 30

/**
 * An array that all threads and processes see. `view` is the typed array itself, over shared memory: reading
 * and writing it copies nothing, and is not atomic beyond one element; hold the `lock` for more. Python:
 * `multiprocessing.Array`.
 *
 * ```ts
 * const sums = new SharedArray('float64', [1, 2, 3])
 * sums.view[0] += 41
 * console.log([...sums]) // => [42, 2, 3]
 * ```
 */
export class SharedArray<K extends NumberType | BigType = 'float64'>
  extends Cell
  implements Iterable<number | bigint>
{
  readonly type: K
  readonly #view: TypedArrays[K]
  #lock: RLock | undefined

  /** A number of elements, all zero, or their values, which are converted as a typed array does. */
  constructor(type: K, lengthOrValues: number | Iterable<ValueOf<K>>) {
    checkType(type)
    const values = typeof lengthOrValues === 'number' ? undefined : valuesOf(type, lengthOrValues)
    const length = values?.length ?? (lengthOrValues as number)
    checkInteger(length, 'length', 0)
    if (length * bytesOf(type) > Math.min(constants.MAX_LENGTH, largest))
      throw new RangeError(`length must be smaller: no shared memory is as large as ${length} × ${type}`)
    super(kinds.array, arrayWords)
    const { words, at } = this
    if (this.fresh) {
      const bytes = length * bytesOf(type)
      const block = bytes === 0 ? 0 : allocate(bytes, kinds.payload)
      if (block !== 0) clear(block, bytes)
      store(words, at + TYPE, types.indexOf(type))
      store(words, at + LENGTH, length | 0)
      store(words, at + LENGTH_HIGH, Math.floor(length / 2 ** 32))
      // The cell's before it leads there: a death in between loses it, where both would free it else.
      if (block !== 0) write(block, H_OWNER, 0)
      store(words, at + BLOCK, block)
    }
    this.type = types[load(words, at + TYPE)] as K
    this.#view = this.#open()
    if (this.fresh && values !== undefined) (this.#view as Float64Array).set(values as ArrayLike<number>)
  }

  /** Over the shared memory itself, of exactly `length` elements. */
  get view(): TypedArrays[K] {
    return this.#view
  }

  get length(): number {
    return this.view.length
  }

  /** One lock for all who have the array; made when it is asked for. */
  get lock(): RLock {
    return (this.#lock ??= lockAt(this.words, this.at + LOCK))
  }

  [Symbol.iterator](): IterableIterator<number | bigint> {
    return (this.view as Float64Array)[Symbol.iterator]()
  }

  #open(): TypedArrays[K] {
    const { words, at } = this
    const length = (load(words, at + LENGTH) >>> 0) + load(words, at + LENGTH_HIGH) * 2 ** 32
    const block = load(words, at + BLOCK)
    if (block === 0) return viewOf(this.type, new ArrayBuffer(0), 0, 0)
    const { system, slice } = region()
    const bytes = slice(block, length * bytesOf(this.type))
    const view = viewOf(this.type, bytes.buffer, bytes.byteOffset, length)
    // All views on a mapped block share its buffer; where only threads share, the buffer is the whole region.
    keep(system === null ? view : bytes.buffer, this.address)
    return view
  }

  /** @internal */
  describe(): string {
    return `${this.type} × ${this.length}`
  }
}

function valuesOf(type: NumberType | BigType, values: unknown): ArrayLike<number | bigint> {
  if (ArrayBuffer.isView(values) && !(values instanceof DataView)) {
    const array = values as unknown as ArrayLike<number | bigint>
    if (array.length > 0) checkValue(type, array[0], 'values[0]')
    return array
  }
  if (values === null || typeof values !== 'object' || !(Symbol.iterator in values))
    throw new TypeError('a SharedArray is made from a length or from an iterable of values')
  const list = Array.from(values as Iterable<number | bigint>)
  for (const [i, value] of list.entries()) checkValue(type, value, `values[${i}]`)
  return list
}

/** Below this it is quicker to write zeros than to ask the system for pages that are. */
const fewBytes = 2 ** 20

function clear(block: number, bytes: number): void {
  const { slice, discard } = region()
  if (block < arenaFirst) return // zero from the heap
  if (bytes < fewBytes || !discard(block, bytes)) slice(block, bytes).fill(0)
}

defineKind(kinds.array, {
  destroy(address) {
    const { words } = region()
    const at = cellWord(address)
    dropLock(words, at + LOCK)
    freeAt(words, at + BLOCK)
  },
})
travels(SharedArray.prototype, kinds.array, () => new SharedArray('uint8', 0))
