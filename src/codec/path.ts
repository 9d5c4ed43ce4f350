/**
 * Where in the data an error is: a path built while the error travels up, so that the way down costs nothing.
 * The encoder adds its part, closure/ and the callers of encode add theirs in front.
 */
import { SerializationError } from '../core/errors.ts'

/** A SerializationError whose message opens with the path; prependPath keeps the two in step. */
export function cannotSend(reason: string, hint = '', cause?: unknown): SerializationError {
  const details = cause === undefined ? { hint } : { hint, cause }
  return new SerializationError(`${opening('')}${reason}${hint === '' ? '' : `. ${hint}`}`, details)
}

/**
 * Puts a segment in front of the path of an error on its way up: `prependPath(error, 'db')` makes
 * `pool[0]` to `db.pool[0]`. Other errors pass unchanged. Returns the error, to be thrown again.
 */
export function prependPath(error: unknown, segment: string): unknown {
  if (!(error instanceof SerializationError)) return error
  let segments = paths.get(error)
  if (segments === undefined) paths.set(error, (segments = error.path === '' ? [] : [error.path]))
  const before = opening(shorten(segments, messageRoom))
  segments.unshift(segment)
  ;(error as { path: string }).path = shorten(segments, pathRoom)
  if (!error.message.startsWith(before)) return error
  const old = error.message
  error.message = opening(shorten(segments, messageRoom)) + old.slice(before.length)
  const stack = error.stack
  if (typeof stack === 'string') error.stack = stack.replace(old, () => error.message)
  return error
}

/** The segments of paths that grow. */
const paths = new WeakMap<SerializationError, string[]>()

/** So long is a path in the message, and in the property `path`. */
const messageRoom = 120
const pathRoom = 400

function join(segments: readonly string[]): string {
  return segments.reduce(
    (path, one) => (path === '' || one.startsWith('[') ? path + one : `${path}.${one}`),
    '',
  )
}

/** A path by its two ends where it is longer than `room`: `a.next.next … (994 more) … .next`. */
function shorten(segments: readonly string[], room: number): string {
  const half = room / 2 - 10
  const head = fitting(segments, half)
  const tail = fitting(segments.toReversed(), half)
  const hidden = segments.length - head - tail
  if (hidden <= 0) {
    const whole = join(segments)
    return whole.length <= room ? whole : `${whole.slice(0, half)}…${whole.slice(-half)}`
  }
  const end = join(segments.slice(-tail))
  return `${join(segments.slice(0, head))} … (${hidden} more) … ${end.startsWith('[') ? '' : '.'}${end}`
}

/** How many of the first segments fit into `room`; one always does. */
function fitting(segments: readonly string[], room: number): number {
  let count = 0
  for (let used = 0; count < segments.length; count++) {
    used += (segments[count] as string).length + 1
    if (used > room && count > 0) break
  }
  return count
}

/** A property key as a segment: `name`, `["my key"]`, `[Symbol(x)]`, `[0]` for numbers. */
export function keySegment(key: PropertyKey): string {
  if (typeof key === 'number') return `[${key}]`
  if (typeof key === 'symbol') return `[${String(key)}]`
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? key : `[${JSON.stringify(key)}]`
}

/** An entry of a map: `get("k")`. */
export function entrySegment(key: unknown): string {
  return `get(${show(key)})`
}

function show(key: unknown): string {
  if (typeof key === 'string') return JSON.stringify(key.length > 40 ? `${key.slice(0, 39)}…` : key)
  if (typeof key === 'object' && key !== null) return '{…}'
  return typeof key === 'function' ? 'function' : String(key)
}

function opening(path: string): string {
  return path === '' ? 'cannot send the value: ' : `cannot send \`${path}\`: `
}
