/**
 * Errors as values: which class the codec knows by name, and what of an error travels. A stack travels as the
 * string it is; a getter that a user put in its place is not asked.
 */
import { errorClasses } from '../core/errors.ts'
import { isOtherRealm } from './brands.ts'
import { readOwn, type Property } from './properties.ts'
import * as tag from './tags.ts'

type ErrorClass = abstract new (...args: never[]) => Error

const nativeClasses: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError].map(
    (type) => [type.name, type],
  ),
)

/** The same by their prototypes: most errors are found here. */
const nativeNames: ReadonlyMap<object, string> = new Map(
  [...nativeClasses].map(([name, type]) => [type.prototype, name]),
)

/**
 * The native way to a stack where it is an accessor (V8 since 12), own or inherited; undefined where it is
 * data.
 */
const stackGetter = (
  Object.getOwnPropertyDescriptor(new Error(), 'stack') ??
  Object.getOwnPropertyDescriptor(Error.prototype, 'stack')
)?.get

/**
 * The name under which the codec itself can rebuild an error of this prototype; undefined for a user's
 * class.
 */
export function errorName(error: object, prototype: object): string | undefined {
  const native = nativeNames.get(prototype)
  if (native !== undefined) return native
  const constructor = constructorOf(prototype)
  const name = constructor?.name ?? ''
  if (
    constructor !== undefined &&
    (nativeClasses.get(name) === constructor || errorClasses.get(name) === constructor)
  )
    return name
  return isInternal(error, prototype) ? nativeErrorName(error) : undefined
}

/**
 * Whether the class is one inside Node that no one can import. What tells such errors apart (name, code)
 * is in their own properties, so they arrive as the builtin class beneath.
 */
function isInternal(error: object, prototype: object): boolean {
  if (nativeNames.has(prototype)) return false
  const constructor = Object.getOwnPropertyDescriptor(prototype, 'constructor')
  const name = constructorOf(prototype)?.name ?? ''
  // Most of them show a getter where the constructor should be.
  if (constructor?.get === undefined && !['NodeError', 'AbortError', 'SystemError'].includes(name))
    return false
  const code = Object.getOwnPropertyDescriptor(error, 'code')?.value as unknown
  return typeof code === 'string' && /^(ERR_|ABORT_ERR)/.test(code)
}

/** The builtin class that a user's error class comes from. */
export function nativeErrorName(error: object): string {
  let at = Object.getPrototypeOf(error) as object | null
  for (; at !== null; at = Object.getPrototypeOf(at) as object | null)
    for (const [name, type] of nativeClasses)
      if (type.prototype === at || (constructorOf(at)?.name === name && isOtherRealm(tag.ERROR, at)))
        return name
  return 'Error'
}

function constructorOf(prototype: object): Function | undefined {
  const constructor = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value as unknown
  return typeof constructor === 'function' ? constructor : undefined
}

/** What travels of an error beside its class: all own data, enumerable or not. */
export function errorProperties(error: object): Property[] {
  const internal = isInternal(error, Object.getPrototypeOf(error) as object)
  const properties: Property[] = []
  for (const key of Reflect.ownKeys(error)) {
    // Becomes text at the first look at it: looked at once, below.
    if (key === 'stack') continue
    const own = Object.getOwnPropertyDescriptor(error, key)!
    if (internal && !('value' in own)) continue
    // Node decorates its own errors with hidden methods and symbols.
    if (own.enumerable === true || (typeof key !== 'symbol' && typeof own.value !== 'function'))
      properties.push([key, own])
  }
  const stack = stackOf(error)
  if (typeof stack === 'string')
    properties.push(['stack', { value: stack, writable: true, enumerable: false, configurable: true }])
  return properties
}

function stackOf(error: object): unknown {
  const own = readOwn(error, 'stack')
  if (own !== undefined && 'value' in own) return own.value
  if (stackGetter === undefined || (own !== undefined && own.get !== stackGetter)) return undefined
  try {
    return stackGetter.call(error)
  } catch {
    // As in readOwn: a message that throws.
    return undefined
  }
}

/**
 * An error of the class called `name`, or of `prototype`, without any property; no constructor of a user
 * runs.
 */
export function makeError(name: string, prototype: object | undefined): Error {
  const type = nativeClasses.get(name)
  const target =
    prototype ??
    type?.prototype ??
    errorClasses.get(name)?.prototype ??
    errorClasses.get('PlaitError')!.prototype
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    const error = Reflect.construct(type === AggregateError ? Error : (type ?? Error), []) as Error
    if (Object.getPrototypeOf(error) !== target) Object.setPrototypeOf(error, target as object)
    return error
  } finally {
    Error.stackTraceLimit = limit
  }
}
