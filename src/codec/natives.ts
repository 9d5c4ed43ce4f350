/**
 * Everything that is neither a primitive, a plain object nor an array: builtin classes by their native part,
 * classes with a reducer by what it returns, the rest to the extension, or refused. Called by the encoder.
 */
import { inThread } from '../core/context.ts'
import { textOf } from '../core/text.ts'
import { isIndex } from './arrays.ts'
import { brandOf, builtins, isModuleNamespaceObject, isOtherRealm } from './brands.ts'
import { viewKind, writeArrayBuffer, writeSharedBuffer, writeView } from './buffers.ts'
import type { Encoder } from './encode.ts'
import { errorName, errorProperties, nativeErrorName } from './failures.ts'
import { cannotSend, entrySegment, prependPath } from './path.ts'
import { handleKind, handleParent, type HandleKind } from './handles.ts'
import { levelOf, propertiesOf, writeProperties, type Property } from './properties.ts'
import { findReducer, reduceMethodOf } from './reducers.ts'
import { refuse } from './refuse.ts'
import * as tag from './tags.ts'

/** Writes an object that is neither plain nor a plain array; its slot is given already. */
export function writeOther(encoder: Encoder, value: object, prototype: object | null): void {
  const kind = handleKind(value, prototype)
  if (kind !== undefined) return writeHandle(encoder, value, kind)
  const reducer = findReducer(value)
  if (reducer !== undefined) {
    encoder.extension?.reduces?.(value)
    return writeReduced(encoder, () => [tag.REDUCED, reducer.revive, reducer.reduce(value)])
  }
  if (prototype === null) return writeNullPrototype(encoder, value)
  const brand = brandOf(value)
  if (isBuiltin(value, brand, prototype)) return writeBuiltin(encoder, value, brand)
  const reduce = reduceMethodOf(value)
  if (reduce !== undefined)
    return writeReduced(encoder, () => [tag.REDUCED_CALL, ...parts(reduce.call(value))])
  if (isOtherRealm(brand, prototype))
    return encoder.extension?.claims?.(value) === true
      ? encoder.writeForeign(value)
      : writeBuiltin(encoder, value, brand)
  refuse(value)
  const parent = handleParent(prototype)
  if (parent !== undefined)
    throw cannotSend(`its class derives from ${parent.name}, whose own instances alone can travel`, 'Wrap it')
  encoder.writeForeign(value)
}

function writeHandle(encoder: Encoder, value: object, kind: HandleKind): void {
  const { carried } = encoder
  encoder.writeByte(carried.lent ? tag.HANDLE_LENT : tag.HANDLE_GIVEN)
  encoder.writeString(kind.room)
  encoder.writeString(kind.name)
  // What a thread gives, it gives to its parent, or puts into shared memory.
  const process = !carried.inside && (carried.lent || !inThread())
  encoder.write(kind.write(value, carried, process))
}

/** The native part of any object, then its own properties and its level; see Encoder.writeNative. */
export function writeNative(encoder: Encoder, value: object): void {
  const brand = brandOf(value)
  if (brand === tag.INSTANCE) {
    if (encoder.writeInstance(value)) return
    encoder.writeByte(tag.INSTANCE)
  } else writeContent(encoder, value, brand)
  encoder.writeByte(levelOf(value))
  writeProperties(encoder, brand === tag.ERROR ? errorProperties(value) : propertiesOf(value, true))
}

function isBuiltin(value: object, brand: number, prototype: object): boolean {
  if (brand === tag.ERROR) return errorName(value, prototype) !== undefined
  if (brand === tag.VIEW || brand === tag.SHARED_VIEW)
    return viewKind(value as ArrayBufferView, prototype) >= 0
  return builtins.get(prototype) === brand
}

function writeBuiltin(encoder: Encoder, value: object, brand: number): void {
  const properties = extrasOf(value, brand)
  const level = levelOf(value)
  if (properties.length === 0 && level === 0) return writeContent(encoder, value, brand)
  encoder.writeByte(tag.EXTRAS)
  encoder.writeByte(level)
  writeContent(encoder, value, brand)
  writeProperties(encoder, properties)
}

