/**
 * Bytes to values, in place: the way back of encode.ts. Whatever the bytes are, the outcome is a value or
 * an error; no length is believed before the bytes behind it are counted, and nothing is kept of a message
 * once it is read. Constructors and setters of users never run.
 */
import { PlaitError } from '../core/errors.ts'
import { maxDepth } from '../core/limits.ts'
import { textOf } from '../core/text.ts'
import { readFloat64s, readInt32s, sparseArray } from './arrays.ts'
import { openBuffer, readArrived, type Arrived } from './buffers.ts'
import { applyLevel, defineAccessor, defineValue } from './properties.ts'
import { learn, readShape, type KnownShape } from './records.ts'
import { kindNamed } from './handles.ts'
import { Input } from './input.ts'
import { readContent } from './rebuild.ts'
import * as tag from './tags.ts'

/** The way back of EncodeExtension. */
export interface DecodeExtension {
  /**
   * Reads what EncodeExtension.encode wrote. `slot` is this value's reference number: decoder.define(slot,
   * object) as early as the object exists, so that cycles work. Returns the value.
   */
  decode(decoder: Decoder, slot: number): unknown
}

/** One message at a time; reusable. */
export class Decoder extends Input {
  private extension: DecodeExtension | undefined
  private busy = false
  /** @internal What can be referred to, by slot. */
  readonly values: unknown[] = []
  private count = 0
  private readonly shapes: (KnownShape | undefined)[] = []
  private shapeCount = 0
  private buffers: Arrived[] | undefined
  private depth = 0
  /** Of the native part that is being read, until its object exists. */
  private adopt: ((empty: object) => object) | undefined
  /** Thrown by an extension or a reviver: theirs, not a sign of corrupt data. */
  private foreign: unknown

  /** Reads the root that lies from `start` to `end`. */
  decode(bytes: Buffer, start: number, end: number, extension?: DecodeExtension): unknown {
    if (this.busy) return new Decoder().decode(bytes, start, end, extension)
    this.busy = true
    this.bytes = bytes
    this.pos = start
    this.end = end
    this.extension = extension
    try {
      const first = this.readByte()
      if ((first & ~tag.trailerFlag) !== tag.version)
        throw this.corrupt(`version ${first} of the format is not known`)
      if ((first & tag.trailerFlag) !== 0) this.readTrailer()
      const value = this.read()
      if (this.pos !== this.end) throw this.corrupt(`${this.end - this.pos} bytes are left over`)
      return value
    } catch (error) {
      throw this.explain(error)
    } finally {
      this.reset()
    }
  }

  /** Reads one nested value. */
  read(): unknown {
    if (this.pos >= this.end) throw this.truncated()
    const code = this.bytes[this.pos++]!
    if (code < tag.SHORT_TEXT) return code
    if (code < tag.SHORT_ARRAY) return this.readLatin1(code & 31)
    if (code < tag.SHORT_OBJECT) return this.readArray(code & 15, undefined, this.count++)
    if (code < tag.NULL) return this.readObject(this.shapes[code & 15], undefined, this.count++)
    return code < tag.REF ? this.readPrimitive(code) : this.readTagged(code)
  }

  /** Makes the value known under its slot, so that references to it can be read. */
  define(slot: number, value: unknown): void {
    if (slot >= this.count) throw this.corrupt('a slot was defined before its turn')
    this.values[slot] = value
  }

  /**
   * The way back of writeNative: makes the object with `prototype` (no constructor of a user runs),
   * defines `slot` at once, then fills it. Where `adopt` is given, it is called with the empty object and
   * returns the one to use in its place.
   */
  readNative(slot: number, prototype: object, adopt?: (empty: object) => object): object {
    this.adopt = adopt
    const code = this.readByte()
    if (code >= tag.SHORT_OBJECT && code < tag.NULL)
      return this.readObject(this.shapes[code & 15], prototype, slot)
    if (code === tag.OBJECT) return this.readObject(this.shapes[this.readUint()], prototype, slot)
    if (code === tag.OBJECT_NEW) return this.readObject(this.readNewShape(), prototype, slot)
    const value =
      code === tag.INSTANCE
        ? this.defined(slot, Object.create(prototype))
        : this.readNativePart(code, slot, prototype)
    const level = this.readByte()
    this.readProperties(value)
    applyLevel(value, level)
    return value
  }

  private readNativePart(code: number, slot: number, prototype: object): object {
    const array = this.readArrayForm(code, prototype, slot)
    return array ?? readContent(this, code, slot, prototype)
  }

