/** What is one object before is one object after: references, cycles, shared memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from '#plait/codec/decode.js'
import { encode, Encoder } from '#plait/codec/encode.js'
import { Carried } from '#plait/codec/handles.js'
import { arrive, numberOf, type Numbered } from '#plait/codec/shared-buffers.js'
import { Writer } from '#plait/codec/writer.js'
import { trip } from './trip.ts'

test('shared objects stay shared', () => {
  const one = { a: 1 }
  const back = trip({ x: one, y: [one, one], z: new Map([[one, one]]) })
  assert.equal(back.x, back.y[0])
  assert.equal(back.x, back.y[1])
  assert.equal(back.z.get(back.x), back.x)
})

test('cycles through every container', () => {
  const object: Record<string, unknown> = {}
  const array: unknown[] = [object]
  const map = new Map<unknown, unknown>([[array, object]])
  const set = new Set<unknown>([map])
  const error = new Error('e', { cause: set })
  const nothing = Object.assign(Object.create(null) as object, { error })
  Object.assign(object, {
    object,
    array,
    map,
    set,
    error,
    nothing,
    sparse: [, object],
    named: Object.assign([1], { object }),
  })
  Object.freeze(object)
  const back = trip(object) as Record<string, any>
  assert.equal(back['object'], back)
  assert.equal(back['array'][0], back)
  assert.equal(back['map'].get(back['array']), back)
  assert.ok(back['set'].has(back['map']))
  assert.equal(back['error'].cause, back['set'])
  assert.equal(back['nothing'].error, back['error'])
  assert.equal(back['sparse'][1], back)
  assert.equal(back['named'].object, back)
  assert.ok(Object.isFrozen(back))
})

test('references beyond the first sixteen values', () => {
  const many = Array.from({ length: 1000 }, (_, i) => ({ i }))
  const back = trip([...many, ...many])
  for (let i = 0; i < 1000; i++) {
    assert.equal(back[i], back[i + 1000])
    assert.equal(back[i].i, i)
  }
})

test('views that share a buffer share it afterwards, wherever their windows lie', () => {
  const buffer = new ArrayBuffer(64)
  const value = {
    bytes: new Uint8Array(buffer, 3, 20),
    floats: new Float64Array(buffer, 16, 2),
    again: new Uint8Array(buffer, 3, 20),
  }
  value.bytes[0] = 1
  const back = trip(value)
  assert.equal(back.bytes.buffer, back.floats.buffer)
  back.bytes[13] = 64
  assert.notEqual(back.floats[0], 0)
  back.again[5] = 77
  assert.equal(back.bytes[5], 77)
})

test('a buffer beside its view arrives whole', () => {
  const buffer = new ArrayBuffer(1000)
  const back = trip({ view: new Uint8Array(buffer, 500, 1), buffer })
  assert.equal(back.buffer.byteLength, 1000)
  assert.equal(back.view.buffer, back.buffer)
  assert.equal(back.view.byteOffset, 500)
})

test('a SharedArrayBuffer goes ahead of the bytes between threads, and comes back as what it was', () => {
  const shared = new SharedArrayBuffer(16)
  const writer = new Writer()
  const ahead: Numbered[] = []
  const done: number[] = []
  const way = {
    attach: (buffers: readonly Numbered[]) => void ahead.push(...buffers),
    detach: (numbers: readonly number[]) => void done.push(...numbers),
  }
  const trip = (carried: Carried): { shared: unknown; view: Int32Array } => {
    writer.pos = 0
    const extension = { encode: () => assert.fail('not asked'), carried }
    encode({ shared, view: new Int32Array(shared, 4, 2) }, writer, extension)
    carried.sendAhead(way)
    arrive(ahead)
    return decode(writer.bytes, 0, writer.pos) as { shared: unknown; view: Int32Array }
  }
  const lent = new Carried(true, true)
  const back = trip(lent)
  const number = numberOf(shared)
  assert.deepEqual(ahead, [
    [number, shared],
    [number, shared],
  ])
  assert.equal(back.shared, shared)
  back.view[0] = 5
  assert.equal(new Int32Array(shared)[1], 5)
  lent.drop()
  lent.drop()
  assert.deepEqual(done, [number, number])
  assert.equal(trip(new Carried(false, true)).view.buffer, shared)
  assert.throws(() => encode(shared, writer), /only between threads of one process/)
  assert.throws(() => trip(new Carried(true)), /only between threads of one process/)
})

test('one message knows nothing of the one before', () => {
  const encoder = new Encoder()
  const writer = new Writer()
  const value = [
    { a: 1, b: 2 },
    { a: 3, b: 4 },
  ]
  encoder.encode(value, writer)
  const first = Buffer.from(writer.bytes.subarray(0, writer.pos))
  writer.pos = 0
  encoder.encode(value, writer)
  assert.deepEqual(writer.bytes.subarray(0, writer.pos), first)
})
