/**
 * A channel that goes over from a stream, or from a message port, to rings in the region: both sides in this
 * process, each way by itself, with the bell of this thread.
 */
import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { load, store } from '#plait/memory/atomics.js'
import { forgetBell } from '#plait/memory/bell.js'
import { S_BELL } from '#plait/memory/layout.js'
import { me, slotAt, slotOf } from '#plait/memory/participants.js'
import { region } from '#plait/memory/region.js'
import { usage } from '#plait/memory/heap.js'
import { Link } from '#plait/transport/link.js'
import { PortChannel } from '#plait/transport/port.js'
import { RingChannel } from '#plait/transport/ring-channel.js'
import { StreamChannel } from '#plait/transport/stream.js'
import { checkLeaks } from '../leaks.js'
import { random, socketPair } from './pair.ts'

checkLeaks()
const skip = region().system === null && 'no memory between processes here'
/** What the two sides have in common at first, and where that is all they need. */
const controls = [
  ['a stream', skip],
  ['a port', false],
] as const
type Control = (typeof controls)[number][0]
const over = 9

interface Side {
  readonly channel: RingChannel
  readonly got: number[]
}

async function open(control: Control): Promise<(Socket | MessagePort)[]> {
  if (control === 'a stream') return socketPair()
  const { port1, port2 } = new MessageChannel()
  return [port1, port2]
}

/** Two sides of one link. The parent's answers the going over, as a pool does. */
async function sides(
  from: Control = 'a port',
): Promise<{ parent: Side; worker: Side; goOver(): void; close(): void }> {
  const link = Link.make()
  const [parent, worker] = (await open(from)).map((end, i): Side => {
    const got: number[] = []
    const receive = (kind: number, bytes: Buffer, start: number, end: number): void => {
      if (kind === over) return i === 0 ? answer() : channel.receiveByRing(link.workerEnds())
      for (let at = start + 4; at < end; at++) assert.equal(bytes[at], kind)
      got.push(bytes.readUInt32LE(start))
    }
    const control =
      end instanceof Socket
        ? new StreamChannel(end, receive, () => {})
        : new PortChannel(end, receive, () => {})
    const channel = new RingChannel(control, receive, (error) => assert.fail(error))
    return { channel, got }
  }) as [Side, Side]
  const answer = (): void => {
    const ends = link.parentEnds()
    parent.channel.sendByRing(ends, over)
    parent.channel.receiveByRing(ends)
  }
  return {
    parent,
    worker,
    goOver: () => worker.channel.sendByRing(Link.join(link.address).workerEnds(), over),
    close() {
      parent.channel.destroy()
      worker.channel.destroy()
      link.close()
    },
  }
}

function send({ channel }: Side, n: number, size: number): void {
  const kind = 20 + (n % 50)
  const writer = channel.open(kind)
  writer.reserve(4 + size)
  writer.bytes.writeUInt32LE(n, writer.pos)
  writer.bytes.fill(kind, writer.pos + 4, writer.pos + 4 + size)
  writer.pos += 4 + size
  channel.commit()
}

async function until(what: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !what();) {
    assert.ok(performance.now() < end, 'it did not come')
    await new Promise(setImmediate)
  }
}

for (const [from, missing] of controls)
  test(
    `records keep their order, whenever the two sides go over from ${from}`,
    { skip: missing },
    async () => {
      for (let seed = 1; seed <= 6; seed++) {
        const next = random(seed)
        const { parent, worker, goOver, close } = await sides(from)
        const sent = [0, 0]
        const total = 3000
        const when = Math.floor(next() * total)
        for (let n = 0; n < total; n++) {
          if (n === when) goOver()
          for (const [i, side] of [parent, worker].entries()) {
            if (next() < 0.5) continue
            const large = next() < 0.004
            send(side, sent[i]++, Math.floor(large ? next() * 900_000 : next() ** 4 * 300))
          }
          if (next() < 0.02) await new Promise(setImmediate)
          if (next() < 0.005) parent.channel.draw()
        }
        await until(() => worker.got.length === sent[0] && parent.got.length === sent[1])
        for (const { got } of [parent, worker]) assert.ok(got.every((n, i) => n === i))
        assert.deepEqual([parent.channel.buffered, worker.channel.buffered], [0, 0])
        close()
      }
    },
  )

test('a ring that is full keeps its writer waiting, and nothing else', async () => {
  const { parent, worker, goOver, close } = await sides()
  goOver()
  send(parent, 0, 0)
  await until(() => worker.got.length === 1)
  let drained = 0
  worker.channel.onDrain = () => drained++
  for (let n = 0; n < 100; n++) send(worker, n, 10_000)
  assert.ok(worker.channel.stuck)
  assert.ok(worker.channel.buffered > 700_000)
  assert.equal(worker.channel.unflushed.size, 0)
  await until(() => parent.got.length === 100 && drained > 0)
  assert.ok(!worker.channel.stuck)
  close()
})

test('where a bell cannot be reached the control channel says it', { skip }, async () => {
  const { parent, worker, goOver, close } = await sides()
  goOver()
  send(parent, 0, 0)
  await until(() => worker.got.length === 1)
  const { words } = region()
  const bell = slotAt(slotOf(me())) + S_BELL
  const reachable = load(words, bell)
  store(words, bell, 0)
  forgetBell(slotOf(me()))
  try {
    for (let n = 0; n < 5; n++) {
      send(worker, n, 10)
      send(parent, n + 1, 10)
      await until(() => parent.got.length === n + 1 && worker.got.length === n + 2)
    }
  } finally {
    store(words, bell, reachable)
  }
  close()
})

test('between threads what is large changes hands, in its turn', async () => {
  const { parent, worker, goOver, close } = await sides('a port')
  goOver()
  send(parent, 0, 0)
  await until(() => worker.got.length === 1)
  for (let n = 0; n < 30; n++) send(worker, n, n % 3 === 0 ? 300_000 : 100)
  // None of it waits for room in a ring of 256 KiB.
  assert.deepEqual([worker.channel.stuck, worker.channel.buffered], [false, 0])
  parent.channel.draw()
  await until(() => parent.got.length === 30)
  assert.ok(parent.got.every((n, i) => n === i))
  close()
})

test('a long turn takes in what arrives, and delivers it when it is over', async () => {
  const { parent, worker, goOver, close } = await sides()
  goOver()
  send(parent, 0, 0)
  await until(() => worker.got.length === 1)
  for (let n = 0; n < 50; n++) {
    send(worker, n, 10_000)
    parent.channel.draw()
  }
  assert.ok(!worker.channel.stuck || worker.channel.buffered < 300_000)
  assert.deepEqual(parent.got, [])
  await until(() => parent.got.length === 50)
  assert.ok(parent.got.every((n, i) => n === i))
  close()
})

test('a link that nobody holds any more is given back', async () => {
  const before = usage()
  for (let i = 0; i < 20; i++) {
    const link = Link.make()
    // A worker that never came to it, and one that did and ended: both ends are this participant here.
    if (i % 2 === 0) Link.join(link.address)
    link.close()
  }
  const after = usage()
  assert.deepEqual([after.blocks, after.bytes], [before.blocks, before.bytes])
})
