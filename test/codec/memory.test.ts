/** Encoder and decoder keep nothing of a message once it is over, whether it went well or not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { setImmediate as turn } from 'node:timers/promises'
import { Decoder } from '#plait/codec/decode.js'
import { Encoder } from '#plait/codec/encode.js'
import { Writer } from '#plait/codec/writer.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

async function isFree(make: () => WeakRef<object>): Promise<boolean> {
  const ref = make()
  for (let i = 0; i < 10 && ref.deref() !== undefined; i++) {
    await turn()
    gc()
  }
  return ref.deref() === undefined
}

const value = (): object => ({
  a: [{ b: 1 }, new Map([[{}, { c: new Uint8Array(5) }]])],
  list: Array.from({ length: 50 }, (_, i) => ({ i })),
})

test('the encoder lets go of the value', async () => {
  const encoder = new Encoder()
  const writer = new Writer()
  assert.ok(
    await isFree(() => {
      const object = value()
      encoder.encode(object, writer)
      return new WeakRef(object)
    }),
  )
  assert.ok(
    await isFree(() => {
      const object = { ...value(), bad: Symbol('bad') }
      assert.throws(() => encoder.encode([object], writer))
      return new WeakRef(object)
    }),
  )
})

test('the decoder lets go of the value and of the bytes', async () => {
  const writer = new Writer()
  new Encoder().encode(value(), writer)
  const decoder = new Decoder()
  assert.ok(
    await isFree(() => {
      const bytes = Buffer.from(writer.bytes.subarray(0, writer.pos))
      decoder.decode(bytes, 0, bytes.length)
      return new WeakRef(bytes)
    }),
  )
  assert.ok(await isFree(() => new WeakRef(decoder.decode(writer.bytes, 0, writer.pos) as object)))
  assert.ok(
    await isFree(() => {
      const bytes = Buffer.from(writer.bytes.subarray(0, writer.pos - 1))
      assert.throws(() => decoder.decode(bytes, 0, bytes.length))
      return new WeakRef(bytes)
    }),
  )
})

test('ever new keys do not grow the tables of shapes', () => {
  const encoder = new Encoder()
  const decoder = new Decoder()
  const writer = new Writer()
  const run = (n: number): void => {
    for (let i = 0; i < n; i++) {
      writer.pos = 0
      encoder.encode({ [`key${Math.random()}`]: 1, [`b${i}`]: 2 }, writer)
      decoder.decode(writer.bytes, 0, writer.pos)
    }
    gc()
  }
  run(20_000)
  const before = process.memoryUsage().heapUsed
  run(200_000)
  assert.ok(process.memoryUsage().heapUsed - before < 5e6)
})