  private readTagged(code: number): unknown {
    switch (code) {
      case tag.REF:
        return this.readReference()
      case tag.OBJECT_NEW: {
        const slot = this.count++
        return this.readObject(this.readNewShape(), undefined, slot)
      }
      case tag.OBJECT:
        return this.readObject(this.shapes[this.readUint()], undefined, this.count++)
      case tag.EXTRAS:
        return this.readExtras()
      case tag.EXTENSION:
        return this.readForeign()
      case tag.REDUCED:
      case tag.REDUCED_CALL:
        return this.readReduced(code)
      case tag.HANDLE_GIVEN:
      case tag.HANDLE_LENT:
        return this.readHandle(code === tag.HANDLE_GIVEN)
    }
    const slot = this.count++
    const array = this.readArrayForm(code, undefined, slot)
    if (array !== undefined) return array
    this.enter()
    const value = readContent(this, code, slot, undefined)
    this.depth--
    return value
  }

  private readReference(): unknown {
    const slot = this.readUint()
    const value = slot < this.count ? this.values[slot] : undefined
    if (value === undefined) throw this.corrupt(`value ${slot} is referred to before it exists`)
    return value
  }

  private readNewShape(): KnownShape {
    const size = this.readByte()
    this.need(size)
    const shape = readShape(this.bytes, this.pos, size)
    if (shape === undefined) throw this.corrupt('the keys of an object are garbled')
    this.pos += size
    this.shapes[this.shapeCount++] = shape
    return shape
  }

  private readObject(shape: KnownShape | undefined, prototype: object | undefined, slot: number): object {
    if (shape === undefined) throw this.corrupt('an object of a shape that was not announced')
    this.enter()
    let object: object
    if (prototype === undefined && shape.reader !== undefined) object = shape.reader(this, slot)
    else {
      object = this.defined(slot, prototype === undefined ? {} : (Object.create(prototype) as object))
      for (const key of shape.keys) defineValue(object, key, this.read())
      if (prototype === undefined) learn(shape, object as Record<string, unknown>)
    }
    this.depth--
    return object
  }

  private readArray(length: number, prototype: object | undefined, slot: number): unknown[] {
    this.enter()
    // Every element takes a byte at least: a length that lies ends here.
    this.need(length)
    const array = emptyArray(length)
    if (prototype === undefined) this.values[slot] = array
    else this.defined(slot, Object.setPrototypeOf(array, prototype) as unknown[])
    for (let i = 0; i < length; i++) array[i] = this.read()
    this.depth--
    return array
  }

  /** The forms that arrays have, wherever they stand; undefined for any other tag. */
  private readArrayForm(code: number, prototype: object | undefined, slot: number): unknown[] | undefined {
    if (code >= tag.SHORT_ARRAY && code < tag.SHORT_OBJECT) return this.readArray(code & 15, prototype, slot)
    if (code === tag.ARRAY) return this.readArray(this.readUint(), prototype, slot)
    if (code === tag.SPARSE) return this.readSparse(prototype, slot)
    if (code !== tag.INT32S && code !== tag.FLOAT64S) return undefined
    const count = this.readUint()
    const size = count * (code === tag.INT32S ? 4 : 8)
    this.need(size)
    const array = (code === tag.INT32S ? readInt32s : readFloat64s)(this.bytes, this.pos, count)
    if (prototype !== undefined) Object.setPrototypeOf(array, prototype)
    this.values[slot] = array
    this.pos += size
    return array
  }

  private readSparse(prototype: object | undefined, slot: number): unknown[] {
    this.enter()
    const length = this.readUint()
    const count = this.readUint()
    this.need(count * 2)
    const array = sparseArray(length, count)
    if (prototype === undefined) this.values[slot] = array
    else this.defined(slot, Object.setPrototypeOf(array, prototype) as unknown[])
    for (let i = 0; i < count; i++) {
      const index = this.readUint()
      if (index >= length) throw this.corrupt(`element ${index} of an array of ${length}`)
      defineValue(array, index, this.read())
    }
    this.depth--
    return array
  }

  private readExtras(): unknown {
    const level = this.readByte()
    if (this.bytes[this.pos] === tag.EXTRAS) throw this.corrupt('properties of properties')
    const value = this.read()
    if (typeof value !== 'object' || value === null) throw this.corrupt('properties of a primitive')
    this.enter()
    this.readProperties(value)
    applyLevel(value, level)
    this.depth--
    return value
  }

