/**
 * The way of plain data, which is most arguments and results: one byte, then what the codec writes. Called by
 * capture, and by workers for their results: this file loads nothing of the sending half.
 */
import { isProxy } from '../codec/brands.ts'
import type { Carried } from '../codec/handles.ts'
import { encode, type EncodeExtension } from '../codec/encode.ts'
import { readOwn } from '../codec/properties.ts'
import type { Writer } from '../codec/writer.ts'
import { inRoot } from './walk/errors.ts'
import { form } from './wire.ts'

/** Thrown at the first thing that is not plain data; never leaves this file. */
const notPlain: unknown = Object.freeze({ name: 'not plain data' })

const plainOnly: EncodeExtension & { carried: Carried | undefined; list: boolean } = {
  carried: undefined,
  list: false,
  encode() {
    throw notPlain
  },
  // Its functions are none: said before `reduce` is called, which would be called again by the capture.
  reduces() {
    throw notPlain
  },
  claims: mayBeNamed,
}

/**
 * Writes a payload of plain data at writer.pos. False where the value is none: then nothing was written, and
 * capture has to do it. Throws SerializationError where it cannot travel at all, with `what` as the root's
 * name. `list`: as in EncodeExtension.
 */
export function writePlain(
  writer: Writer,
  value: unknown,
  what: string,
  carried?: Carried,
  list = false,
): boolean {
  const start = writer.pos
  writer.reserve(1)
  writer.bytes[writer.pos++] = form.plain
  plainOnly.carried = carried
  plainOnly.list = list
  try {
    encode(value, writer, plainOnly)
    return true
  } catch (error) {
    writer.pos = start
    if (error !== notPlain) throw inRoot(error, what)
    return false
  } finally {
    plainOnly.carried = undefined
  }
}

/**
 * Whether an object may be one that each process has of its own: what holds no function and no getter is
 * data.
 */
export function mayBeNamed(value: object): boolean {
  if (value === process.env) return true
  // A Proxy would be asked by running its traps.
  if (ArrayBuffer.isView(value) || isProxy(value)) return false
  for (const key of Reflect.ownKeys(value)) {
    const own = readOwn(value, key)
    if (own?.get !== undefined || own?.set !== undefined || typeof own?.value === 'function') return true
  }
  return false
}
