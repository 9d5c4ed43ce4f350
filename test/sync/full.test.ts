/**
 * The memory is full, and a line or an account that has to grow cannot: whoever comes gets an error, nobody
 * else is harmed, and what is there can be given back. A line grows with its ninth, accounts with the fifth.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runAsOwner } from '#plait/core/context.js'
import { MemoryError } from '#plait/core/errors.js'
import { load, store } from '#plait/memory/atomics.js'
import { allocate, free } from '#plait/memory/heap.js'
import { arenaFirst, CONTROL_TOP, kinds } from '#plait/memory/layout.js'
import { region } from '#plait/memory/region.js'
import { Barrier, Condition, Event, Lock, RLock, Semaphore } from '#plait/sync/open.js'
import { checkLeaks } from '../leaks.ts'
import { start } from './kit.ts'

// One more than elsewhere: who rings its own bell opens it a second time.
checkLeaks(4)

const soon = { timeout: 20_000 }
const elsewhere = <R>(fn: () => R): R => runAsOwner(null, fn)
const eight = [1, 2, 3, 4, 5, 6, 7, 8]

/** Takes all blocks that are free, and says that none can be cut; nothing may die meanwhile. */
async function whileFull(fn: () => unknown): Promise<void> {
  const { words } = region()
  // A page of nodes is there.
  await new Event().wait({ timeout: 1 })
  const top = load(words, CONTROL_TOP)
  const taken: number[] = []
  store(words, CONTROL_TOP, arenaFirst - 1)
  for (let bytes = 64; bytes <= 65_536; bytes *= 2)
    try {
      for (;;) taken.push(allocate(bytes, kinds.payload))
    } catch (error) {
      assert.ok(error instanceof MemoryError)
    }
  try {
    await fn()
  } finally {
    store(words, CONTROL_TOP, top)
    for (const block of taken) free(block)
  }
}

for (const make of [() => new Lock(), () => new RLock(), () => new Semaphore()])
  test(`${make().constructor.name}: the ninth in line`, async () => {
    const lock = make()
    const guard = lock.acquireSync()
    const waits = eight.map(() => elsewhere(() => lock.acquire(soon)))
    await whileFull(async () => {
      await assert.rejects(
        elsewhere(() => lock.acquire(soon)),
        MemoryError,
      )
      assert.throws(() => elsewhere(() => lock.acquireSync(soon)), MemoryError)
      guard.release()
      for (const wait of waits) (await wait)!.release()
    })
    lock.acquireNowait()!.release()
  })

test('Event: the ninth in line', async () => {
  const event = new Event()
  const waits = eight.map(() => event.wait(soon))
  await whileFull(async () => {
    await assert.rejects(event.wait(soon), MemoryError)
    event.set()
    assert.ok((await Promise.all(waits)).every((set) => set))
  })
})

test('Condition: the ninth in line, who has the lock still', async () => {
  const changed = new Condition(new Lock())
  const seen = { waiting: 0 }
  const waits = eight.map(async () => {
    const guard = await changed.acquire()
    seen.waiting++
    const notified = await changed.wait(soon)
    guard.release()
    return notified
  })
  while (seen.waiting < 8) await new Promise(setImmediate)
  await whileFull(async () => {
    const guard = await changed.acquire()
    await assert.rejects(changed.wait(soon), MemoryError)
    assert.equal(changed.lock.acquireNowait(), null)
    changed.notifyAll()
    guard.release()
    assert.ok((await Promise.all(waits)).every((notified) => notified))
  })
})

test('Barrier: the ninth inside, who has not come', async () => {
  const barrier = new Barrier(10)
  const waits = eight.map(() => barrier.wait(soon))
  await whileFull(async () => {
    await assert.rejects(barrier.wait(soon), MemoryError)
    assert.throws(() => barrier.waitSync(soon), MemoryError)
    assert.equal(barrier.nWaiting, 8)
  })
  waits.push(barrier.wait(soon), barrier.wait(soon))
  assert.deepEqual(await Promise.all(waits), [0, ...eight, 9])
})

test('Semaphore: the fifth holder, and a release by one who has no account', async () => {
  const semaphore = new Semaphore(5)
  const [ready, never] = [new Event(), new Event()]
  const holders = [1, 2, 3, 4].map(() => start('thread', 'holdForEver', semaphore, ready, never))
  while (semaphore.value > 1) await new Promise(setImmediate)
  await whileFull(() => {
    assert.throws(() => semaphore.acquireNowait(), MemoryError)
    assert.throws(() => semaphore.acquireSync(soon), MemoryError)
    semaphore.release()
    assert.equal(semaphore.value, 2)
  })
  semaphore.acquireNowait()!.release()
  never.set()
  for (const { ended } of holders) await ended
  assert.equal(semaphore.value, 5)
})
