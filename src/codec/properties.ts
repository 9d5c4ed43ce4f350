/**
 * Own properties, one by one with their flags, and how far an object is closed: the long way, for all that a
 * plain record of values does not show. Both directions.
 */
import { inspect, types } from 'node:util'
import { isIndex } from './arrays.ts'
import type { Encoder } from './encode.ts'
import { keySegment, prependPath } from './path.ts'
import * as tag from './tags.ts'

/** An own property as it is, getters not invoked. */
export type Property = readonly [key: string | symbol, descriptor: PropertyDescriptor]

const { getOwnPropertyDescriptor, isExtensible } = Object

/**
 * The own properties that travel beside the native part: the enumerable ones, or all of them. Elements,
 * `length` and `lastIndex` belong to the native part.
 */
export function propertiesOf(value: object, all: boolean): Property[] {
  const indexed = Array.isArray(value) || ArrayBuffer.isView(value) || types.isStringObject(value)
  const properties: Property[] = []
  for (const key of Reflect.ownKeys(value)) {
    if (
      typeof key === 'string' &&
      indexed &&
      (isIndex(key) || (key === 'length' && !ArrayBuffer.isView(value)))
    )
      continue
    if (key === 'lastIndex' && types.isRegExp(value)) continue
    const descriptor = readOwn(value, key)
    if (descriptor !== undefined && (all || descriptor.enumerable === true))
      properties.push([key, descriptor])
  }
  return properties
}

/**
 * One own property; undefined where it cannot be read. An error's stack becomes text at the first look at it,
 * and for that V8 asks the error's name and message: a getter of the user's, which may throw.
 */
export function readOwn(value: object, key: string | symbol): PropertyDescriptor | undefined {
  if (key !== 'stack') return getOwnPropertyDescriptor(value, key)
  try {
    return getOwnPropertyDescriptor(value, key)
  } catch {
    return undefined
  }
}

/** How far the object is closed: 0, PREVENTED, SEALED or FROZEN. */
export function levelOf(value: object): number {
  if (isExtensible(value)) return 0
  return Object.isFrozen(value) ? tag.FROZEN : Object.isSealed(value) ? tag.SEALED : tag.PREVENTED
}

const fewElements = 200

/** Whether an array is more than its elements: closed, or with named properties. Asked for every array. */
export function needsExtras(array: readonly unknown[]): boolean {
  if (!isExtensible(array)) return true
  const { length } = array
  if (length <= fewElements)
    return Object.keys(array).length !== length ? propertiesOf(array, false).length > 0 : false
  return hasNames(array, length)
}

/**
 * Whether a long array or view has enumerable named properties. Every list of keys would hold each index as a
 * string; inspect asks V8 for the other keys alone, at a price that does not grow with the length.
 */
export function hasNames(value: object, length: number): boolean {
  const shown = inspect(value, { maxArrayLength: 0, depth: 0, customInspect: false, breakLength: Infinity })
  return !shown.endsWith(`[ ... ${length} more item${length === 1 ? '' : 's'} ]`)
}

/** Writes a count and the properties. */
export function writeProperties(encoder: Encoder, properties: readonly Property[]): void {
  encoder.writeUint(properties.length)
  for (const [key, own] of properties) {
    try {
      encoder.write(key)
      const accessor = own.get !== undefined || own.set !== undefined
      encoder.writeByte(
        (own.enumerable === true ? tag.ENUMERABLE : 0) |
          (own.writable === true ? tag.WRITABLE : 0) |
          (own.configurable === true ? tag.CONFIGURABLE : 0) |
          (accessor ? tag.ACCESSOR : 0),
      )
      if (!accessor) encoder.write(own.value)
      else {
        encoder.write(own.get)
        encoder.write(own.set)
      }
    } catch (error) {
      throw prependPath(error, keySegment(key))
    }
  }
}

const simple = tag.ENUMERABLE | tag.WRITABLE | tag.CONFIGURABLE
const hidden = tag.WRITABLE | tag.CONFIGURABLE

/**
 * Up to Node 20 the stack of an error is data, and a definition of it would first make the text of the stack
 * that it replaces.
 */
const stackIsData = 'value' in (getOwnPropertyDescriptor(new Error(), 'stack') ?? {})

/** Puts one property on an object, whatever its prototype would do with an assignment. */
export function defineValue(target: object, key: PropertyKey, value: unknown, flags = simple): void {
  if (flags === simple && !(key in target)) (target as Record<PropertyKey, unknown>)[key] = value
  else if (key === 'stack' && flags === hidden && stackIsData && types.isNativeError(target))
    (target as { stack: unknown }).stack = value
  else
    Object.defineProperty(target, key, {
      value,
      enumerable: (flags & tag.ENUMERABLE) !== 0,
      writable: (flags & tag.WRITABLE) !== 0,
      configurable: (flags & tag.CONFIGURABLE) !== 0,
    })
}

/** The same for a getter and a setter. */
export function defineAccessor(
  target: object,
  key: PropertyKey,
  flags: number,
  get: (() => unknown) | undefined,
  set: ((value: unknown) => void) | undefined,
): void {
  const accessor = {
    get,
    set,
    enumerable: (flags & tag.ENUMERABLE) !== 0,
    configurable: (flags & tag.CONFIGURABLE) !== 0,
  }
  Object.defineProperty(target, key, accessor as PropertyDescriptor)
}

/** Closes an object as far as `level` says. */
export function applyLevel(target: object, level: number): void {
  if (level === tag.PREVENTED) Object.preventExtensions(target)
  else if (level === tag.SEALED) Object.seal(target)
  else if (level === tag.FROZEN) Object.freeze(target)
}
