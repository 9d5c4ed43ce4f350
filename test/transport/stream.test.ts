/**
 * The channel: records over a socket, whole and torn, large and many, with back-pressure and sudden ends.
 */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { Receive } from '#plait/transport/channel.js'
import { StreamChannel } from '#plait/transport/stream.js'
import { mark } from '#plait/transport/records.js'
import { flushBytes, maxRecordBytes } from '#plait/core/limits.js'
import { random, socketPair } from './pair.ts'

interface Ended {
  error: Error | undefined
  times: number
}

/** A channel, and a promise of its end. */
function channelOn(
  socket: Socket,
  receive: Receive = () => {},
): { channel: StreamChannel; end: Promise<Ended> } {
  const ended: Ended = { error: undefined, times: 0 }
  let resolve!: (ended: Ended) => void
  const end = new Promise<Ended>((r) => (resolve = r))
  const channel = new StreamChannel(socket, receive, (error) => {
    ended.error = error
    ended.times++
    setImmediate(() => setImmediate(resolve, ended)) // time for a second call, were there one
  })
  return { channel, end }
}

function send(channel: StreamChannel, kind: number, payload: Uint8Array): void {
  const writer = channel.open(kind)
  writer.reserve(payload.length)
  writer.bytes.set(payload, writer.pos)
  writer.pos += payload.length
  channel.commit()
}

function record(kind: number, payload: Uint8Array, length = payload.length): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(length, 0)
  head.writeUInt32LE(mark + kind, 4)
  return Buffer.concat([head, payload])
}

test('records of any size arrive whole and in order', async () => {
  const [near, far] = await socketPair()
  const next = random(7)
  const sizes = [0, 1, 7, 8, 9, 65_527, 65_528, 65_529, flushBytes - 8, flushBytes, 1_000_000]
  for (let i = 0; i < 400; i++) sizes.push(Math.floor(next() ** 4 * 100_000))
  const sent = sizes.map((size, i) => Buffer.alloc(size, i))
  const got: [number, Buffer][] = []
  const { channel } = channelOn(near)
  const other = channelOn(far, (kind, bytes, start, end) =>
    got.push([kind, Buffer.from(bytes.subarray(start, end))]),
  )
  sent.forEach((payload, i) => send(channel, i, payload))
  channel.close()
  assert.deepEqual(await other.end, { error: undefined, times: 1 })
  assert.equal(got.length, sent.length)
  got.forEach(([kind, payload], i) => assert.ok(kind === i && payload.equals(sent[i])))
})

test('a stream that comes byte by byte is put together', async () => {
  const [near, far] = await socketPair()
  const got: string[] = []
  const { end } = channelOn(far, (kind, bytes, from, to) =>
    got.push(`${kind}:${bytes.toString('utf8', from, to)}`),
  )
  near.setNoDelay(true)
  for (const byte of Buffer.concat([
    record(1, Buffer.from('one')),
    record(2, Buffer.alloc(0)),
    record(3, Buffer.from('three')),
  ]))
    await new Promise((done) => near.write(Uint8Array.of(byte), done))
  near.end()
  assert.equal((await end).error, undefined)
  assert.deepEqual(got, ['1:one', '2:', '3:three'])
})

test('what is committed in one tick is one write', async () => {
  const [near, far] = await socketPair()
  const { channel } = channelOn(near)
  const chunks: Buffer[] = []
  far.on('data', (chunk) => chunks.push(chunk))
  let writes = 0
  const write = near.write
  near.write = function (...args: Parameters<typeof write>) {
    writes++
    return write.apply(near, args)
  } as typeof write
  for (let i = 0; i < 1000; i++) send(channel, i, Uint8Array.of(i))
  assert.equal(writes, 0)
  channel.close()
  await new Promise((done) => far.on('end', done))
  assert.equal(writes, 0, 'close took it all along')
  assert.equal(Buffer.concat(chunks).length, 9000)
})

