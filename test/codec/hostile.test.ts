/**
 * Whatever the bytes are, the outcome is a value or a plait error: never a crash, a hang or a huge
 * allocation.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PlaitError, SerializationError } from '#plait/core/errors.js'
import { Decoder } from '#plait/codec/decode.js'
import * as tag from '#plait/codec/tags.js'
import { bytesOf, Local, valueOf } from './trip.ts'

/** mulberry32: a seed gives the same run everywhere. */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const shared = new Uint8Array(16)
const seeds: unknown[] = [
  { id: 1, args: [1, 'two', { three: 3 }], flag: true, none: null },
  Array.from({ length: 20 }, (_, i) => ({ name: `n${i}`, value: i / 3 })),
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  [1.5, 2.5, 3.5, 4.5, 5.5, 6.5],
  new Map<unknown, unknown>([
    ['k', new Set([1, 2])],
    [{}, new Date(5)],
  ]),
  [, 'sparse', , Object.assign([1], { extra: 'x' })],
  [shared, new DataView(shared.buffer, 4), Buffer.from('bytes'), shared.buffer],
  Object.freeze({ a: Object.seal([1]), __proto__: null, [Symbol.iterator]: 1 }),
  [
    new Error('e', { cause: /x/g }),
    new DOMException('m', 'AbortError'),
    new URL('http://a.b/'),
    10n ** 30n,
    Object(5),
  ],
  ['é'.repeat(100), '日本語'.repeat(40), 'x'.repeat(500), '\ud800', Symbol.for('s')],
]

const local = new Local()
class Thing {
  a = 1
  list = [this]
}
seeds.push([
  new Thing(),
  () => 1,
  {
    get x() {
      return 1
    },
  },
])
const messages = seeds.map((value) => bytesOf(value, local))

/** An error of the right kind, or a value; anything else fails the test. */
function survive(bytes: Buffer): boolean {
  try {
    valueOf(bytes, local)
    return true
  } catch (error) {
    // Extensions see garbage too; what this stand-in throws is its own TypeError.
    if (!(error instanceof PlaitError) && !(error instanceof TypeError)) throw error
    return false
  }
}

test('the seeds themselves are read', () => {
  for (const message of messages) assert.ok(survive(message))
})

test('every truncation of every seed is an error', () => {
  for (const message of messages)
    for (let end = 0; end < message.length; end++)
      assert.throws(() => new Decoder().decode(message, 0, end, local), SerializationError, `cut at ${end}`)
})

test('random bytes', () => {
  const random = seeded(1)
  for (let round = 0; round < 40_000; round++) {
    const bytes = Buffer.from(Array.from({ length: 1 + random() * 60 }, () => random() * 256))
    bytes[0] = random() < 0.8 ? tag.version : tag.version | tag.trailerFlag
    survive(bytes)
  }
})

test('mutated messages, in bounded time and memory', () => {
  const random = seeded(2)
  const before = process.memoryUsage()
  const started = performance.now()
  let read = 0
  let rounds = 0
  for (; rounds < 60_000; rounds++) {
    const bytes = Buffer.from(messages[Math.floor(random() * messages.length)])
    const changes = 1 + Math.floor(random() * 4)
    for (let i = 0; i < changes; i++) {
      const at = Math.floor(random() * bytes.length)
      bytes[at] = random() < 0.5 ? random() * 256 : 0xc0 + random() * 48
    }
    if (survive(bytes)) read++
  }
  assert.ok(read > 0 && read < rounds, 'some are read, some are not')
  const after = process.memoryUsage()
  assert.ok(performance.now() - started < 60_000)
  assert.ok(after.rss - before.rss < 300e6, `grew by ${after.rss - before.rss}`)
})

