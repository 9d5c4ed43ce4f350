/**
 * A ring and the records written into it: both ends in one thread, in turns drawn from a seed, over a ring so
 * small that everything wraps, fills and waits.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecordReader } from '#plait/transport/records.js'
import { type RingPlace, RingReaderEnd, RingWriterEnd } from '#plait/transport/ring.js'
import { RingOutput } from '#plait/transport/ring-output.js'
import { random } from './pair.ts'

function place(capacity: number): RingPlace {
  return {
    words: new Int32Array(new SharedArrayBuffer(64)),
    head: 0,
    waits: 1,
    tail: 2,
    bytes: Buffer.alloc(capacity),
  }
}

/** The payload of record `n`: its length and bytes tell which one it is. */
function payload(n: number, size: number): Buffer {
  return Buffer.alloc(size, n * 7 + 1)
}

function put(output: RingOutput, kind: number, bytes: Buffer): void {
  const writer = output.open(kind)
  // As encoders do it: in steps, each of which may find no room.
  for (let at = 0; at < bytes.length;) {
    const step = Math.min(bytes.length - at, 1 + (bytes.length >> 2))
    writer.reserve(step)
    bytes.copy(writer.bytes, writer.pos, at, at + step)
    writer.pos += step
    at += step
  }
  output.commit()
}

/** Takes all that is committed; true where the writer has to be rung. */
function takeAll(reader: RingReaderEnd, records: RecordReader, most = Infinity): boolean {
  let waits = false
  reader.look()
  for (let i = 0; i < most; i++) {
    const piece = reader.read()
    if (piece === undefined) break
    records.take(piece)
    waits = reader.release() || waits
  }
  return waits
}

test('records of any size pass a small ring whole, in order, and each once', () => {
  for (let seed = 1; seed <= 80; seed++) {
    const next = random(seed)
    const capacity = 2 ** (7 + (seed % 5))
    const at = place(capacity)
    // As after four billion bytes: counters wrap.
    at.words[0] = at.words[2] = -3 * capacity
    const output = new RingOutput(new RingWriterEnd(at))
    const reader = new RingReaderEnd(at)
    const sizes: number[] = []
    let got = 0
    const records = new RecordReader((kind, bytes, start, end) => {
      assert.equal(kind, got % 100)
      assert.ok(bytes.subarray(start, end).equals(payload(got, sizes[got])), `record ${got}, seed ${seed}`)
      got++
    })
    for (let turn = 0; turn < 400; turn++) {
      if (next() < 0.6) {
        const size = Math.floor(next() ** 3 * capacity * 3)
        sizes.push(size)
        put(output, (sizes.length - 1) % 100, payload(sizes.length - 1, size))
      } else if (next() < 0.1) {
        output.open(7).reserve(Math.floor(next() * capacity * 2))
        output.abandon()
      }
      if (next() < 0.4) takeAll(reader, records, Math.floor(next() * 3))
      if (next() < 0.3) output.drain()
    }
    for (let turn = 0; got < sizes.length; turn++) {
      assert.ok(turn < 10_000, `${got} of ${sizes.length} arrived, seed ${seed}`)
      takeAll(reader, records)
      output.drain()
    }
    assert.equal(output.overflow, 0)
    assert.equal(records.torn, undefined)
  }
})

test('a writer without room is rung when there is some, and not before', () => {
  const at = place(256)
  const output = new RingOutput(new RingWriterEnd(at))
  const reader = new RingReaderEnd(at)
  const seen: number[] = []
  const records = new RecordReader((kind) => seen.push(kind))
  put(output, 1, Buffer.alloc(100))
  assert.equal(takeAll(reader, records), false)
  for (const kind of [2, 3, 4, 5]) put(output, kind, Buffer.alloc(100))
  assert.ok(output.overflow > 0)
  let rung = 0
  while (output.overflow > 0) {
    assert.ok(takeAll(reader, records), 'it waits')
    rung++
    output.drain()
  }
  assert.ok(rung >= 1)
  takeAll(reader, records)
  assert.deepEqual(seen, [1, 2, 3, 4, 5])
  put(output, 6, Buffer.alloc(100))
  assert.equal(takeAll(reader, records), false, 'nobody waits any more')
})

test('what is not committed is not there; what is half there is torn', () => {
  const at = place(256)
  const output = new RingOutput(new RingWriterEnd(at))
  const reader = new RingReaderEnd(at)
  const records = new RecordReader(() => assert.fail('nothing is whole'))
  const writer = output.open(1)
  writer.reserve(20)
  writer.bytes.fill(9, writer.pos, writer.pos + 20)
  writer.pos += 20
  reader.look()
  assert.equal(reader.read(), undefined)
  output.abandon()
  put(output, 2, Buffer.alloc(1000))
  takeAll(reader, records)
  assert.match(String(records.torn), /256 of 1008 bytes/)
})

test('a record that is opened within another comes after it', () => {
  const at = place(4096)
  const output = new RingOutput(new RingWriterEnd(at))
  const seen: string[] = []
  const records = new RecordReader((kind, bytes, start, end) =>
    seen.push(`${kind} ${bytes.toString('latin1', start, end)}`),
  )
  const write = (text: string): void => {
    const writer = output.open(text.length)
    writer.reserve(text.length)
    writer.pos += writer.bytes.write(text, writer.pos)
  }
  write('a')
  write('bb')
  write('dropped')
  output.abandon()
  output.commit()
  output.commit()
  write('ccc')
  output.commit()
  takeAll(new RingReaderEnd(at), records)
  assert.deepEqual(seen, ['1 a', '2 bb', '3 ccc'])
})
