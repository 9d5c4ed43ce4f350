/**
 * Values to bytes. One walk, depth first, straight into the caller's Writer; what is met a second time is
 * written as a reference. Plain data never leaves this file; builtin classes are in natives.ts, and what
 * has no form of its own (functions, instances, unique symbols) is handed to the extension. Getters are
 * never invoked, and an error leaves the Writer as it was.
 */
import { InvalidStateError, SerializationError } from '../core/errors.ts'
import { maxDepth } from '../core/limits.ts'
import { arrayKind, writeInt32s, writeFloat64s, writeSparse } from './arrays.ts'
import { isArgumentsObject, isProxy } from './brands.ts'
import { Trailer } from './buffers.ts'
import { Carried } from './handles.ts'
import { Met } from './met.ts'
import { writeArguments, writeNative, writeOther, writePrimitiveSymbol } from './natives.ts'
import { Output } from './output.ts'
import { cannotSend, keySegment, prependPath } from './path.ts'
import { levelOf, needsExtras, propertiesOf, writeProperties } from './properties.ts'
import { plainDataOnly } from './refuse.ts'
import { nextShape, shapeBytes, shapeRoot, type ShapeNode } from './shapes.ts'
import * as tag from './tags.ts'
import { writeText } from './text.ts'
import type { Writer } from './writer.ts'

/**
 * What the codec does not know itself, written by another room: functions, classes, unique symbols,
 * instances.
 */
export interface EncodeExtension {
  /**
   * A function, a symbol that is neither registered nor well-known, or an object whose class the codec
   * does not know. Writes the parts of exactly one value through the encoder, or throws a
   * SerializationError.
   */
  encode(value: object | symbol, encoder: Encoder): void
  /**
   * Asked about a plain object that is out of the ordinary (no keys, accessors, very many keys, no
   * prototype): true where it is to go to `encode` all the same, as `Math` or a module's exports do.
   */
  claims?(value: object): boolean
  /**
   * Asked when a reducer's function and state are written: the function will be called as soon as they are
   * read. An extension value that has to be read before that, or null.
   */
  ready?(): object | null
  /** Told of each instance that travels as what its registered reducer returns. */
  reduces?(value: object): void
  /** What becomes of the handles in it; left out, they are given to the one who reads it. */
  readonly carried?: Carried | undefined
  /** The root is an array made for the message: nothing but its elements is meant. */
  readonly list?: boolean
}

const objectPrototype = Object.prototype
const arrayPrototype = Array.prototype
const { getPrototypeOf, getOwnPropertyDescriptor, isExtensible } = Object
const { getOwnPropertyNames, getOwnPropertySymbols } = Object
const descriptorOf: (object: object, key: string) => PropertyDescriptor | undefined = getOwnPropertyDescriptor

/** Objects with more keys are not asked for hidden ones. */
const fewKeys = 16

let epochs = 0

/** One walk at a time; reusable. `encode` below keeps one. */
export class Encoder extends Output {
  /** @internal For the other files of this room. */
  extension: EncodeExtension | undefined
  /** @internal */
  readonly trailer = new Trailer()
  /** @internal Slots of instances whose reducer is at work: a reference to one of them cannot be revived. */
  readonly reducing: number[] = []
  /** @internal The message's handles; the last ones are those of a sender who does not ask. */
  carried: Carried
  private readonly given = new Carried(false)
  /** @internal */
  depth = 0
  /** @internal In the middle of a message. */
  busy = false
  private readonly met = new Met()
  /** Values of the objects whose keys are being written, so that nothing is read twice. */
  private readonly stack: unknown[] = []
  private top = 0
  private epoch = 0
  private shapes = 0

  constructor() {
    super()
    this.carried = this.given
  }

  /** Writes one root at writer.pos; on a throw writer.pos is put back to where it was. */
  encode(value: unknown, writer: Writer, extension?: EncodeExtension): void {
    if (this.busy)
      throw new InvalidStateError('this Encoder is in the middle of a message; use encode() or another one')
    const start = writer.pos
    this.busy = true
    this.writer = writer
    this.extension = extension
    this.carried = extension?.carried ?? this.given
    this.epoch = ++epochs
    try {
      writer.reserve(16)
      writer.bytes[writer.pos++] = tag.version
      this.write(value)
      if (this.trailer.size > 0) {
        writer.bytes[start] = tag.version | tag.trailerFlag
        this.trailer.write(writer, this.carried)
      }
    } catch (error) {
      writer.pos = start
      this.carried.drop()
      throw explain(error)
    } finally {
      this.reset()
    }
  }

