/**
 * Handles in messages, with a kind of the test's own: identity, what is given and lent, and what a message
 * that fails gives back. Real handles, between processes, are in test/queue and test/sync.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from '#plait/codec/decode.js'
import { encode } from '#plait/codec/encode.js'
import { Carried, registerHandle } from '#plait/codec/handles.js'
import { Writer } from '#plait/codec/writer.js'

/** A shelf of numbered boxes, each counted by how many messages have a share in it. */
const shares = new Map<number, number>()

class Box {
  readonly number: number
  constructor(number: number) {
    this.number = number
  }
}

class Chest extends Box {}

const count = (number: number, by: number): void => void shares.set(number, (shares.get(number) ?? 0) + by)

const kind = {
  room: 'shelf',
  name: 'Box',
  write(handle: object, carried: Carried, process: boolean): unknown {
    const { number } = handle as Box
    count(number, 1)
    carried.give(kind, number)
    return { number, process }
  },
  read(state: unknown, given: boolean): object {
    const { number } = state as Box
    if (given) count(number, -1)
    return new Box(number)
  },
  unsend: (number: number): void => count(number, -1),
}
registerHandle(Box.prototype, kind)

function send(value: unknown, carried?: Carried): Writer {
  const writer = new Writer()
  encode(value, writer, carried && { carried, encode: () => assert.fail() })
  return writer
}

const arrive = ({ bytes, pos }: Writer): unknown => decode(bytes, 0, pos)

test('a handle is one object within a message, wherever it stands', () => {
  const box = new Box(1)
  const [a, { deep }, b] = arrive(send([box, { deep: new Map([[box, 1]]) }, box])) as [
    Box,
    { deep: Map<Box, number> },
    Box,
  ]
  assert.ok(a instanceof Box)
  assert.equal(a.number, 1)
  assert.equal(a, b)
  assert.equal(deep.get(a), 1)
  assert.equal(shares.get(1), 0)
})

test('a given handle is counted until the message is read', () => {
  const message = send(new Box(2))
  assert.equal(shares.get(2), 1)
  arrive(message)
  assert.equal(shares.get(2), 0)
})

test('a message that nobody will read gives back what it was given', () => {
  const carried = new Carried(false)
  send([new Box(3), new Box(4)], carried)
  assert.deepEqual(carried.shares, [3, 4])
  carried.drop()
  assert.deepEqual([shares.get(3), shares.get(4), carried.shares], [0, 0, []])
})

test('a message that fails gives it back by itself', () => {
  assert.throws(() => send([new Box(5), Promise.resolve()]), /it is a Promise/)
  assert.equal(shares.get(5), 0)
})

test('a lent handle may be read many times, and is counted until the sender drops it', () => {
  const carried = new Carried(true)
  const message = send({ box: new Box(6) }, carried)
  const own = carried.take()!
  assert.deepEqual([carried.shares, own.shares, carried.take()], [[], [6], null])
  for (let i = 0; i < 3; i++) assert.equal((arrive(message) as { box: Box }).box.number, 6)
  assert.equal(shares.get(6), 1)
  own.drop()
  own.drop()
  assert.equal(shares.get(6), 0)
})

test('a subclass of a handle is refused, with its path', () => {
  assert.throws(() => send({ a: [new Chest(7)] }), /cannot send `a\[0\]`: its class derives from Box/)
})

test('a handle of a room that is not there is an error', () => {
  const { bytes, pos } = send(new Box(8))
  const other = Buffer.from(bytes.subarray(0, pos).toString('latin1').replace('shelf', 'attic'), 'latin1')
  assert.throws(() => decode(other, 0, other.length), /a handle of a kind that is not known here/)
})
