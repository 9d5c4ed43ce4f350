/**
 * What an object really is, whatever its prototype says: the native part that a constructor of the
 * language or of Node gave it. Asked by the encoder and by writeNative; never runs code of the object.
 */
import { types } from 'node:util'
import * as tag from './tags.ts'

export const { isArgumentsObject, isModuleNamespaceObject, isProxy } = types

const hrefOf = Object.getOwnPropertyDescriptor(URL.prototype, 'href')!.get!
const sizeOf = Object.getOwnPropertyDescriptor(URLSearchParams.prototype, 'toString')!.value as () => string
const nameOf = Object.getOwnPropertyDescriptor(DOMException.prototype, 'name')!.get!

/** The tag of the object's native part; INSTANCE where it has none. */
export function brandOf(value: object): number {
  if (Array.isArray(value)) return tag.ARRAY
  if (ArrayBuffer.isView(value)) return types.isSharedArrayBuffer(value.buffer) ? tag.SHARED_VIEW : tag.VIEW
  if (types.isMap(value)) return tag.MAP
  if (types.isSet(value)) return tag.SET
  if (types.isDate(value)) return tag.DATE
  if (value instanceof DOMException && answers(nameOf, value)) return tag.DOM_EXCEPTION
  if (types.isNativeError(value)) return tag.ERROR
  if (types.isRegExp(value)) return tag.REGEXP
  if (types.isArrayBuffer(value)) return tag.ARRAY_BUFFER
  if (types.isSharedArrayBuffer(value)) return tag.SHARED_BUFFER
  if (types.isBoxedPrimitive(value)) return tag.BOXED
  if (value instanceof URL && answers(hrefOf, value)) return tag.URL_TAG
  if (value instanceof URLSearchParams && answers(sizeOf, value)) return tag.URL_PARAMS
  return tag.INSTANCE
}

/** A native method that throws on objects without its private state. */
function answers(method: () => unknown, value: object): boolean {
  try {
    method.call(value)
    return true
  } catch {
    return false
  }
}

/** The prototypes of builtin classes and the brand that goes with each: such objects need no extension. */
export const builtins: ReadonlyMap<object, number> = new Map<object, number>([
  [Map.prototype, tag.MAP],
  [Set.prototype, tag.SET],
  [Date.prototype, tag.DATE],
  [RegExp.prototype, tag.REGEXP],
  [ArrayBuffer.prototype, tag.ARRAY_BUFFER],
  [SharedArrayBuffer.prototype, tag.SHARED_BUFFER],
  [URL.prototype, tag.URL_TAG],
  [URLSearchParams.prototype, tag.URL_PARAMS],
  [DOMException.prototype, tag.DOM_EXCEPTION],
  ...[Number, String, Boolean, BigInt, Symbol].map((type) => [type.prototype, tag.BOXED] as const),
])

/** Names of the constructors, by brand, for objects of another realm (a vm context, as test runners use). */
const names = new Map<number, readonly string[]>([
  [tag.INSTANCE, ['Object']],
  [tag.ARRAY, ['Array']],
  [tag.MAP, ['Map']],
  [tag.SET, ['Set']],
  [tag.DATE, ['Date']],
  [tag.REGEXP, ['RegExp']],
  [tag.ARRAY_BUFFER, ['ArrayBuffer']],
  [tag.BOXED, ['Number', 'String', 'Boolean', 'BigInt', 'Symbol']],
  [tag.ERROR, ['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError']],
])

/** Whether `prototype` is that of a builtin class in another realm; what has it arrives as this realm's. */
export function isOtherRealm(brand: number, prototype: object): boolean {
  const constructor = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value as unknown
  if (
    typeof constructor !== 'function' ||
    !Function.prototype.toString.call(constructor).endsWith('{ [native code] }')
  )
    return false
  if (ArrayBuffer.isView(prototype)) return false
  if (brand === tag.VIEW) return constructor.name.endsWith('Array')
  return names.get(brand)?.includes(constructor.name) === true
}