test('a length that lies allocates nothing', () => {
  const five = [0xff, 0xff, 0xff, 0xff, 0x0f]
  const claims = [tag.ARRAY, tag.INT32S, tag.FLOAT64S, tag.MAP, tag.SET, tag.OBJECT, tag.REF].map((code) => [
    code,
    ...five,
  ])
  claims.push(
    [tag.SPARSE, ...five, ...five],
    [tag.ARGUMENTS, ...five],
    [tag.EXTRAS, 0, tag.OBJECT_EMPTY, ...five],
  )
  for (const code of [tag.LATIN1, tag.UTF8, tag.UTF16]) claims.push([code, 0xff, 0xff, 0xff, 0xff])
  for (const claim of claims) {
    const before = process.memoryUsage()
    assert.throws(
      () => valueOf(Buffer.from([tag.version, ...claim, 1, 2, 3])),
      /^SerializationError: corrupt data at byte \d+: /,
    )
    const after = process.memoryUsage()
    assert.ok(
      after.heapTotal + after.external - before.heapTotal - before.external < 20e6,
      `tag ${claim[0].toString(16)}`,
    )
  }
})

test('a sparse array of the greatest length is small', () => {
  const bytes = Buffer.from([tag.version, tag.SPARSE, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 5, tag.TRUE])
  const before = process.memoryUsage().heapTotal
  const array = valueOf(bytes) as unknown[]
  assert.equal(array.length, 2 ** 32 - 1)
  assert.equal(array[5], true)
  assert.deepEqual(Object.keys(array), ['5'])
  assert.ok(process.memoryUsage().heapTotal - before < 20e6)
  const mid = Buffer.from([tag.version, tag.SPARSE, 0x80, 0x80, 0x80, 0x0a, 1, 5, tag.TRUE])
  assert.equal((valueOf(mid) as unknown[]).length, 20 << 20)
  assert.ok(process.memoryUsage().heapTotal - before < 20e6)
})

test('nesting without end is refused before the stack is', () => {
  const endless = (...bytes: number[]): Buffer =>
    Buffer.from([tag.version, ...Array.from({ length: 50_000 }, () => bytes).flat()])
  for (const bytes of [
    [0xa1],
    [tag.MAP, 1],
    [tag.SET, 1],
    [tag.EXTRAS, 0],
    [tag.REDUCED],
    [tag.EXTRAS, 0, tag.OBJECT_EMPTY, 1],
  ])
    assert.throws(() => valueOf(endless(...bytes)), {
      name: 'SerializationError',
      message: /nested deeper|properties of properties/,
    })
  const keys = endless(tag.EXTRAS, 0, tag.OBJECT_EMPTY, 1, 0x81, 0x61, 7)
  assert.throws(() => valueOf(keys), { name: 'SerializationError', message: /nested deeper/ })
})

test('functions are not accepted where no extension is', () => {
  assert.throws(() => valueOf(messages.at(-1)!), {
    name: 'SerializationError',
    message: /function or an instance/,
  })
})

test('no prototype is set by a key, a shape or a property', () => {
  const name = Buffer.from('__proto__')
  const shape = Buffer.from([tag.version, tag.OBJECT_NEW, 11, 1, 9, ...name, tag.OBJECT_EMPTY])
  assert.throws(() => valueOf(shape), /garbled/)
  const property = Buffer.from([
    tag.version,
    tag.EXTRAS,
    0,
    tag.OBJECT_EMPTY,
    1,
    0x80 | 9,
    ...name,
    7,
    tag.OBJECT_EMPTY,
  ])
  const back = valueOf(property) as object
  assert.equal(Object.getPrototypeOf(back), Object.prototype)
  assert.deepEqual(Object.keys(back), ['__proto__'])
})

test('bytes beyond the end are not read, bytes left over are told', () => {
  const bytes = Buffer.concat([bytesOf('abc'), bytesOf(1)])
  assert.throws(() => valueOf(bytes), /2 bytes are left over/)
  assert.equal(new Decoder().decode(bytes, 0, bytes.length - 2), 'abc')
})

test('another version is told', () => {
  const bytes = bytesOf(1)
  bytes[0] = 9
  assert.throws(() => valueOf(bytes), /version 9 of the format is not known/)
})
