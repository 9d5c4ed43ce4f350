/**
 * Processes that are killed while they hold something, and while they wait for it. Nobody else may hang, and
 * nothing may be lost or come twice. Each kill is at a known state; the last tests kill at random moments.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokenBarrierError } from '#plait/core/errors.js'
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  RLock,
  Semaphore,
  SharedArray,
  SharedValue,
} from '#plait/sync/open.js'
import { checkLeaks } from '../leaks.ts'
import { random, start } from './kit.ts'

// One more than elsewhere: who rings its own bell opens it a second time.
// Who is killed at any step may leave a cell: what a death costs is told in memory/README.
checkLeaks(4, 'blocks')

/** Well beyond a slice, and far below what a hang takes. */
const soon = { timeout: 20_000 }

for (const make of [() => new Lock(), () => new RLock()]) {
  const name = make().constructor.name

  test(`${name}: the death of the holder hands it on, and says so`, async () => {
    const lock = make()
    const [ready, never] = [new Event(), new Event()]
    const holder = start('process', 'holdForEver', lock, ready, never)
    await ready.wait()
    assert.equal(lock.acquireNowait(), null)
    const waits = lock.acquire(soon)
    await holder.kill()
    const guard = await waits
    assert.equal(guard?.ownerDied, true)
    guard.release()
    const next = await lock.acquire(soon)
    assert.equal(next?.ownerDied, false, 'it is said once')
    next.release()
  })

  test(`${name}: a death that nobody buries is found by those who wait`, async () => {
    const lock = make()
    const [ready, never] = [new Event(), new Event()]
    const holder = start('process', 'holdForEver', lock, ready, never)
    await ready.wait()
    const killed = holder.kill()
    // This thread stops: the event loop cannot learn of the end of its child meanwhile.
    const guard = lock.acquireSync(soon)
    assert.equal(guard?.ownerDied, true)
    guard.release()
    await killed
  })

  for (const stand of ['standInLine', 'standInLineAsync'] as const)
    test(`${name}: the death of one in line harms nobody: ${stand}`, async () => {
      const lock = make()
      const ready = new Event()
      const held = lock.acquireSync()
      const doomed = start('process', stand, lock, ready)
      await ready.wait()
      // RLock: another owner, or it would have it at once.
      const waits = lock.run(() => 'mine')
      await doomed.kill()
      held.release()
      assert.equal(await waits, 'mine')
      assert.notEqual(lock.acquireNowait(), null)
    })
}

for (const make of [() => new Lock(), () => new RLock()])
  test(`Condition of ${make().constructor.name}: one that has a dead one's lock says so`, async () => {
    const changed = new Condition(make())
    const [ready, never] = [new Event(), new Event()]
    const guard = await changed.acquire()
    assert.equal(guard.ownerDied, false)
    const waits = changed.wait(soon)
    const holder = start('process', 'notifyForEver', changed, ready, never)
    await ready.wait()
    await holder.kill()
    assert.equal(await waits, true)
    assert.equal(guard.ownerDied, true)
    guard.release()
    const next = await changed.acquire(soon)
    assert.equal(next?.ownerDied, false, 'it is said once')
    next.release()
  })

test('Semaphore: permits of the dead come back', async () => {
  for (const semaphore of [new Semaphore(3), new BoundedSemaphore(3)]) {
    const [ready, never] = [new Event(), new Event()]
    const holder = start('process', 'holdForEver', semaphore, ready, never, 2)
    await ready.wait()
    const guard = semaphore.acquireSync()
    assert.equal(semaphore.value, 0)
    const waits = semaphore.acquire(soon)
    await holder.kill()
    assert.notEqual(await waits, null)
    assert.equal(semaphore.value, 1)
    guard.release()
    assert.equal(semaphore.value, 2)
  }
})

test('Semaphore: a release by another takes it off the account of the holder', async () => {
  const semaphore = new Semaphore(2)
  const [ready, never] = [new Event(), new Event()]
  const holder = start('process', 'holdForEver', semaphore, ready, never, 2)
  await ready.wait()
  assert.equal(semaphore.value, 0)
  semaphore.release()
  assert.equal(semaphore.value, 1)
  await holder.kill()
  // One of two came back by the release, so the death brings back the other one alone.
  while (semaphore.value < 2) await new Promise(setImmediate)
  await new Promise((resolve) => setTimeout(resolve, 0))
  assert.equal(semaphore.value, 2)
})

