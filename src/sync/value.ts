/**
 * One number in shared memory, with atomic operations for every type. Integers have Node's own; a float is
 * exchanged as the bits that it consists of, and tried again where somebody was faster.
 */
import { add, compareExchange, load, store } from '../memory/atomics.ts'
import { cellWord, defineKind } from '../memory/holders.ts'
import { kinds } from '../memory/layout.ts'
import { region } from '../memory/region.ts'
import { Cell, travels } from './cell.ts'
import {
  checkType,
  checkValue,
  dropLock,
  lockAt,
  types,
  viewOf,
  type BigType,
  type NumberType,
  type ValueOf,
} from './numbers.ts'
import type { RLock } from './rlock.ts'

const TYPE = 0
const LOCK = 1
/** On a boundary of 8 bytes. */
const VALUE = 2
const valueWords = 4

/** What atomic operations work on; of 8 bytes it holds bigints, and the types here do not say so. */
type Ints = Int32Array

/**
 * A number that all threads and processes see. Reading and writing are atomic; `v.value += 1` is both, and
 * not atomic: use `add()`, or hold the `lock`. Values wrap as in a typed array. Python:
 * `multiprocessing.Value`.
 *
 * ```ts
 * const hits = new SharedValue('int32', 7)
 * console.log([hits.add(1), hits.value]) // => [7, 8]
 * console.log([hits.compareExchange(8, 0), hits.value]) // => [8, 0]
 * ```
 */
export class SharedValue<K extends NumberType | BigType = 'float64'> extends Cell {
  readonly type: K
  /** Two views on the same bytes: of the type, and of integers as wide. */
  readonly #view: Float64Array
  readonly #ints: Ints
  readonly #float: boolean
  #lock: RLock | undefined

  /** `value` is 0 where it is left out; a bigint for int64 and uint64. */
  constructor(type: K, value?: ValueOf<K>) {
    checkType(type)
    if (value !== undefined) checkValue(type, value, 'value')
    super(kinds.value, valueWords)
    if (this.fresh) store(this.words, this.at + TYPE, types.indexOf(type))
    this.type = (this.fresh ? type : types[load(this.words, this.at + TYPE)]) as K
    const { buffer } = this.words
    const offset = 4 * (this.at + VALUE)
    this.#view = viewOf(this.type, buffer, offset, 1) as unknown as Float64Array
    this.#float = this.type === 'float64' || this.type === 'float32'
    const ints = this.type === 'float64' ? 'int64' : 'int32'
    this.#ints = (this.#float ? viewOf(ints, buffer, offset, 1) : this.#view) as unknown as Ints
    if (this.fresh && value !== undefined) this.value = value
  }

  /** Atomic in each direction; of an integer type, what does not fit wraps. */
  get value(): ValueOf<K> {
    const bits = load(this.#ints, 0)
    return (this.#float ? this.#toFloat(bits) : bits) as ValueOf<K>
  }

  set value(value: ValueOf<K>) {
    checkValue(this.type, value, 'value')
    store(this.#ints, 0, this.#float ? this.#toBits(value as number) : (value as number))
  }

  /** Adds `n` in one atomic step, on every type, and answers the old value. */
  add(n: ValueOf<K>): ValueOf<K> {
    checkValue(this.type, n, 'n')
    if (!this.#float) return add(this.#ints, 0, n as number) as ValueOf<K>
    for (;;) {
      const bits = load(this.#ints, 0)
      const old = this.#toFloat(bits)
      const next = this.#toBits(old + (n as number))
      if (compareExchange(this.#ints, 0, bits, next) === bits) return old as ValueOf<K>
    }
  }

  /**
   * Puts `next` in the place of `expected`, in one atomic step, and answers the old value: it was exchanged
   * where that is `expected`. NaN is equal to itself here, and 0 to -0.
   */
  compareExchange(expected: ValueOf<K>, next: ValueOf<K>): ValueOf<K> {
    checkValue(this.type, expected, 'expected')
    checkValue(this.type, next, 'next')
    if (!this.#float) return compareExchange(this.#ints, 0, expected as number, next as number) as ValueOf<K>
    // As it would be read back: a float32 holds fewer digits.
    const wanted = this.#toFloat(this.#toBits(expected as number))
    for (;;) {
      const bits = load(this.#ints, 0)
      const old = this.#toFloat(bits)
      if (old !== wanted && !(Number.isNaN(old) && Number.isNaN(wanted))) return old as ValueOf<K>
      const to = this.#toBits(next as number)
      if (compareExchange(this.#ints, 0, bits, to) === bits) return old as ValueOf<K>
    }
  }

  /** One lock for all who have the value; made when it is asked for. */
  get lock(): RLock {
    return (this.#lock ??= lockAt(this.words, this.at + LOCK))
  }

  #toBits(value: number): number {
    if (this.type === 'float64') {
      scratch64[0] = value
      return bits64[0] as unknown as number
    }
    scratch32[0] = value
    return bits32[0]!
  }

  #toFloat(bits: number | bigint): number {
    if (typeof bits === 'bigint') {
      bits64[0] = bits
      return scratch64[0]!
    }
    bits32[0] = bits
    return scratch32[0]!
  }

  /** @internal */
  describe(): string {
    return `${this.type} ${String(this.value)}`
  }
}

const scratch64 = new Float64Array(1)
const bits64 = new BigInt64Array(scratch64.buffer)
const scratch32 = new Float32Array(1)
const bits32 = new Int32Array(scratch32.buffer)

defineKind(kinds.value, {
  destroy: (address) => dropLock(region().words, cellWord(address) + LOCK),
})
travels(SharedValue.prototype, kinds.value, () => new SharedValue('float64'))
