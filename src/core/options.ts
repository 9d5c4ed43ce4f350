/**
 * Checks at the door: a caller's bad argument is a TypeError or RangeError thrown at the call, before
 * anything is started. Behind the door the values are trusted. Every message quotes the option and the value
 * it got.
 */
import { inspect } from 'node:util'

/** A value as errors quote it. */
export function show(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 60 })
}

/** A function, or a TypeError that names the parameter. */
export function checkFunction(value: unknown, what: string): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw new TypeError(`${what} must be a function, got ${show(value)}`)
}

/** An integer of at least `min`. */
export function checkInteger(value: unknown, what: string, min: number): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${what} must be a number, got ${show(value)}`)
  if (!Number.isSafeInteger(value) || value < min)
    throw new RangeError(`${what} must be an integer of at least ${min}, got ${show(value)}`)
}

/** A number of milliseconds, zero or more; Infinity and undefined both mean for ever. */
export function checkTimeout(value: unknown, what = 'timeout'): asserts value is number | undefined {
  if (value === undefined) return
  if (typeof value !== 'number')
    throw new TypeError(`${what} must be a number of milliseconds, got ${show(value)}`)
  if (!(value >= 0)) throw new RangeError(`${what} must be zero or more milliseconds, got ${show(value)}`)
}

/** Any finite number. */
export function checkNumber(value: unknown, what: string): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${what} must be a number, got ${show(value)}`)
  if (!Number.isFinite(value)) throw new RangeError(`${what} must be a finite number, got ${show(value)}`)
}

/** An AbortSignal, or undefined. */
export function checkSignal(value: unknown, what = 'signal'): asserts value is AbortSignal | undefined {
  if (value !== undefined && !(value instanceof AbortSignal))
    throw new TypeError(`${what} must be an AbortSignal, got ${show(value)}`)
}

/** A string, or undefined. */
export function checkString(value: unknown, what: string): asserts value is string | undefined {
  if (value !== undefined && typeof value !== 'string')
    throw new TypeError(`${what} must be a string, got ${show(value)}`)
}

/** `true` or `false`. */
export function checkBoolean(value: unknown, what: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${what} must be a boolean, got ${show(value)}`)
}

/** One of `choices`, or undefined. */
export function checkChoice<T extends string>(
  value: unknown,
  what: string,
  choices: readonly T[],
): asserts value is T | undefined {
  checkString(value, what)
  if (value === undefined || (choices as readonly string[]).includes(value)) return
  const list = choices.map((choice) => show(choice)).join(', ')
  throw new RangeError(`${what} must be one of ${list}, got ${show(value)}`)
}

/** Anything iterable but a string, or a TypeError that says what it should hold. */
export function checkIterable(value: unknown, what: string, of: string): asserts value is Iterable<unknown> {
  if (typeof value !== 'object' || value === null || !(Symbol.iterator in value))
    throw new TypeError(`${what} must be an iterable of ${of}, got ${show(value)}`)
}

/** An array of strings, or undefined. */
export function checkStrings(value: unknown, what: string): asserts value is readonly string[] | undefined {
  if (value === undefined) return
  if (!Array.isArray(value)) throw new TypeError(`${what} must be an array of strings, got ${show(value)}`)
  for (const [i, item] of value.entries())
    if (typeof item !== 'string') throw new TypeError(`${what}[${i}] must be a string, got ${show(item)}`)
}

/** A plain options object, or undefined. */
export function checkOptions(value: unknown, what = 'options'): asserts value is object | undefined {
  if (value !== undefined && (typeof value !== 'object' || value === null || Array.isArray(value)))
    throw new TypeError(`${what} must be an object, got ${show(value)}`)
}

/** An array, or a TypeError that names the parameter. */
export function checkArray(value: unknown, what: string): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${what} must be an array, got ${show(value)}`)
}
