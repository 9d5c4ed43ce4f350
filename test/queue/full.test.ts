/**
 * The shared memory of the program is full: what is put is refused and whoever waits is told, and all goes on
 * once there is room. Full is what the heap believes: nothing is written, so it costs no memory.
 */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { MemoryError } from '#plait/core/errors.js'
import { load, store } from '#plait/memory/atomics.js'
import { allocate, free } from '#plait/memory/heap.js'
import { CONTROL_TOP, arenaFirst, kinds, largestControl } from '#plait/memory/layout.js'
import { region } from '#plait/memory/region.js'
import { giveNode, takeNode } from '#plait/memory/waiters.js'
import { Pipe } from '#plait/queue/connection.js'
import { Queue } from '#plait/queue/queue.js'
import { wait } from '#plait/queue/wait.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

let makeRoom = (): void => {}
afterEach(() => makeRoom())

/** As long as `take` has one. */
function* all<T>(take: () => T): Generator<T> {
  try {
    for (;;) yield take()
  } catch (error) {
    assert.ok(error instanceof MemoryError, String(error))
  }
}

/** Takes all the room for words, nodes of waiters included, until `makeRoom` is called. */
function fillMemory(): void {
  const { words } = region()
  const top = load(words, CONTROL_TOP)
  store(words, CONTROL_TOP, arenaFirst - 1)
  const taken: number[] = []
  for (let size = 0; size <= largestControl; size++)
    taken.push(...all(() => allocate(64 * 2 ** size, kinds.payload)))
  const nodes = [...all(() => takeNode(true))]
  makeRoom = () => {
    makeRoom = () => {}
    taken.forEach(free)
    nodes.forEach(giveNode)
    store(words, CONTROL_TOP, top)
  }
}

test('put says so, the queue keeps what it has, and goes on when something was taken', async () => {
  const queue = new Queue<number>()
  queue.putNowait(0)
  fillMemory()
  let put = 1
  for (const _ of all(() => queue.putNowait(put))) put++
  assert.ok(put > 10, `${put} fit into what the queue has`)
  await assert.rejects(queue.put(-1), MemoryError)
  assert.throws(() => queue.putSync(-1), MemoryError)
  assert.equal(queue.qsize(), put)
  for (let n = 0; n < put; n++) assert.equal(n % 2 === 0 ? queue.getNowait() : await queue.get(), n)
  for (let n = 0; n < put; n++) queue.putNowait(n)
  assert.throws(() => queue.putNowait(-1), MemoryError)
  makeRoom()
  for (let n = put; n < 3 * put; n++) await queue.put(n)
  for (let n = 0; n < 3 * put; n++) assert.equal(queue.getSync(), n)
  queue.close()
})

test('get that has to wait says so, late or not, and waits again when there is room', async () => {
  const queue = new Queue<number>()
  const full = new Queue<number>({ maxsize: 1 })
  const [here, there] = Pipe<number>()
  for (const one of [queue, full]) one.putNowait(1)
  assert.equal(queue.getNowait(), 1)
  fillMemory()
  for (const options of [undefined, { timeout: 10_000 }]) {
    await assert.rejects(queue.get(options), MemoryError)
    await assert.rejects(full.put(2, options), MemoryError)
    assert.throws(() => queue.getSync(options), MemoryError)
    assert.throws(() => full.putSync(2, options), MemoryError)
    await assert.rejects(wait([there], options), MemoryError)
  }
  makeRoom()
  const [got, put] = [queue.get({ timeout: 10_000 }), full.put(2)]
  await queue.put(7)
  assert.deepEqual([await got, await full.get()], [7, 1])
  await put
  assert.equal(await full.get(), 2)
  const waiting = wait([there])
  await here.send(1)
  assert.deepEqual(await waiting, [there])
  for (const one of [queue, full, here, there]) one.close()
})

test('who waits already is served from what the queue has, and told where that is not enough', async () => {
  const queue = new Queue<string>({ maxsize: 1 })
  queue.putNowait('first')
  const empty = new Queue<string>()
  empty.putNowait('warm')
  empty.getNowait()
  const puts = ['second', 'x'.repeat(8000)].map((item) => queue.put(item))
  const get = empty.get()
  await turn()
  fillMemory()
  empty.putNowait('served')
  assert.equal(await get, 'served')
  assert.equal(await queue.get(), 'first')
  await puts[0]
  const refused = assert.rejects(puts[1], MemoryError)
  assert.equal(await queue.get(), 'second')
  await refused
  makeRoom()
  await queue.put('third')
  assert.equal(await queue.get(), 'third')
  for (const one of [queue, empty]) one.close()
})
