/**
 * Shapes as the decoder knows them: blocks of keys that it has read before, and for those that come often a
 * function that reads such an object whole. Keys out of a message become text of that function only as quoted
 * strings; where the process may not make code from strings, a loop over the keys serves, a little slower.
 */
import type { Decoder } from './decode.ts'

/** Reads the values of one object, which gets `slot`, and returns it. */
export type RecordReader = (decoder: Decoder, slot: number) => object

/** A block of keys that was read before. */
export interface KnownShape {
  readonly bytes: Buffer
  readonly keys: readonly string[]
  /** Made after many objects. */
  reader: RecordReader | undefined
  /** How many objects are to come before the reader is made; 0 and less: none will be. */
  wait: number
}

const known: (KnownShape | undefined)[] = new Array<KnownShape | undefined>(256).fill(undefined)

/** So many objects pay for the making of a reader. */
const patience = 64
/** Objects with more keys are read by the loop. */
const mostKeys = 24

/** The shape whose block lies at `pos`: `size` bytes of the message. Undefined where it is malformed. */
export function readShape(bytes: Buffer, pos: number, size: number): KnownShape | undefined {
  // The length and three characters tell most blocks apart; which it is, the comparison says.
  const hash = size + bytes[pos + 2]! * 7 + bytes[pos + (size >> 1)]! * 31 + bytes[pos + size - 1]! * 131
  const place = hash & 255
  const candidate = known[place]
  if (candidate !== undefined && sameBytes(candidate.bytes, bytes, pos, size)) return candidate
  const keys = parseBlock(bytes, pos, size)
  if (keys === undefined) return undefined
  const wait = keys.length <= mostKeys ? patience : 0
  const shape = { bytes: Buffer.from(bytes.subarray(pos, pos + size)), keys, reader: undefined, wait }
  known[place] = shape
  return shape
}

function sameBytes(block: Buffer, bytes: Buffer, pos: number, size: number): boolean {
  if (block.length !== size) return false
  for (let i = 0; i < size; i++) if (block[i] !== bytes[pos + i]) return false
  return true
}

function parseBlock(bytes: Buffer, pos: number, size: number): string[] | undefined {
  const end = pos + size
  if (size === 0) return undefined
  const count = bytes[pos++]!
  const keys: string[] = []
  for (let i = 0; i < count; i++) {
    if (pos >= end) return undefined
    const length = bytes[pos++]!
    if (pos + length > end) return undefined
    const key = bytes.toString('latin1', pos, pos + length)
    if (key === '__proto__' || keys.includes(key)) return undefined
    keys.push(key)
    pos += length
  }
  return pos === end && count > 0 ? keys : undefined
}

/** Told of each object that the loop has read; after many of a shape, makes its reader. */
export function learn(shape: KnownShape, object: Record<string, unknown>): void {
  if (--shape.wait === 0) shape.reader = makeReader(shape.keys, object)
}

/**
 * The object has to exist before its members, which may refer to it, and so begins with stand-ins: a number
 * where `sample` has one. The user's own objects of the same keys share V8's hidden class with it, and where
 * the field of a number once held `undefined`, arithmetic on all of them would be several times slower.
 */
function makeReader(keys: readonly string[], sample: Record<string, unknown>): RecordReader | undefined {
  const standIns = keys.map(
    (key) => `${JSON.stringify(key)}: ${typeof sample[key] === 'number' ? 0 : undefined}`,
  )
  const reads = keys.map((key) => `object[${JSON.stringify(key)}] = decoder.read()`)
  const lines = [
    `'use strict'`,
    `const object = decoder.values[slot] = { ${standIns.join(', ')} }`,
    ...reads,
    'return object',
  ]
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- keys are quoted, all else is ours
    return new Function('decoder', 'slot', lines.join('\n')) as RecordReader
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}
