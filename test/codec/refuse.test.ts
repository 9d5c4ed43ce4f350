/** What cannot travel is refused with its path and a hint, before anything of it is touched. */
import assert from 'node:assert/strict'
import { createServer, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { SerializationError } from '#plait/core/errors.js'
import { maxDepth } from '#plait/core/limits.js'
import { encode } from '#plait/codec/encode.js'
import { prependPath } from '#plait/codec/path.js'
import { Writer } from '#plait/codec/writer.js'
import { Local, trip } from './trip.ts'

class Unknown {}
class OwnSocket extends Socket {}

const refused: readonly (readonly [what: string, make: () => unknown, text: RegExp])[] = [
  ['promise', () => Promise.resolve(), /it is a Promise\. Await it first/],
  ['proxy', () => new Proxy({}, {}), /it is a Proxy\. Send the object behind it/],
  ['proxy of an array', () => new Proxy([], {}), /it is a Proxy/],
  ['WeakMap', () => new WeakMap(), /WeakMap.*Use a Map/],
  ['WeakSet', () => new WeakSet(), /WeakSet.*Use a Set/],
  ['WeakRef', () => new WeakRef({}), /a WeakRef lives in this process/],
  ['generator', () => (function* () {})(), /running generator/],
  ['iterator', () => new Map().entries(), /iterator.*\[\.\.\.iterator\]/],
  [
    'socket',
    () => new Socket(),
    /a Socket of node:net lives in this process\. Open it inside the function, or send host and port/,
  ],
  ['subclass of a socket', () => new OwnSocket(), /a Socket of node:net/],
  ['server', () => createServer(), /a Server of node:net/],
  ['stream', () => Readable.from([]), /a Stream of node:stream.*Read it first/],
  ['web stream', () => new ReadableStream(), /a ReadableStream lives/],
  ['timer', () => timer(), /a timer lives in this process/],
  ['signal', () => new AbortController().signal, /an AbortSignal lives.*\{ signal \}/],
  ['storage', () => new AsyncLocalStorage(), /AsyncLocalStorage of node:async_hooks.*getStore/],
  ['port', () => new MessageChannel().port1, /a MessagePort of node:worker_threads.*Queue/],
  ['Intl', () => new Intl.NumberFormat(), /an Intl\.NumberFormat cannot be taken apart/],
  ['Blob', () => new Blob([]), /a Blob lives.*arrayBuffer/],
  ['shared memory', () => new SharedArrayBuffer(8), /only between threads of one process\. Send a copy/],
  [
    'view of shared memory',
    () => new Uint8Array(new SharedArrayBuffer(8)),
    /only between threads of one process/,
  ],
  ['detached buffer', () => detached(), /its memory was transferred away/],
  ['namespace', () => Math, /builtin namespace/],
  ['function', () => function named() {}, /the function named cannot travel as plain data/],
  ['symbol', () => Symbol('u'), /Symbol\(u\) exists in this process only\. Use Symbol\.for/],
  ['instance', () => new Unknown(), /an instance of Unknown cannot travel as plain data.*registerReducer/],
]

for (const [what, make, text] of refused)
  test(`refused: ${what}`, () => {
    const error = refusal({ jobs: [1, { value: make() }] })
    assert.match(error.message, text)
    assert.equal(error.path, 'jobs[1].value')
    assert.match(error.message, /^cannot send `jobs\[1\]\.value`: /)
    assert.ok(error.stack?.includes(error.message))
    assert.notEqual(error.hint, '')
  })

test('a proxy is refused before its traps are asked', () => {
  const touched = () => assert.fail('a trap ran')
  const handler = {
    get: touched,
    ownKeys: touched,
    getPrototypeOf: touched,
    has: touched,
    getOwnPropertyDescriptor: touched,
  }
  assert.match(refusal([new Proxy({}, handler)]).message, /Proxy/)
  assert.match(refusal([new Proxy({}, handler)], new Local()).message, /Proxy/)
})

test('paths through every container', () => {
  const bad = (): unknown => Symbol('bad')
  const path = (value: unknown): string => refusal(value).path
  assert.equal(path(bad()), '')
  assert.equal(path([[bad()]]), '[0][0]')
  assert.equal(path({ a: { 'b c': bad() } }), 'a["b c"]')
  assert.equal(path({ m: new Map([['k', [bad()]]]) }), 'm.get("k")[0]')
  assert.equal(path(new Map([[{}, bad()]])), 'get({…})')
  assert.equal(path(new Map([[bad(), 1]])), 'key(0)')
  assert.equal(path(new Set([1, bad()])), 'item(1)')
  assert.equal(path([, bad()]), '[1]')
  assert.equal(path(Object.assign([1], { x: bad() })), 'x')
  assert.equal(path(new Error('e', { cause: { a: bad() } })), 'cause.a')
  assert.equal(path(Object.freeze({ a: bad() })), 'a')
  assert.equal(path({ [Symbol.for('s')]: bad() }), '[Symbol(s)]')
  assert.equal(path({ __proto__: null, n: bad() }), 'n')
})

test('a caller puts the name of the root in front, in path, message and stack', () => {
  const error = refusal({ pool: [Symbol('bad')] })
  assert.equal(prependPath(error, 'db'), error)
  assert.equal(error.path, 'db.pool[0]')
  assert.match(error.message, /^cannot send `db\.pool\[0\]`: /)
  assert.ok(error.stack?.includes(error.message))
  const other = new Error('x')
  assert.equal(prependPath(other, 'db'), other)
})

test('a refusal leaves the writer as it was and the encoder usable', () => {
  const writer = new Writer(64)
  encode('first', writer)
  const before = Buffer.from(writer.bytes.subarray(0, writer.pos))
  const { pos } = writer
  assert.throws(() => encode({ a: 'x'.repeat(1000), b: Symbol('bad') }, writer), SerializationError)
  assert.equal(writer.pos, pos)
  assert.deepEqual(writer.bytes.subarray(0, pos), before)
  assert.deepStrictEqual(trip({ a: [{ a: 1 }] }), { a: [{ a: 1 }] })
})

test('a long path is shown by its two ends', () => {
  let value: unknown = { last: new Socket() }
  for (let n = 0; n < 500; n++) value = { next: value }
  const { path, message } = refusal([value])
  assert.match(path, /^\[0\](?:\.next){9,} … \(\d+ more\) …(?: )(?:\.next)+\.last$/)
  assert.ok(path.length < 450, path)
  const hidden = Number(/\((\d+) more\)/.exec(path)?.[1])
  assert.equal(hidden + path.match(/next/g)!.length, 500)
  assert.match(message, /^cannot send `\[0\]\.next.* … \(\d+ more\) … .*\.last`: a Socket of node:net/)
  assert.ok(message.length < 300)
  const keys = refusal({ ['k'.repeat(1000)]: { s: new Socket() } })
  assert.ok(keys.path.length < 450)
})

test('deep values travel, deeper ones are refused', () => {
  for (const wrap of [
    (v: unknown) => [v],
    (v: unknown) => ({ v }),
    (v: unknown) => new Map([[1, v]]),
    (v: unknown) => Object.freeze([v]),
  ]) {
    assert.doesNotThrow(() => trip(nested(maxDepth - 1, wrap)))
    assert.match(refusal(nested(maxDepth + 1, wrap)).message, /nested deeper than/)
    assert.match(refusal(nested(20_000, wrap)).message, /nested deeper than/)
  }
})

function nested(depth: number, wrap: (value: unknown) => unknown): unknown {
  let value: unknown = 'x'
  for (let i = 0; i < depth; i++) value = wrap(value)
  return value
}

function refusal(value: unknown, extension?: Local): SerializationError {
  try {
    trip(value, extension)
  } catch (error) {
    assert.ok(error instanceof SerializationError, String((error as Error).stack))
    return error
  }
  return assert.fail('it was not refused')
}

function timer(): unknown {
  const timeout = setTimeout(() => {}, 1)
  clearTimeout(timeout)
  return timeout
}

function detached(): unknown {
  const buffer = new ArrayBuffer(8)
  structuredClone(buffer, { transfer: [buffer] })
  return buffer
}