test('an abandoned record leaves no trace, nor does it take its neighbours along', async () => {
  const [near, far] = await socketPair()
  const got: number[] = []
  const { end } = channelOn(far, (kind) => got.push(kind))
  const { channel } = channelOn(near)
  send(channel, 1, Buffer.from('a'))
  const writer = channel.open(2)
  writer.reserve(1e6)
  writer.pos += 1e6
  channel.abandon()
  send(channel, 3, Buffer.from('c'))
  channel.close()
  await end
  assert.deepEqual(got, [1, 3])
})

test('a record opened while another one is written follows it, whatever becomes of that one', async () => {
  const [near, far] = await socketPair()
  const got: string[] = []
  const { end } = channelOn(far, (kind, bytes, from, to) =>
    got.push(`${kind}:${bytes.toString('utf8', from, to)}`),
  )
  const { channel } = channelOn(near)
  for (const kept of [true, false]) {
    const writer = channel.open(1)
    writer.reserve(5)
    writer.pos += writer.bytes.write('out', writer.pos)
    send(channel, 2, Buffer.from('in'))
    channel.open(3)
    channel.abandon()
    writer.pos += writer.bytes.write('er', writer.pos)
    if (kept) channel.commit()
    else channel.abandon()
  }
  channel.flush()
  channel.close()
  await end
  assert.deepEqual(got, ['1:outer', '2:in', '2:in'])
})

test('50 MB both ways at once, and onDrain when the kernel has them', async () => {
  const [near, far] = await socketPair()
  const big = Buffer.alloc(50_000_000, 'plait')
  const arrived = (socket: Socket): { channel: StreamChannel; whole: Promise<boolean> } => {
    let resolve!: (equal: boolean) => void
    const whole = new Promise<boolean>((r) => (resolve = r))
    const { channel } = channelOn(socket, (_kind, bytes, from, to) =>
      resolve(big.equals(bytes.subarray(from, to))),
    )
    return { channel, whole }
  }
  const a = arrived(near)
  const b = arrived(far)
  send(a.channel, 1, big)
  send(b.channel, 1, big)
  assert.ok(a.channel.buffered > 40_000_000)
  const drained = new Promise<number>((resolve) => (a.channel.onDrain = () => resolve(a.channel.buffered)))
  assert.deepEqual(await Promise.all([a.whole, b.whole, drained]), [true, true, 0])
  a.channel.destroy()
})

test('below flushBytes output waits for the write before it, then leaves by itself', async () => {
  const [near, far] = await socketPair()
  far.pause()
  const { channel } = channelOn(near)
  send(channel, 1, Buffer.alloc(8_000_000))
  send(channel, 2, Buffer.from('late'))
  channel.flush()
  const kinds: number[] = []
  let done!: () => void
  const both = new Promise<void>((resolve) => (done = resolve))
  channelOn(far, (kind) => kinds.push(kind) === 2 && done())
  far.resume()
  await both
  assert.deepEqual(kinds, [1, 2])
  near.destroy()
})