test('Semaphore: the account of one who held before there were many', async () => {
  const semaphore = new Semaphore(10)
  const guard = semaphore.acquireSync()
  const [ready, never] = [new Event(), new Event()]
  const holders = [1, 2, 3, 4, 5].map(() => start('thread', 'holdForEver', semaphore, ready, never))
  while (semaphore.value > 4) await new Promise(setImmediate)
  const again = semaphore.acquireSync()
  await holders[0].kill()
  assert.equal(semaphore.value, 4, 'two are held here, and one by each of the four')
  never.set()
  for (const { ended } of holders) await ended
  assert.equal(semaphore.value, 8)
  guard.release()
  again.release()
  assert.equal(semaphore.value, 10)
})

test('Semaphore: the death of one in line harms nobody', async () => {
  const semaphore = new Semaphore(0)
  const ready = new Event()
  const doomed = start('process', 'standInLine', semaphore, ready)
  await ready.wait()
  const waits = semaphore.acquire(soon)
  await doomed.kill()
  semaphore.release()
  assert.notEqual(await waits, null)
})

test('Event: the death of a waiter harms nobody', async () => {
  const event = new Event()
  const arrived = new Semaphore(0)
  const doomed = start('process', 'waitSync', event, arrived)
  const other = start('process', 'waitSync', event, arrived)
  await arrived.acquire()
  await arrived.acquire()
  await doomed.kill()
  event.set()
  assert.equal(await other.result, true)
})

test('Condition: a waiter that was killed takes no notification from another', async () => {
  const changed = new Condition()
  const [waiting, told] = [new SharedValue('int32'), new SharedValue('int32')]
  const doomed = [1, 2].map(() => start('process', 'awaitNotice', changed, waiting, told))
  while (waiting.value < 2) await new Promise(setImmediate)
  const other = start('process', 'awaitNotice', changed, waiting, told)
  while (waiting.value < 3) await new Promise(setImmediate)
  // Under the lock, so that whoever has said that it waits does wait.
  const guard = await changed.acquire()
  const killed = Promise.all(doomed.map((party) => party.kill()))
  // Before anybody can know of the deaths, or after: one notification for the one that lives.
  changed.notify()
  guard.release()
  await killed
  assert.equal(await other.result, true)
  assert.equal(told.value, 1)
})

test('Barrier: the death of a party breaks it for the others', async () => {
  const barrier = new Barrier(3)
  const ready = new Event()
  const doomed = start('process', 'meetOnce', barrier, ready)
  while (barrier.nWaiting < 1) await new Promise(setImmediate)
  const waits = assert.rejects(barrier.wait(), BrokenBarrierError)
  await doomed.kill()
  await waits
  assert.equal(barrier.broken, true)
  assert.throws(() => barrier.waitSync(), BrokenBarrierError)
  barrier.reset()
  assert.equal(barrier.broken, false)
})

const seed = Number(process.env['PLAIT_TEST_SEED'] ?? 20_261)

test(`Lock under random kills: what it protects is whole, or is said not to be (seed ${seed})`, async () => {
  const lock = new Lock()
  const both = new SharedArray('int32', 3)
  const stop = new Event()
  const roll = random(seed)
  const crew = [1, 2, 3].map(() => start('process', 'pairs', lock, both, stop))
  for (let round = 0; round < 12; round++) {
    const before = both.view[0]
    // In full flight: each round has to get somewhere before the next kill.
    while (both.view[0] < before + 50 * roll()) await new Promise(setImmediate)
    const index = Math.floor(roll() * crew.length)
    const doomed = crew[index]
    crew[index] = start('process', 'pairs', lock, both, stop)
    await doomed.kill()
  }
  stop.set()
  for (const { result } of crew) await result
  const guard = await lock.acquire(soon)
  assert.notEqual(guard, null)
  if (guard?.ownerDied !== true) assert.equal(both.view[0], both.view[1])
})

test(`Semaphore under random kills: no permit is lost and none comes twice (seed ${seed})`, async () => {
  const semaphore = new BoundedSemaphore(2)
  const stop = new Event()
  const roll = random(seed + 1)
  const crew = [1, 2, 3, 4].map(() => start('process', 'permits', semaphore, stop, 2))
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 20 * roll(); i++) (await semaphore.acquire(soon))!.release()
    const index = Math.floor(roll() * crew.length)
    const doomed = crew[index]
    crew[index] = start('process', 'permits', semaphore, stop, 2)
    await doomed.kill()
  }
  stop.set()
  for (const { result } of crew) await result
  assert.equal(semaphore.value, 2)
})