  /** Writes one nested value; shares references with the root. */
  write(value: unknown): void {
    // Comparisons, not a switch: V8 makes a name for each `typeof` that is not compared at once.
    if (typeof value === 'number') this.writeNumber(value)
    else if (typeof value === 'string') writeText(this.writer, value)
    else if (typeof value === 'object' && value !== null) this.writeObject(value)
    else if (typeof value === 'boolean') this.writeByte(value ? tag.TRUE : tag.FALSE)
    else if (value === undefined || value === null) this.writeByte(value === null ? tag.NULL : tag.UNDEFINED)
    else if (typeof value === 'bigint') this.writeBigInt(value)
    else if (typeof value !== 'symbol' || !writePrimitiveSymbol(this, value)) {
      const foreign = value as symbol | Function
      if (!this.writeReference(foreign)) this.writeForeign(foreign)
    }
  }

  /**
   * Writes the native part of an object of a user class (what makes it a Map, an Error, an Array, a plain
   * object …), then its own properties, extensibility included.
   */
  writeNative(value: object): void {
    writeNative(this, value)
  }

  private writeObject(value: object): void {
    if (this.writeReference(value)) return
    // Before anything else touches the object: every further question would run the proxy's traps.
    if (isProxy(value)) throw cannotSend('it is a Proxy', 'Send the object behind it')
    if (++this.depth > maxDepth) throw tooDeep()
    const prototype = getPrototypeOf(value) as object | null
    if (prototype === objectPrototype) this.writePlain(value as Record<string, unknown>)
    else if (prototype === arrayPrototype && Array.isArray(value)) this.writeArray(value)
    else writeOther(this, value, prototype)
    this.depth--
  }

  /** Writes REF where the value was met before; else gives it the next slot. */
  private writeReference(value: object | symbol): boolean {
    const slot = this.met.slotOf(value)
    return slot < 0 ? false : this.refer(slot)
  }

  private refer(slot: number): true {
    if (this.reducing.length > 0 && this.reducing.includes(slot))
      throw cannotSend('what its reducer returns refers back to the instance itself')
    this.writeByte(tag.REF)
    this.writeUint(slot)
    return true
  }

  /** @internal The slot given last. */
  get lastSlot(): number {
    return this.met.count - 1
  }

  /** @internal */
  writeForeign(value: object | symbol): void {
    if (this.extension === undefined) throw plainDataOnly(value)
    // Objects are counted by writeObject.
    if (typeof value !== 'object' && ++this.depth > maxDepth) throw tooDeep()
    this.writeByte(tag.EXTENSION)
    this.extension.encode(value, this)
    if (typeof value !== 'object') this.depth--
  }

  private writePlain(object: Record<string, unknown>): void {
    const base = this.top
    const shape = this.collect(object)
    if (shape === undefined) return this.writeUnusual(object)
    this.writeShaped(shape, base)
  }

  /**
   * Puts the values of a simple object on the stack and finds its shape; undefined where it is not simple.
   */
  private collect(object: Record<string, unknown>): ShapeNode | undefined {
    const stack = this.stack
    const base = this.top
    let top = base
    let node = shapeRoot()
    let simple = true
    for (const key in object) {
      const descriptor = descriptorOf(object, key)
      const next = node.lastKey === key ? node.lastChild : nextShape(node, key)
      // Frozen, sealed, an accessor, inherited, or too large for a shape.
      if (descriptor?.writable !== true || descriptor.configurable !== true || next === undefined) {
        simple = false
        break
      }
      stack[top++] = descriptor.value
      node = next
    }
    // Hidden keys, which for-in does not show: quick to count unless V8 keeps the object as a hash table.
    const count = top - base
    if (simple && count <= fewKeys && getOwnPropertyNames(object).length !== count) simple = false
    if (simple && top > base && getOwnPropertySymbols(object).length === 0 && isExtensible(object)) {
      this.top = top
      return node
    }
    while (top > base) stack[--top] = undefined
    return undefined
  }

  /** The values of `shape` lie on the stack from `base` on. */
  private writeShaped(shape: ShapeNode, base: number): void {
    const { keys } = shape
    if (shape.epoch === this.epoch && shape.id < 16) this.writeByte(tag.SHORT_OBJECT | shape.id)
    else this.writeShape(shape)
    const stack = this.stack
    let i = 0
    try {
      for (; i < keys.length; i++) {
        this.write(stack[base + i])
        stack[base + i] = undefined
      }
    } catch (error) {
      throw prependPath(error, keySegment(keys[i]!))
    }
    this.top = base
  }

