/** Every kind of value, one line each: what arrives is what was sent, class and all. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { types } from 'node:util'
import { trip } from './trip.ts'

const long = Array.from({ length: 300 }, (_, i) => `s${i}`)

const kinds: Record<string, readonly unknown[]> = {
  nothing: [null, undefined, true, false],
  integers: [
    0,
    1,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    -1,
    -128,
    -256,
    -257,
    -70_000,
    2 ** 31 - 1,
    -(2 ** 31),
  ],
  numbers: [-0, 0.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 53, Number.MIN_VALUE, Number.MAX_VALUE],
  bigints: [0n, 1n, -1n, 2n ** 64n, -(10n ** 50n)],
  'latin1 strings': [
    '',
    'a',
    'x'.repeat(31),
    'x'.repeat(32),
    'é'.repeat(63),
    'é'.repeat(64),
    'x'.repeat(100_000),
  ],
  'wide strings': ['日', '日本語'.repeat(50), `${'x'.repeat(200)}😀`, '😀'.repeat(40), '\u0000\u00ff\u0100'],
  'lone surrogates': ['\ud800', `${'x'.repeat(100)}\udc00`, '\udfff'.repeat(70)],
  arrays: [
    [],
    [1],
    ['a', null, undefined],
    [[[]]],
    [1, 2, 3, 4, 5, 6],
    [1, 2, 3, 4, 5, 'x'],
    long,
    [undefined, 1],
  ],
  'arrays of numbers': [
    [1.5, -0, NaN, 4, 5, 6],
    Array.from({ length: 3000 }, (_, i) => i / 3),
    [5, 4, 3, 2, 1, -0],
  ],
  'arrays with holes': [[, 1], [1, , 3], new Array(5), new Array(4e9), [...long, , 1]],
  'arrays with names': [
    Object.assign([1], { a: 1 }),
    Object.assign([...long], { x: [1] }),
    /a(?<n>b)/.exec('ab'),
  ],
  objects: [
    {},
    { a: 1 },
    { a: { a: { a: 1 } } },
    [{ a: 1 }, { a: 2 }, { b: 1, a: 2 }],
    { 1: 'x', b: 'y', 0: 'z' },
  ],
  'keys of any kind': [{ '': 1, ключ: 2, 'a b': 3, ['x'.repeat(300)]: 4, toString: 5, constructor: 6 }],
  'many keys': [Object.fromEntries(long.map((key) => [key, key]))],
  'symbol keys': [{ [Symbol.iterator]: 1, [Symbol.for('q')]: 2, z: 1 }, { [Symbol.for('only')]: {} }],
  'no prototype': [{ __proto__: null, a: 1 }, { __proto__: null }],
  closed: [
    Object.freeze({ a: 1 }),
    Object.seal([1, 'x']),
    Object.preventExtensions({}),
    Object.freeze([]),
    Object.freeze(new Map([[1, 2]])),
  ],
  collections: [
    new Map<unknown, unknown>([
      [1, { a: 1 }],
      [{}, 'x'],
    ]),
    new Set([1, '2', {}]),
    new Map(),
    new Set(),
  ],
  dates: [new Date(0), new Date('2026-01-01'), new Date(-1e14)],
  patterns: [/a\/b/giu, /(?:)/, /[é日]/dsy],
  urls: [new URL('http://u:p@a.b:8/c?d=e#f'), new URLSearchParams('a=1&b=2&a=3')],
  boxed: [Object(1), Object(-0), Object('abc'), Object(true), Object(1n), Object(Symbol.iterator)],
  symbols: [Symbol.iterator, Symbol.asyncIterator, Symbol.for('k'), Symbol.for('')],
  views: [
    new Uint8Array([1, 2, 3]),
    new Float64Array([1.5, NaN, -0]),
    new BigInt64Array([1n, -1n]),
    new Uint8ClampedArray(2),
    new Int16Array(0),
  ],
  buffers: [
    Buffer.from('hello'),
    Buffer.alloc(0),
    new ArrayBuffer(7),
    new DataView(new ArrayBuffer(10), 2, 4),
    Buffer.alloc(100_000, 7),
  ],
}

for (const [kind, values] of Object.entries(kinds))
  test(kind, () => {
    for (const value of values) {
      const back = trip(value)
      assert.deepStrictEqual(back, value)
      assert.ok(Object.is(Object.isExtensible(back), Object.isExtensible(value)))
      assert.equal(Object.isFrozen(back), Object.isFrozen(value))
      assert.equal(Object.isSealed(back), Object.isSealed(value))
      if (typeof value === 'object' && value !== null)
        assert.deepEqual(Reflect.ownKeys(back as object), Reflect.ownKeys(value))
    }
  })

test('an invalid date stays invalid, and a pattern keeps its place', () => {
  assert.ok(Number.isNaN(trip(new Date(NaN)).getTime()))
  const pattern = /x/g
  pattern.lastIndex = 7
  assert.equal(trip(pattern).lastIndex, 7)
})

test('a Buffer stays a Buffer, a subarray brings its window only', () => {
  const back = trip(Buffer.from('pooled'))
  assert.ok(Buffer.isBuffer(back))
  assert.equal(back.toString(), 'pooled')
  const window = trip(new Uint8Array(new ArrayBuffer(1_000_000), 500_000, 10))
  assert.ok(window.buffer.byteLength < 32)
  assert.equal(window.length, 10)
})

test('a resizable buffer can still be resized', () => {
  const make = ArrayBuffer as unknown as new (
    n: number,
    o: object,
  ) => ArrayBuffer & { resize(n: number): void; maxByteLength: number }
  const buffer = new make(8, { maxByteLength: 64 })
  const view = new Uint8Array(buffer)
  view[3] = 9
  const back = trip({ buffer, view })
  assert.equal(back.buffer.maxByteLength, 64)
  assert.equal(back.view[3], 9)
  back.buffer.resize(32)
  assert.equal(back.view.length, 32)
})

test('errors keep class, message, stack, cause and fields', () => {
  for (const error of [
    new Error('x', { cause: { a: 1 } }),
    new TypeError('t'),
    new RangeError(''),
    new AggregateError([new Error('i')], 'm'),
  ]) {
    Object.assign(error, { extra: [1], code: 'E_X' })
    const back = trip(error)
    assert.equal(Object.getPrototypeOf(back), Object.getPrototypeOf(error))
    assert.equal(back.stack, error.stack)
    assert.deepStrictEqual(back, error)
    for (const key of ['message', 'stack', 'cause', 'errors', 'extra'])
      assert.equal(
        Object.getOwnPropertyDescriptor(back, key)?.enumerable,
        Object.getOwnPropertyDescriptor(error, key)?.enumerable,
        key,
      )
  }
})

test('an error without a message of its own has none afterwards', () => {
  assert.equal(Object.hasOwn(trip(new Error()), 'message'), false)
})

test("Node's own errors keep code, errno and syscall", () => {
  const missing = caught(() => readFileSync('/no/such/file')) as NodeJS.ErrnoException
  const back = trip(missing)
  assert.deepStrictEqual({ ...back }, { ...missing })
  assert.equal(back.code, 'ENOENT')
  const wrong = caught(() => readFileSync({} as never)) as NodeJS.ErrnoException
  const wrongBack = trip(wrong)
  assert.ok(wrongBack instanceof TypeError)
  assert.equal(wrongBack.code, 'ERR_INVALID_ARG_TYPE')
})

test('a DOMException keeps name and code', () => {
  const back = trip(caught(() => AbortSignal.abort().throwIfAborted()) as DOMException)
  assert.ok(back instanceof DOMException)
  assert.equal(back.name, 'AbortError')
  assert.equal(back.code, 20)
  assert.ok(back.stack?.includes('AbortError'))
})

test("Node's AbortError, whose class no one can import, arrives as an Error of that name", async () => {
  const { setTimeout } = await import('node:timers/promises')
  const error = await setTimeout(1, 0, { signal: AbortSignal.abort('why') }).catch((e: unknown) => e)
  const back = trip(error as NodeJS.ErrnoException)
  assert.ok(back instanceof Error)
  assert.equal(back.name, 'AbortError')
  assert.equal(back.code, 'ABORT_ERR')
  assert.equal(back.cause, 'why')
})

test("plait's errors arrive as the receiver's class, with their fields", async () => {
  const errors = await import('#plait/core/errors.js')
  const lost = new errors.WorkerLostError('gone', { pid: 5, exitcode: -9, signal: 'SIGKILL', worker: 'w' })
  const back = trip(lost)
  assert.ok(back instanceof errors.WorkerLostError)
  assert.deepStrictEqual({ ...back }, { ...lost })
  assert.equal(back.code, 'PLAIT_WORKER_LOST')
  for (const [name, type] of errors.errorClasses) {
    const made = Reflect.construct(Error, ['m'], type) as Error
    assert.ok(trip(made) instanceof type, name)
  }
})

test('a __proto__ key is a key', () => {
  const back = trip(JSON.parse('{"a":1,"__proto__":{"polluted":1}}') as Record<string, unknown>)
  assert.equal(Object.getPrototypeOf(back), Object.prototype)
  assert.deepEqual(Object.keys(back), ['a', '__proto__'])
  assert.equal(back['polluted'], undefined)
})

test('getters are never invoked, and hidden properties travel', () => {
  let calls = 0
  const object = {
    get a() {
      return ++calls
    },
    b: 1,
  }
  assert.throws(() => trip(object), { name: 'SerializationError', path: 'a' })
  assert.equal(calls, 0)
  const hidden = Object.defineProperty({ a: 1 }, 'b', { value: 2 })
  for (const value of [hidden, Object.defineProperty(new Map(), 'b', { value: 2 }), onlyHidden()])
    assert.deepEqual(Object.getOwnPropertyDescriptors(trip(value)), Object.getOwnPropertyDescriptors(value))
  const strings = ((texts: TemplateStringsArray, ..._: number[]) => texts)`a\n${1}`
  assert.deepEqual(trip(strings).raw, ['a\\n', ''])
})

function onlyHidden(): object {
  return Object.defineProperty(Object.create(null), 'b', { value: 2, writable: true }) as object
}

test('an arguments object arrives as one', () => {
  const cyclic = (function (..._: unknown[]) {
    arguments[2] = arguments
    return arguments
  })(1, { a: 2 }, null)
  const back = trip(cyclic)
  assert.ok(types.isArgumentsObject(back))
  assert.equal(back.length, 3)
  assert.equal(back[2], back)
  assert.deepEqual([...back].slice(0, 2), [1, { a: 2 }])
  const empty = (function () {
    return arguments
  })()
  assert.deepEqual([...trip(empty)], [])
  assert.ok(types.isArgumentsObject(trip(empty)))
  const closed = (function (..._: unknown[]) {
    return Object.freeze(Object.assign(arguments, { name: 'n' }))
  })(5)
  const closedBack = trip(closed)
  assert.deepEqual([closedBack.name, closedBack[0], Object.isFrozen(closedBack)], ['n', 5, true])
  const longer = (function () {
    return Object.defineProperty(arguments, 'length', { value: -1 })
  })()
  assert.throws(() => trip(longer), /another length/)
})

test('an array whose prototype was taken away is refused', () => {
  assert.throws(() => trip({ list: Object.setPrototypeOf([1], null) as unknown }), {
    path: 'list',
    message: /its prototype was set to null/,
  })
})

test('a read-only property stays one', () => {
  const object = Object.defineProperty({}, 'a', { value: 1, enumerable: true })
  assert.deepEqual(
    Object.getOwnPropertyDescriptor(trip(object), 'a'),
    Object.getOwnPropertyDescriptor(object, 'a'),
  )
})

test('objects of another realm arrive as ours', async () => {
  const { runInNewContext } = await import('node:vm')
  const value = runInNewContext(
    '({ a: [1, "x"], m: new Map([[1, 2]]), e: new TypeError("t"), d: new Date(5) })',
  ) as { e: Error }
  const back = trip(value)
  assert.equal(Object.getPrototypeOf(back), Object.prototype)
  assert.deepStrictEqual({ ...back, e: 0 }, { a: [1, 'x'], m: new Map([[1, 2]]), e: 0, d: new Date(5) })
  assert.ok(back.e instanceof TypeError)
})

function caught(fn: () => unknown): unknown {
  try {
    fn()
  } catch (error) {
    return error
  }
  return assert.fail('it did not throw')
}