function extrasOf(value: object, brand: number): Property[] {
  if (brand === tag.ERROR || brand === tag.DOM_EXCEPTION) return errorProperties(value)
  // Named properties of views are not looked for: asking would cost more than most views.
  if (brand === tag.VIEW || brand === tag.SHARED_VIEW) return []
  return propertiesOf(value, true)
}

/** Travels as an array with properties of its own, and arrives as the `arguments` of a strict function. */
export function writeArguments(encoder: Encoder, value: object): void {
  const length = Object.getOwnPropertyDescriptor(value, 'length')?.value as unknown
  if (typeof length !== 'number' || length >>> 0 !== length || length > 0xffff)
    throw cannotSend('it is an `arguments` object with another length', 'Send [...arguments]')
  const isElement = (key: string | symbol): boolean =>
    typeof key === 'string' && isIndex(key) && Number(key) < length
  const properties = propertiesOf(value, false).filter(([key]) => !isElement(key))
  const level = levelOf(value)
  if (properties.length > 0 || level > 0) {
    encoder.writeByte(tag.EXTRAS)
    encoder.writeByte(level)
  }
  encoder.writeByte(tag.ARGUMENTS)
  encoder.writeUint(length)
  for (let i = 0; i < length; i++)
    try {
      encoder.write(Object.getOwnPropertyDescriptor(value, i)?.value)
    } catch (error) {
      throw prependPath(error, `[${i}]`)
    }
  if (properties.length > 0 || level > 0) writeProperties(encoder, properties)
}

function writeNullPrototype(encoder: Encoder, value: object): void {
  if (isModuleNamespaceObject(value) || encoder.extension?.claims?.(value) === true)
    return encoder.writeForeign(value)
  if (brandOf(value) !== tag.INSTANCE)
    throw cannotSend('its prototype was set to null, which hides what it is', 'Send a copy that has one')
  encoder.writeByte(tag.EXTRAS)
  encoder.writeByte(levelOf(value))
  encoder.writeByte(tag.OBJECT_NULL)
  writeProperties(encoder, propertiesOf(value, true))
}

/**
 * What a reducer returns stands for the instance; until it is written, nothing may refer back to the
 * instance.
 */
function writeReduced(encoder: Encoder, reduce: () => readonly [number, unknown, unknown]): void {
  let reduced: readonly [number, unknown, unknown]
  try {
    reduced = reduce()
  } catch (error) {
    throw cannotSend(`its reducer failed: ${textOf(error)}`, '', error)
  }
  const [kind, revive, state] = reduced
  encoder.writeByte(kind)
  encoder.reducing.push(encoder.lastSlot)
  encoder.write(revive)
  encoder.write(state)
  encoder.write(encoder.extension?.ready?.() ?? null)
  encoder.reducing.pop()
}

function parts(returned: unknown): [unknown, unknown] {
  if (Array.isArray(returned) && typeof returned[0] === 'function' && Array.isArray(returned[1]))
    return [returned[0], returned[1]]
  throw new TypeError("the method under Symbol.for('plait.reduce') must return [function, arguments]")
}

function writeContent(encoder: Encoder, value: object, brand: number): void {
  switch (brand) {
    case tag.INSTANCE:
      return encoder.writeByte(tag.OBJECT_EMPTY)
    case tag.ARRAY:
      return encoder.writeElements(value as readonly unknown[])
    case tag.MAP:
      return writeMap(encoder, value as Map<unknown, unknown>)
    case tag.SET:
      return writeSet(encoder, value as Set<unknown>)
    case tag.VIEW:
    case tag.SHARED_VIEW:
      return writeView(
        encoder,
        value as ArrayBufferView,
        viewKind(value as ArrayBufferView, prototypeOf(value)),
      )
    case tag.ARRAY_BUFFER:
      return writeArrayBuffer(encoder, value as ArrayBuffer)
    case tag.SHARED_BUFFER:
      return writeSharedBuffer(encoder, value as SharedArrayBuffer)
    default:
      encoder.writeByte(brand)
      writeScalar(encoder, value, brand)
  }
}

