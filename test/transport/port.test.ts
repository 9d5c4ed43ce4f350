/**
 * A channel over a message port: framing in every size, order, what is drawn, ends, and garbage. What it has
 * in common with a stream (nested records, limits) is in stream.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Receive } from '#plait/transport/channel.js'
import { PortChannel } from '#plait/transport/port.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

interface End {
  readonly channel: PortChannel
  readonly ended: Promise<Error | undefined>
  /** Payloads as they arrived. */
  readonly got: [kind: number, payload: Buffer][]
}

function channelOn(port: MessagePort, receive?: Receive): End {
  const got: [number, Buffer][] = []
  const take: Receive = (kind, bytes, start, end) => {
    receive?.(kind, bytes, start, end)
    got.push([kind, Buffer.from(bytes.subarray(start, end))])
  }
  let channel: PortChannel
  const ended = new Promise<Error | undefined>((resolve) => {
    channel = new PortChannel(port, take, resolve)
  })
  return { channel: channel!, ended, got }
}

function pair(receive?: Receive): { a: End; b: End; ports: MessageChannel } {
  const ports = new MessageChannel()
  return { a: channelOn(ports.port1), b: channelOn(ports.port2, receive), ports }
}

function send({ channel }: End, kind: number, payload: Uint8Array): void {
  const writer = channel.open(kind)
  writer.reserve(payload.length)
  writer.bytes.set(payload, writer.pos)
  writer.pos += payload.length
  channel.commit()
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('records of every size arrive whole, once, in order', async () => {
  const { a, b } = pair()
  const sizes = [0, 1, 7, 1016, 1023, 1024, 1025, 48 * 1024, 300_000, 5_000_000, 3]
  for (const [i, size] of sizes.entries()) send(a, 20 + i, Buffer.alloc(size, i + 1))
  assert.ok(a.channel.buffered < 300_000, 'large ones leave at once')
  a.channel.close()
  assert.equal(await b.ended, undefined)
  assert.deepEqual(
    b.got.map(([kind, payload]) => [kind, payload.length]),
    sizes.map((size, i) => [20 + i, size]),
  )
  assert.ok(b.got.every(([kind, payload]) => payload.every((byte) => byte === kind - 19)))
  assert.equal(await a.ended, undefined)
})

test('what is committed in a tick leaves together, or when it is flushed', async () => {
  const { a, b, ports } = pair()
  let messages = 0
  ports.port2.on('message', () => messages++)
  for (let i = 0; i < 10; i++) send(a, 20, Buffer.from([i]))
  assert.deepEqual([a.channel.unflushed.size, a.channel.buffered, a.channel.stuck], [90, 90, false])
  const { flushes } = a.channel.unflushed
  while (b.got.length < 10) await turn()
  assert.equal(messages, 1)
  assert.deepEqual([a.channel.unflushed.size, a.channel.unflushed.flushes], [0, flushes + 1])
  send(a, 21, Buffer.from('now'))
  a.channel.flush()
  assert.equal(a.channel.buffered, 0)
  a.channel.destroy()
  await b.ended
  assert.equal(b.got.at(-1)?.[1].toString(), 'now')
})

test('what is drawn is delivered when the turn is over, before what comes later', async () => {
  const { a, b } = pair()
  send(a, 20, Buffer.from('first'))
  a.channel.flush()
  b.channel.draw()
  assert.equal(b.got.length, 0)
  await new Promise((resolve) => process.nextTick(() => process.nextTick(resolve)))
  assert.equal(b.got.length, 1)
  send(a, 21, Buffer.from('second'))
  a.channel.flush()
  b.channel.draw()
  a.channel.close()
  b.channel.draw()
  assert.equal(await b.ended, undefined)
  assert.deepEqual(
    b.got.map(([kind]) => kind),
    [20, 21],
  )
  await a.ended
})

test('an abandoned record leaves nothing behind, nor does one around another lose it', async () => {
  const { a, b } = pair()
  a.channel.open(30)
  send(a, 31, Buffer.from('inner'))
  a.channel.abandon()
  send(a, 32, Buffer.from('after'))
  a.channel.close()
  await b.ended
  assert.deepEqual(
    b.got.map(([kind, payload]) => [kind, payload.toString()]),
    [
      [31, 'inner'],
      [32, 'after'],
    ],
  )
})

test('garbage, and a receiver that throws, end the channel with an error, once', async () => {
  const garbage = pair()
  garbage.ports.port1.postMessage(Buffer.from('not a record at all'))
  assert.match(String(await garbage.b.ended), /garbage/)
  assert.equal(garbage.b.channel.garbled, true)
  assert.equal(await garbage.a.ended, undefined)
  const thrown = pair(() => {
    throw new RangeError('refused')
  })
  send(thrown.a, 20, Buffer.from('x'))
  send(thrown.a, 21, Buffer.from('y'))
  assert.match(String(await thrown.b.ended), /refused/)
  assert.deepEqual(thrown.b.got, [])
  await thrown.a.ended
})

test('sending to an end that is gone is nothing', async () => {
  const { a, b } = pair()
  b.channel.destroy()
  await Promise.all([a.ended, b.ended])
  send(a, 20, Buffer.from('x'))
  a.channel.flush()
  a.channel.close()
  a.channel.draw()
  assert.deepEqual([a.channel.buffered, b.got.length], [0, 0])
})
