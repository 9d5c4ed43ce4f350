/** What captures cost, as ratios and medians that a busy machine can keep; and which are not made twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from '#plait/codec/encode.js'
import { Writer } from '#plait/codec/writer.js'
import { capture, captureInto, prewarm } from '#plait/closure/capture.js'

const what = 'the function'

function median(runs: number, fn: (i: number) => void): number {
  const times: number[] = []
  for (let i = 0; i < runs; i++) {
    const start = performance.now()
    fn(i)
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[runs >> 1]
}

const settings = { factor: 1 }
const fixed = 7
let moving = 1

test('a closure with changing values, again and again', () => {
  prewarm()
  const fn = (x: number): number => x * settings.factor + moving
  const cost = median(300, (i) => {
    settings.factor = i
    moving = i
    capture(fn, { what })
  })
  assert.ok(cost < 0.8, `${(cost * 1000).toFixed(0)} µs`)
  assert.notEqual(capture(fn, { what }), capture(fn, { what }))
})

test('what captured nothing that can change is captured once', () => {
  const alone = (x: number): number => x * x
  const constant = (x: number): number => x * fixed
  const helper = (x: number): number => constant(x)
  for (const fn of [alone, constant, helper]) {
    capture(fn, { what })
    const payload = capture(fn, { what })
    assert.ok(payload.stable)
    assert.equal(capture(fn, { what }), payload)
    const cost = median(2_000, () => capture(fn, { what }))
    assert.ok(cost < 0.01, `${(cost * 1000).toFixed(1)} µs`)
  }
})

test('an arrow without free names that is written in a loop is captured once', () => {
  const ids = new Set<number>()
  for (let i = 0; i < 10; i++) ids.add(capture((x: number) => x + x, { what }).id)
  assert.equal(ids.size, 1)
})

test('what may change is captured anew', () => {
  let assigned = 1
  const list = [1]
  const bound = ((a: number) => a).bind(null, 1)
  const noted = Object.assign((x: number) => x - x, { note: 1 })
  const cases: (() => unknown)[] = [() => assigned, () => list, () => Thing, bound, noted as never]
  class Thing {
    static count = 0
  }
  for (const fn of cases) {
    const payloads = [1, 2, 3].map(() => capture(fn, { what }))
    assert.ok(
      payloads.every(({ stable }) => !stable),
      fn.toString(),
    )
  }
  assigned = 2
  const plain = (x: number): number => x + 0
  assert.ok(capture(plain, { what }).stable)
  Object.assign(plain, { note: 1 })
  assert.ok(!capture(plain, { what }).stable)
})

test('what is defined on a function shows in the next turn, were it hidden or under a symbol', async () => {
  for (const key of ['hidden', Symbol.for('plait.test')]) {
    const fn = (x: number): number => x + 1
    for (let i = 0; i < 3; i++) assert.ok(capture(fn, { what }).stable)
    Object.defineProperty(fn, key, { value: 1 })
    await Promise.resolve()
    assert.ok(!capture(fn, { what }).stable)
  }
})

test('a variable that is assigned later shows its new value', () => {
  let late: number | undefined
  const fn = (): unknown => late
  const first = capture(fn, { what }).bytes
  capture(fn, { what })
  late = 3
  assert.notDeepEqual(capture(fn, { what }).bytes, first)
})

test('data costs what the codec costs, in a closure and beside it', () => {
  const rows = Array.from({ length: 50_000 }, (_, id) => ({ id, name: `row ${id}` }))
  const writer = new Writer(1 << 23)
  const times = { codec: Infinity, closure: Infinity, into: Infinity }
  const run = (key: keyof typeof times, fn: () => void): void => {
    const start = performance.now()
    writer.pos = 0
    fn()
    times[key] = Math.min(times[key], performance.now() - start)
  }
  for (let round = 0; round < 7; round++) {
    run('codec', () => encode(rows, writer))
    run('closure', () => capture(() => rows, { what }))
    run('into', () => captureInto(writer, rows, { what }))
  }
  assert.ok(times.into < times.codec * 1.5, JSON.stringify(times))
  assert.ok(times.closure < times.codec * 2, JSON.stringify(times))
})

test('plain data takes one byte more, and a failure leaves the writer as it was', () => {
  const writer = new Writer(64)
  const plain = new Writer(64)
  for (const value of [1, 'text', [1, 2], { a: { b: null } }, new Map([[1, 2]])]) {
    writer.pos = plain.pos = 0
    assert.equal(captureInto(writer, value, { what }), null)
    encode(value, plain)
    assert.deepEqual(writer.bytes.subarray(1, writer.pos), plain.bytes.subarray(0, plain.pos))
  }
  writer.pos = 5
  assert.throws(
    () => captureInto(writer, { a: Promise.resolve() }, { what }),
    /`a` of the function: it is a Promise/,
  )
  assert.throws(
    () => captureInto(writer, [() => 1, Promise.resolve()], { what }),
    /`\[1\]` of the function: it is a Promise/,
  )
  assert.equal(writer.pos, 5)
  const templates = captureInto(writer, { fn: () => 1 }, { what })
  assert.equal(templates?.length, 1)
})