/**
 * The classes that come down to a few primitives. Methods of the builtin prototypes: a subclass is not
 * asked.
 */
function writeScalar(encoder: Encoder, value: object, brand: number): void {
  switch (brand) {
    case tag.DATE:
      return encoder.writeFloat(Date.prototype.getTime.call(value as Date))
    case tag.REGEXP:
      encoder.writeString(sourceOf.call(value) as string)
      encoder.writeString(flagsOf(value))
      return encoder.write((value as RegExp).lastIndex)
    case tag.URL_TAG:
      return encoder.writeString(hrefOf.call(value) as string)
    case tag.URL_PARAMS:
      return encoder.writeString(URLSearchParams.prototype.toString.call(value))
    case tag.BOXED:
      return encoder.write(primitiveOf(value))
    case tag.ERROR:
      return encoder.writeString(errorName(value, prototypeOf(value)) ?? nativeErrorName(value))
    case tag.DOM_EXCEPTION:
      encoder.writeString(messageOf.call(value) as string)
      return encoder.writeString(nameOf.call(value) as string)
  }
}

function writeMap(encoder: Encoder, map: Map<unknown, unknown>): void {
  const flat: unknown[] = []
  Map.prototype.forEach.call(map, (item, key) => flat.push(key, item))
  encoder.writeByte(tag.MAP)
  encoder.writeUint(flat.length / 2)
  let i = 0
  try {
    for (; i < flat.length; i++) encoder.write(flat[i])
  } catch (error) {
    throw prependPath(error, i % 2 === 0 ? `key(${i / 2})` : entrySegment(flat[i - 1]))
  }
}

function writeSet(encoder: Encoder, set: Set<unknown>): void {
  const items: unknown[] = []
  Set.prototype.forEach.call(set, (item) => items.push(item))
  encoder.writeByte(tag.SET)
  encoder.writeUint(items.length)
  let i = 0
  try {
    for (; i < items.length; i++) encoder.write(items[i])
  } catch (error) {
    throw prependPath(error, `item(${i})`)
  }
}

const wellKnown = new Map(
  Reflect.ownKeys(Symbol).flatMap((name) => {
    const value = (Symbol as unknown as Record<PropertyKey, unknown>)[name]
    return typeof value === 'symbol' && typeof name === 'string' ? [[value, name] as const] : []
  }),
)

/** Registered and well-known symbols are the same everywhere; false for a unique one. */
export function writePrimitiveSymbol(encoder: Encoder, symbol: symbol): boolean {
  const key = Symbol.keyFor(symbol)
  const name = key ?? wellKnown.get(symbol)
  if (name === undefined) return false
  encoder.writeByte(key === undefined ? tag.SYMBOL_WELL_KNOWN : tag.SYMBOL_REGISTERED)
  encoder.writeString(name)
  return true
}

function getter(prototype: object, key: string): () => unknown {
  return Object.getOwnPropertyDescriptor(prototype, key)!.get!
}

const sourceOf = getter(RegExp.prototype, 'source')
const hrefOf = getter(URL.prototype, 'href')
const messageOf = getter(DOMException.prototype, 'message')
const nameOf = getter(DOMException.prototype, 'name')
const flagGetters = (
  [
    ['d', 'hasIndices'],
    ['g', 'global'],
    ['i', 'ignoreCase'],
    ['m', 'multiline'],
    ['s', 'dotAll'],
    ['u', 'unicode'],
    ['v', 'unicodeSets'],
    ['y', 'sticky'],
  ] as const
).map(([flag, key]) => [flag, getter(RegExp.prototype, key)] as const)

function flagsOf(value: object): string {
  let flags = ''
  for (const [flag, get] of flagGetters) if (get.call(value) === true) flags += flag
  return flags
}

const boxes = [Number, String, Boolean, BigInt, Symbol] as const

function primitiveOf(value: object): unknown {
  for (const type of boxes)
    try {
      return (type.prototype.valueOf as () => unknown).call(value)
    } catch {
      continue
    }
  return undefined
}

function prototypeOf(value: object): object {
  return (Object.getPrototypeOf(value) as object | null) ?? Object.prototype
}
