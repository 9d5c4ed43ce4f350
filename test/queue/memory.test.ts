/**
 * What queues and pipes take of the shared memory, and that they give it back. The files of the source
 * themselves, so that the memory counted is theirs.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { load } from '#plait/memory/atomics.js'
import { read, usage, walk } from '#plait/memory/heap.js'
import { cellWord, defineKind, makeCell, release, send } from '#plait/memory/holders.js'
import { H_KIND, kinds } from '#plait/memory/layout.js'
import { Channel } from '#plait/queue/channel.js'
import { Pipe } from '#plait/queue/connection.js'
import { GUARD } from '#plait/queue/layout.js'
import { Outgoing } from '#plait/queue/message.js'
import { Queue } from '#plait/queue/queue.js'
import { SharedValue } from '#plait/sync/open.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Until the collector has come to all that nobody uses: finalizers run in turns of their own. */
async function until(condition: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < 200 && !condition(); turn++) {
    gc()
    await sleep(1)
  }
  return condition()
}

test('what was taken makes room again', () => {
  const queue = new Queue<Buffer>()
  const item = Buffer.alloc(1000, 1)
  const round = (): void => {
    for (let i = 0; i < 10_000; i++) queue.putNowait(item)
    for (let i = 0; i < 10_000; i++) queue.getNowait()
  }
  round()
  round()
  const before = usage()
  for (let i = 0; i < 3; i++) round()
  const after = usage()
  assert.deepEqual(after, before)
  assert.ok(before.free > 10_000_000, 'it did count')
  queue.close()
})

test('a closed queue gives everything back, what lies in it included', () => {
  new Queue().close()
  const before = usage()
  for (let i = 0; i < 20; i++) {
    const [queue, inner] = [new Queue(), new Queue<number>()]
    inner.putNowait(1)
    for (const item of [inner, Buffer.alloc(200_000), 'x'.repeat(50_000), [i], () => i]) queue.putNowait(item)
    inner.close()
    queue.close()
  }
  assert.equal(usage().blocks, before.blocks)
})

test('so does one that is shut down at once, through all of its chunks', () => {
  const inner = new Queue<number>()
  for (let round = 0; round < 2; round++) {
    const queue = new Queue()
    const before = usage()
    for (let i = 0; i < 20_000; i++) queue.putNowait(i % 100 === 0 ? inner : i)
    for (const item of [Buffer.alloc(200_000), 'x'.repeat(50_000), [() => inner]]) queue.putNowait(item)
    queue.shutdown({ immediate: true })
    assert.equal(usage().blocks, before.blocks)
    queue.close()
  }
  const after = usage()
  inner.close()
  assert.equal(usage().blocks, after.blocks - 1, 'no message holds it any more')
})

test('nothing is given back under the guard', () => {
  const queue = new Queue()
  const address = Array.from(walk()).findLast((one) => read(one, H_KIND) === kinds.queue)!
  const channel = new Channel(cellWord(address))
  const guards: number[] = []
  const kind = kinds.queue + 15
  defineKind(kind, { destroy: () => void guards.push(load(channel.words, channel.w + GUARD)) })
  const cell = makeCell(kind, 1)
  send(cell)
  release(cell)
  const message = { ...new Outgoing().pack(1, 'the item'), shares: [cell], entrust() {}, weight: 4 }
  channel.locked(() => channel.put(message as unknown as Outgoing, () => {}))
  assert.equal(queue.qsize(), 1)
  queue.shutdown({ immediate: true })
  assert.deepEqual(guards, [0])
  queue.close()
})

test('an item may have any number of handles', () => {
  const queue = new Queue<SharedValue<'int32'>[]>()
  const values = Array.from({ length: 17_000 }, (_, i) => new SharedValue('int32', i))
  queue.putNowait(values)
  assert.deepEqual(
    queue.getNowait().map((value) => value.value),
    values.map((value) => value.value),
  )
  queue.close()
})

test('so does one that was collected, and a pipe', async () => {
  const before = usage()
  for (let i = 0; i < 2000; i++) {
    new Queue().putNowait(i)
    Pipe()[0].sendSync(i)
  }
  assert.ok(usage().blocks > before.blocks)
  assert.ok(await until(() => usage().blocks <= before.blocks), `${usage().blocks} of ${before.blocks}`)
})

test('large payloads are leased, and given back when they are collected', async () => {
  const before = usage()
  const queue = new Queue<Float64Array>()
  const trip = async (i: number): Promise<void> => {
    queue.putNowait(new Float64Array(1_000_000).fill(i))
    assert.equal((await queue.get())[999_999], i)
  }
  for (let i = 0; i < 40; i++) await trip(i)
  queue.close()
  assert.ok(await until(() => usage().blocks <= before.blocks), `${usage().blocks} of ${before.blocks}`)
})

test('what waits for an item is not collected', async () => {
  const carrier = new Queue<Queue<number>>()
  const got = ((): Promise<number> => {
    const queue = new Queue<number>()
    carrier.putNowait(queue)
    return queue.get()
  })()
  for (let i = 0; i < 3; i++) {
    gc()
    await sleep(1)
  }
  const again = await carrier.get()
  again.putNowait(5)
  assert.equal(await got, 5)
})