for (const [name, garbage] of [
  ['an absurd length', record(1, Buffer.alloc(0), maxRecordBytes + 1)],
  ['an absurd kind', record(0x1_0000, Buffer.alloc(0))],
  ['one stray byte', Buffer.of(0)],
  ['four stray bytes', Buffer.from('hey\n')],
  ['seven stray bytes', Buffer.alloc(7)],
  ['text', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
] as const)
  test(`${name} in the stream ends the channel with an error, after what came before it`, async () => {
    const [near, far] = await socketPair()
    const got: number[] = []
    const { end } = channelOn(far, (kind) => got.push(kind))
    near.on('error', () => {})
    near.write(Buffer.concat([record(5, Buffer.from('fine')), garbage, record(6, Buffer.alloc(3))]))
    const { error, times } = await end
    assert.match(error!.message, /garbage/)
    assert.equal(times, 1)
    assert.deepEqual(got, [5])
  })

test('a stream that ends inside a record is an error', async () => {
  for (const whole of [record(1, Buffer.from('torn')), record(1, Buffer.alloc(300_000))])
    for (const cut of [3, 8, whole.length - 1]) {
      const [near, far] = await socketPair()
      const { end } = channelOn(far, () => assert.fail('nothing whole has arrived'))
      near.end(whole.subarray(0, cut))
      assert.match((await end).error!.message, /inside a record/)
    }
})

test('a claimed length costs no memory before the bytes come', async () => {
  const [near, far] = await socketPair()
  const { end } = channelOn(far)
  const before = process.memoryUsage().arrayBuffers
  near.write(record(1, Buffer.alloc(1000), 2_000_000_000))
  near.end()
  await end
  assert.ok(process.memoryUsage().arrayBuffers - before < 100_000_000)
})

test('a receiver that throws ends the channel with its error, and gets nothing more', async () => {
  const [near, far] = await socketPair()
  let calls = 0
  const { end } = channelOn(far, () => {
    calls++
    throw new Error('unreadable')
  })
  near.on('error', () => {})
  near.write(Buffer.concat([record(1, Buffer.alloc(1)), record(2, Buffer.alloc(1))]))
  assert.equal((await end).error!.message, 'unreadable')
  assert.equal(calls, 1)
})

test('a receiver that throws nothing at all ends the channel with an error all the same', async () => {
  const [near, far] = await socketPair()
  const { end } = channelOn(far, () => {
    // oxlint-disable-next-line typescript/only-throw-error -- it can happen
    throw undefined
  })
  near.on('error', () => {})
  near.write(record(1, Buffer.alloc(1)))
  assert.match((await end).error!.message, /refused/)
})

test('a receiver that destroys the channel gets nothing more', async () => {
  const [near, far] = await socketPair()
  let calls = 0
  const { channel, end } = channelOn(far, () => {
    calls++
    channel.destroy()
  })
  near.on('error', () => {})
  near.write(
    Buffer.concat([
      record(1, Buffer.alloc(1)),
      record(2, Buffer.alloc(1)),
      record(3, Buffer.alloc(1)).subarray(2),
    ]),
  )
  assert.deepEqual(await end, { error: undefined, times: 1 })
  assert.equal(calls, 1)
})

test('what a peer sent before it died is delivered, though a write to it failed first', async () => {
  const [near, far] = await socketPair()
  const got: number[] = []
  const { channel, end } = channelOn(near, (kind) => got.push(kind))
  near.pause()
  await new Promise<void>((done) =>
    far.write(Buffer.concat([record(1, Buffer.alloc(100_000)), record(2, Buffer.alloc(9))]), () => done()),
  )
  far.destroy()
  await new Promise((done) => far.on('close', done))
  send(channel, 1, Buffer.from('too late'))
  channel.flush()
  near.resume()
  assert.deepEqual(await end, { error: undefined, times: 1 })
  assert.deepEqual(got, [1, 2])
})

test('after its end a channel takes output and drops it', async () => {
  const [near, far] = await socketPair()
  const { channel, end } = channelOn(near)
  far.destroy()
  await end
  send(channel, 1, Buffer.alloc(100_000))
  send(channel, 2, Buffer.alloc(1))
  channel.flush()
  channel.close()
  assert.equal(channel.buffered, 0)
})

test('what is drawn in the middle of a turn is delivered at its end, once and in order', async () => {
  const [here, there] = await socketPair()
  const got: number[] = []
  const { channel, end } = channelOn(here, (kind) => got.push(kind))
  const { channel: peer } = channelOn(there)
  channel.draw() // nothing there
  // The peer's writes reach the kernel within this turn.
  for (let kind = 1; kind <= 10; kind++) {
    send(peer, kind, Buffer.alloc(kind * 1000))
    peer.flush()
    if (kind % 3 === 0) channel.draw()
  }
  assert.deepEqual(got, [])
  await new Promise((resolve) => process.nextTick(resolve))
  assert.deepEqual(got, [1, 2, 3, 4, 5, 6, 7, 8, 9])
  peer.close()
  assert.equal((await end).error, undefined)
  assert.deepEqual(got, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  channel.draw() // after the end
})
