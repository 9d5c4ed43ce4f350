/**
 * An item with code is looked at first, and taken once what it needs is loaded. What becomes of a wait, and
 * of what was read, where somebody else takes the item between the two. A channel without a handle, so that
 * the other consumer comes exactly then.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Empty, ShutDown } from '#plait/core/errors.js'
import { allocate, free, wordAt } from '#plait/memory/heap.js'
import { kinds } from '#plait/memory/layout.js'
import { region } from '#plait/memory/region.js'
import { Channel, type Found } from '#plait/queue/channel.js'
import { Receiver } from '#plait/queue/ends.js'
import { channelWords } from '#plait/queue/layout.js'
import { Outgoing, prepare, unpack } from '#plait/queue/message.js'
import { checkLeaks } from '../leaks.js'
import { random } from '../random.js'
import { basenameOf } from './library.js'
import { originForThread } from './thread-kit.js'

// A channel without a handle is nobody's: what is in it stays.
checkLeaks(3, 'blocks')

const refuse = (): void => {}
const words = {
  refuseGet(state: number): void {
    if (state !== 0) throw new ShutDown('it is shut down')
  },
  refusePut(): never {
    throw new ShutDown('it is shut down')
  },
  lateGet: () => new Empty('it is empty'),
  latePut: () => new Error('it is full'),
  what: 'the item',
  verb: 'get',
}

function made(): { channel: Channel; receiver: Receiver; put(value: unknown): void } {
  const channel = new Channel(wordAt(allocate(4 * channelWords, kinds.payload)))
  const put = (value: unknown): void => {
    const message = new Outgoing().pack(value, 'the item')
    channel.locked(() => channel.put(message, refuse))
    message.sent()
  }
  return { channel, receiver: new Receiver({}, channel, words), put }
}

/** Another consumer, for which everything is loaded. */
function takeFirst(channel: Channel): Found {
  const { sequence } = channel.locked(() => channel.take(refuse, -1))!
  const found = channel.locked(() => channel.take(refuse, sequence))!
  assert.ok(found.taken)
  return found
}

test('get without waiting, whose item another takes while it loads: Empty, and no wait', async () => {
  const { channel, receiver, put } = made()
  put(() => basenameOf('/x/y'))
  const get = receiver.get({ timeout: 0 })
  takeFirst(channel)
  await assert.rejects(get, Empty)
  const next = receiver.get(undefined)
  put(() => basenameOf('/x/z'))
  assert.equal(((await next) as () => string)(), 'z')
})

test('get without waiting goes on to the next item where that is there', async () => {
  const { channel, receiver, put } = made()
  put(() => originForThread())
  put('second')
  const get = receiver.get({ timeout: 0 })
  takeFirst(channel)
  assert.equal(await get, 'second')
})

test('its signal ends it while it loads, and the item stays', async () => {
  const { channel, receiver, put } = made()
  put(() => random(1))
  const stop = new AbortController()
  const get = receiver.get({ timeout: 0, signal: stop.signal })
  stop.abort(new Error('enough'))
  await assert.rejects(get, /enough/)
  assert.equal(channel.count(), 1)
})

test('getSync has one deadline, however many items are taken before it', () => {
  const { channel, receiver, put } = made()
  put(() => 1)
  const looked = channel.locked(() => channel.take(refuse, -1))!
  assert.ok(!looked.taken)
  let rounds = 0
  let asked = 0
  // Nothing is there; then, before it waits, one that is gone again; and so on, each 20 ms.
  channel.take = () => {
    if (asked++ % 2 === 0) return undefined
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    if (++rounds === 20) throw new ShutDown('it has waited for long enough')
    return { ...looked, sequence: rounds }
  }
  assert.throws(() => receiver.getSync({ timeout: 50 }), Empty)
})

test('nothing of a large item that another has taken is believed', () => {
  const { channel, put } = made()
  const big = 'x'.repeat(70_000)
  put(() => big)
  const looked = channel.locked(() => channel.take(refuse, -1))!
  unpack(takeFirst(channel))
  // Its memory is somebody else's by now, with something else in it.
  const again = allocate(big.length, kinds.payload)
  assert.equal(again, looked.blocks[0])
  region().slice(again, big.length).fill(0xff)
  put(() => big)
  assert.equal(prepare(looked, channel), undefined)
  free(again)
  assert.equal((unpack(takeFirst(channel)) as () => string)(), big)
})