  private writeShape(shape: ShapeNode): void {
    if (shape.epoch === this.epoch) {
      this.writeByte(tag.OBJECT)
      return this.writeUint(shape.id)
    }
    shape.epoch = this.epoch
    shape.id = this.shapes++
    const block = shape.bytes ?? shapeBytes(shape)
    const size = block.length
    const writer = this.writer
    writer.reserve(size)
    const { bytes, pos } = writer
    if (size > 40) bytes.set(block, pos)
    else for (let i = 0; i < size; i++) bytes[pos + i] = block[i]!
    writer.pos = pos + size
  }

  /** A plain object with something out of the ordinary. */
  private writeUnusual(object: object): void {
    if (this.extension?.claims?.(object) === true) return this.writeForeign(object)
    if (isArgumentsObject(object)) return writeArguments(this, object)
    const properties = propertiesOf(object, true)
    const level = levelOf(object)
    if (Object.hasOwn(object, Symbol.toStringTag) && Object.keys(object).length === 0)
      throw cannotSend('it is a builtin namespace object', 'Use it by its global name instead')
    if (properties.length === 0 && level === 0) return this.writeByte(tag.OBJECT_EMPTY)
    this.writeByte(tag.EXTRAS)
    this.writeByte(level)
    this.writeByte(tag.OBJECT_EMPTY)
    writeProperties(this, properties)
  }

  /**
   * @internal An object of a user class: as plain ones where it is simple. INSTANCE means that all follows
   * as EXTRAS.
   */
  writeInstance(object: object): boolean {
    const base = this.top
    const shape = Object.getOwnPropertyNames(object).length > 0 ? this.collectInstance(object) : undefined
    if (shape !== undefined) this.writeShaped(shape, base)
    return shape !== undefined
  }

  private collectInstance(object: object): ShapeNode | undefined {
    const base = this.top
    let node: ShapeNode | undefined = shapeRoot()
    let top = base
    for (const key of Reflect.ownKeys(object)) {
      const own = typeof key === 'string' ? descriptorOf(object, key) : undefined
      node = own?.writable && own.configurable && own.enumerable ? nextShape(node, key as string) : undefined
      if (node === undefined) break
      this.stack[top++] = own!.value
    }
    if (node !== undefined && isExtensible(object)) {
      this.top = top
      return node
    }
    while (top > base) this.stack[--top] = undefined
    return undefined
  }

  /** @internal */
  writeArray(array: readonly unknown[]): void {
    const extras = (this.depth > 1 || this.extension?.list !== true) && needsExtras(array)
    if (extras) {
      this.writeByte(tag.EXTRAS)
      this.writeByte(levelOf(array))
    }
    this.writeElements(array)
    if (extras) writeProperties(this, propertiesOf(array, true))
  }

  /** @internal What lies between the brackets. */
  writeElements(array: readonly unknown[]): void {
    const { length } = array
    const kind = arrayKind(array)
    if (kind === tag.INT32S) return writeInt32s(this, array as readonly number[])
    if (kind === tag.FLOAT64S) return writeFloat64s(this, array as readonly number[])
    if (kind === tag.SPARSE) return writeSparse(this, array)
    if (length < 16) this.writeByte(tag.SHORT_ARRAY | length)
    else {
      this.writeByte(tag.ARRAY)
      this.writeUint(length)
    }
    let i = 0
    try {
      for (; i < length; i++) this.write(array[i])
    } catch (error) {
      throw prependPath(error, `[${i}]`)
    }
  }

  private reset(): void {
    this.busy = false
    this.extension = undefined
    this.given.clear()
    this.carried = this.given
    this.met.clear()
    this.depth = this.shapes = 0
    if (this.top > 0 || this.stack.length > 1024) this.stack.length = this.top = 0
    if (this.reducing.length > 0) this.reducing.length = 0
    if (this.trailer.size > 0) this.trailer.clear()
  }
}

const spare = new Encoder()

/** Writes one root at writer.pos. May be called while another encode is at work, as a reducer does. */
export function encode(value: unknown, writer: Writer, extension?: EncodeExtension): void {
  const encoder = spare.busy ? new Encoder() : spare
  encoder.encode(value, writer, extension)
}

function tooDeep(than = `than ${maxDepth} levels`): SerializationError {
  return cannotSend(`it is nested deeper ${than}`, 'Flatten it: a list of nodes with indexes, say')
}

/** The machine's own limits, said in our words. */
function explain(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error
  if (/call stack/.test(error.message)) return tooDeep('than the stack allows')
  if ((error as NodeJS.ErrnoException).code === 'ERR_OUT_OF_RANGE' || /allocation|length/.test(error.message))
    return cannotSend('it is too large for one message', 'Send it in parts', error)
  return error
}
