/**
 * The last resort of an error that cannot travel whole: what is left of it as a builtin error. For the
 * child's side of Process and Pool, after capture has refused the error itself. Never throws, whatever it is
 * given: every question to the error may run code of the user's, or meet a proxy that answers none.
 */
import { inspect } from 'node:util'

const builtins = [
  RangeError,
  TypeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
  AggregateError,
  Error,
]

/** Causes of causes are followed so far. */
const deepest = 8
/** So many errors and other objects are looked at; lists are cut there. */
const mostParts = 1000
/** Longer texts are cut: the error has to fit into a message. */
const longestText = 1_000_000

/** Where even making an error throws: a program may have its own ideas of stack traces. */
const lastResort = new Error('an error that cannot be shown')

/** What was made of each object so far: none is rebuilt twice, and circles stay circles. */
type Done = Map<unknown, unknown>

/**
 * The nearest builtin error with the same name, message, stack and cause, and those own fields that are
 * primitives. What was thrown and is no error is shown as text.
 */
export function plainError(error: unknown): Error {
  return attempt(() => {
    const type = typeOf(error)
    return type === undefined
      ? new Error(`thrown: ${show(error)}`)
      : rebuild(error as Error, type, 0, new Map())
  }, lastResort)
}

function typeOf(value: unknown): ErrorConstructor | AggregateErrorConstructor | undefined {
  return attempt(() => builtins.find((builtin) => value instanceof builtin), undefined)
}

function plainPart(value: unknown, depth: number, done: Done): unknown {
  if (typeof value === 'symbol') return show(value)
  if (!isObject(value)) return value
  if (done.has(value)) return done.get(value)
  const type = depth > deepest ? undefined : typeOf(value)
  if (type !== undefined) return rebuild(value as Error, type, depth, done)
  const text = show(value)
  done.set(value, text)
  return text
}

function rebuild(
  error: Error,
  type: ErrorConstructor | AggregateErrorConstructor,
  depth: number,
  done: Done,
): Error {
  const message = read(error, 'message')
  const plain = Reflect.construct(type, type === AggregateError ? [[], message] : [message]) as Error
  done.set(error, plain)
  define(plain, 'stack', read(error, 'stack'))
  const name = read(error, 'name')
  if (name !== plain.name) define(plain, 'name', name)
  const cause = own(error, 'cause')
  if (cause !== undefined) define(plain, 'cause', plainPart(cause.value, depth + 1, done))
  const errors: unknown = own(error, 'errors')?.value
  if (attempt(() => Array.isArray(errors), false))
    define(plain, 'errors', plainList(errors as unknown[], depth + 1, done))
  for (const key of attempt(() => Object.keys(error), [])) {
    const value: unknown = own(error, key)?.value
    if (value === undefined || isObject(value) || typeof value === 'symbol') continue
    if (Object.hasOwn(plain, key)) continue
    Object.defineProperty(plain, key, { value, writable: true, enumerable: true, configurable: true })
  }
  return plain
}

/** The list may be a proxy, or an instance of a class with a map() of its own. */
function plainList(list: readonly unknown[], depth: number, done: Done): unknown[] {
  const length = Math.min(mostParts, Number(own(list, 'length')?.value ?? 0))
  const plain: unknown[] = []
  for (let i = 0; i < length && done.size < mostParts; i++)
    plain.push(plainPart(own(list, String(i))?.value, depth, done))
  return plain
}

/** Never a getter's answer: its value is undefined here. */
function own(target: object, key: string): PropertyDescriptor | undefined {
  return attempt(() => Object.getOwnPropertyDescriptor(target, key), undefined)
}

function isObject(value: unknown): boolean {
  return typeof value === 'function' || (typeof value === 'object' && value !== null)
}

/** A field as text, of a getter as well: a message is worth it. */
function read(error: Error, key: 'name' | 'message' | 'stack'): string {
  return attempt(() => cut(String(error[key])), `(${key} cannot be read)`)
}

function show(value: unknown): string {
  return attempt(
    () => cut(inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: 200 })),
    `a ${typeof value} that cannot be shown`,
  )
}

function cut(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)} … (${text.length} characters)` : text
}

function define(target: Error, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: false, configurable: true })
}

function attempt<T, U>(ask: () => T, otherwise: U): T | U {
  try {
    return ask()
  } catch {
    return otherwise
  }
}