  private readProperties(target: object): void {
    const count = this.readUint()
    this.need(count * 3)
    for (let i = 0; i < count; i++) {
      const key = this.read()
      if (typeof key !== 'string' && typeof key !== 'symbol') throw this.corrupt('a property without a name')
      const flags = this.readByte()
      if ((flags & tag.ACCESSOR) === 0) defineValue(target, key, this.read(), flags)
      else
        defineAccessor(
          target,
          key,
          flags,
          this.readMethod() as () => unknown,
          this.readMethod() as () => void,
        )
    }
  }

  private readMethod(): unknown {
    const method = this.read()
    if (method !== undefined && typeof method !== 'function')
      throw this.corrupt('an accessor without a function')
    return method
  }

  private readForeign(): unknown {
    const slot = this.count++
    if (this.extension === undefined)
      throw this.corrupt('a function or an instance, which is not expected here')
    this.enter()
    let value: unknown
    try {
      value = this.extension.decode(this, slot)
    } catch (error) {
      this.foreign = error
      throw error
    }
    this.depth--
    this.values[slot] = value
    return value
  }

  private readReduced(code: number): unknown {
    const slot = this.count++
    this.enter()
    const revive = this.read()
    const state = this.read()
    this.read() // what revive needs; the extension sees to it
    if (typeof revive !== 'function') throw this.corrupt('a reviver is no function')
    if (code === tag.REDUCED_CALL && !Array.isArray(state)) throw this.corrupt('a reviver without arguments')
    try {
      this.values[slot] =
        code === tag.REDUCED ? revive(state) : Reflect.apply(revive, undefined, state as unknown[])
    } catch (error) {
      this.foreign = error
      throw error
    }
    this.depth--
    return this.values[slot]
  }

  private readHandle(given: boolean): unknown {
    const slot = this.count++
    this.enter()
    const kind = kindNamed(this.readString(), this.readString())
    if (kind === undefined) throw this.corrupt('a handle of a kind that is not known here')
    const state = this.read()
    try {
      this.values[slot] = kind.read(state, given)
    } catch (error) {
      this.foreign = error
      throw error
    }
    this.depth--
    return this.values[slot]
  }

  private readTrailer(): void {
    const last = this.end - 4
    if (last <= this.pos) throw this.truncated()
    const size = this.bytes.readUInt32LE(last)
    const first = last - size
    if (first <= this.pos) throw this.corrupt('the trailer is longer than the message')
    const root = this.pos
    this.pos = first
    this.end = last
    const count = this.readUint()
    this.need(count * 3)
    const buffers: Arrived[] = []
    for (let i = 0; i < count; i++) buffers.push(readArrived(this))
    this.buffers = buffers
    this.pos = root
    this.end = first
  }

  /** @internal The next buffer that a view names, and where in the sender's it begins. */
  readBuffer(): readonly [buffer: ArrayBuffer, base: number] {
    const arrived = this.buffers?.[this.readUint()]
    if (arrived === undefined) throw this.corrupt('a view of a buffer that is not there')
    return [openBuffer(this.bytes, arrived), arrived.base]
  }

  /** @internal */
  defined<T extends object>(slot: number, value: T): T {
    const { adopt } = this
    this.adopt = undefined
    const used = adopt === undefined ? value : (adopt(value) as T)
    this.values[slot] = used
    return used
  }

  private enter(): void {
    if (++this.depth > maxDepth) throw this.corrupt(`values nested deeper than ${maxDepth} levels`)
  }

  /** Native constructors and definitions refuse nonsense in their own words. */
  private explain(error: unknown): unknown {
    // In this order: what is foreign may be a Proxy, which `instanceof` would ask.
    if ((this.foreign !== undefined && error === this.foreign) || error instanceof PlaitError) return error
    return this.corrupt(textOf(error), error)
  }

  private reset(): void {
    this.busy = false
    if (this.count > 1024) this.values.length = 0
    else for (let i = 0; i < this.count; i++) this.values[i] = undefined
    for (let i = 0; i < this.shapeCount; i++) this.shapes[i] = undefined
    this.count = this.depth = this.shapeCount = 0
    this.forget()
    this.extension = this.buffers = this.foreign = this.adopt = undefined
  }
}

/** A first push takes room for 17 elements; a literal takes what it shows. */
function emptyArray(length: number): unknown[] {
  if (length === 1) return [undefined]
  if (length === 2) return [undefined, undefined]
  if (length === 3) return [undefined, undefined, undefined]
  return length === 4 ? [undefined, undefined, undefined, undefined] : []
}

const spare = new Decoder()

/** Reads the root that lies from `start` to `end`. May be called while another decode is at work. */
export function decode(bytes: Buffer, start: number, end: number, extension?: DecodeExtension): unknown {
  return spare.decode(bytes, start, end, extension)
}
