/** Event, Condition and Barrier within one thread: what each call answers, misuse, timeouts and signals. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runAsOwner } from '#plait/core/context.js'
import { BrokenBarrierError, InvalidStateError } from '#plait/core/errors.js'
import { Barrier, Condition, Event, Lock, RLock } from '#plait/sync/open.js'
import { checkLeaks } from '../leaks.ts'

checkLeaks()

const elsewhere = <R>(fn: () => R): R => runAsOwner(null, fn)
const reason = new Error('enough')

test('Event: set, clear, and what a wait answers', async () => {
  const event = new Event()
  assert.equal(event.isSet(), false)
  assert.equal(await event.wait({ timeout: 0 }), false)
  assert.equal(await event.wait({ timeout: 3 }), false)
  assert.equal(event.waitSync({ timeout: 3 }), false)
  event.clear()
  const waits = [event.wait(), event.wait({ timeout: 10_000 })]
  event.set()
  event.set()
  event.clear()
  assert.deepEqual(await Promise.all(waits), [true, true])
  event.set()
  assert.equal(event.isSet(), true)
  assert.equal(await event.wait({ timeout: 0 }), true)
  assert.equal(event.waitSync(), true)
  event.clear()
  await assert.rejects(event.wait({ signal: AbortSignal.abort(reason) }), reason)
  await assert.rejects(event.wait({ timeout: -1 }), RangeError)
  const controller = new AbortController()
  const aborted = event.wait({ signal: controller.signal })
  controller.abort(reason)
  await assert.rejects(aborted, reason)
})

test('Event: 10,000 waiters', async () => {
  const event = new Event()
  const waits = Array.from({ length: 10_000 }, () => event.wait())
  event.set()
  assert.ok((await Promise.all(waits)).every((answer) => answer))
})

for (const make of [() => new Lock(), () => new RLock()]) {
  const name = make().constructor.name

  test(`Condition of ${name}: only under the lock`, async () => {
    const changed = new Condition(make())
    await assert.rejects(changed.wait(), InvalidStateError)
    assert.throws(() => changed.waitSync(), InvalidStateError)
    await assert.rejects(
      changed.waitFor(() => true),
      InvalidStateError,
    )
    assert.throws(() => changed.waitForSync(() => true), InvalidStateError)
    assert.throws(() => changed.notify(), InvalidStateError)
    assert.throws(() => changed.notifyAll(), InvalidStateError)
    assert.throws(() => changed.release(), InvalidStateError)
    const guard = await changed.acquire()
    assert.throws(() => changed.notify(-1), RangeError)
    changed.notify()
    guard.release()
  })

  test(`Condition of ${name}: notify wakes as many as it says, and remembers nothing`, async () => {
    const changed = new Condition(make())
    const seen = { waiting: 0 }
    let woken = 0
    const wait = async (): Promise<boolean> =>
      await elsewhere(async () => {
        const guard = await changed.acquire()
        seen.waiting++
        const notified = await changed.wait({ timeout: 20_000 })
        woken++
        guard.release()
        return notified
      })
    const notify = (n: number): Promise<void> => changed.lock.run(() => changed.notify(n))
    await notify(5) // nobody is there
    const waits = [wait(), wait(), wait(), wait(), wait()]
    while (seen.waiting < 5) await new Promise(setImmediate)
    await notify(2)
    await Promise.all(waits.slice(0, 2))
    await changed.lock.run(() => assert.equal(woken, 2))
    await changed.lock.run(() => changed.notifyAll())
    assert.deepEqual(await Promise.all(waits), [true, true, true, true, true])
    const guard = await changed.acquire()
    assert.equal(await changed.wait({ timeout: 2 }), false)
    assert.equal(changed.waitSync({ timeout: 2 }), false)
    assert.equal(await changed.wait({ timeout: 0 }), false)
    guard.release()
    assert.notEqual(
      elsewhere(() => changed.lock.acquireNowait()),
      null,
    )
  })

  test(`Condition of ${name}: the lock is held again, whatever ends the wait`, async () => {
    const changed = new Condition(make())
    const guard = await changed.acquire()
    await assert.rejects(changed.wait({ signal: AbortSignal.abort(reason) }), reason)
    const controller = new AbortController()
    const waits = changed.wait({ signal: controller.signal })
    // Free while it waits.
    const other = elsewhere(() => changed.lock.acquireNowait())
    assert.notEqual(other, null)
    controller.abort(reason)
    const rejected = assert.rejects(waits, reason)
    await new Promise(setImmediate)
    other?.release()
    await rejected
    assert.equal(
      elsewhere(() => changed.lock.acquireNowait()),
      null,
    )
    guard.release()
    assert.notEqual(
      elsewhere(() => changed.lock.acquireNowait()),
      null,
    )
  })
}

test('Condition: waitFor gives what the predicate gave last', async () => {
  const changed = new Condition()
  const guard = await changed.acquire()
  assert.equal(await changed.waitFor(() => 'at once'), 'at once')
  assert.equal(await changed.waitFor(() => 0, { timeout: 3 }), 0)
  assert.equal(
    changed.waitForSync(() => '', { timeout: 3 }),
    '',
  )
  assert.equal(await changed.waitFor(() => null, { timeout: 0 }), null)
  let calls = 0
  const waits = changed.waitFor(() => (++calls >= 3 ? calls : undefined))
  for (let i = 0; i < 2; i++)
    await elsewhere(() => changed.lock.run(() => changed.notifyAll())).then(() => new Promise(setImmediate))
  assert.equal(await waits, 3)
  await assert.rejects(
    changed.waitFor(() => {
      throw reason
    }),
    reason,
  )
  await assert.rejects(changed.waitFor(1 as never), TypeError)
  guard.release()
})

test('Condition: an RLock is let go of fully, and had again as often', async () => {
  const lock = new RLock()
  const changed = new Condition(lock)
  assert.equal(changed.lock, lock)
  const guards = [lock.acquireSync(), lock.acquireSync(), lock.acquireSync()]
  const waits = changed.wait({ timeout: 20_000 })
  elsewhere(() => {
    const other = lock.acquireNowait()
    assert.notEqual(other, null)
    changed.notify()
    other?.release()
  })
  assert.equal(await waits, true)
  for (const guard of guards) {
    assert.equal(
      elsewhere(() => lock.acquireNowait()),
      null,
    )
    guard.release()
  }
  assert.notEqual(
    elsewhere(() => lock.acquireNowait()),
    null,
  )
  assert.throws(() => new Condition({} as never), TypeError)
})

const pause = (): Promise<void> => new Promise(setImmediate)

/** Two bare functions of one owner have the lock; one waits, and the other gives its share back meanwhile. */
for (const how of ['its guard', 'release()'] as const)
  test(`Condition: what another of the same owner gave back by ${how} is not had again`, async () => {
    const lock = new RLock()
    const changed = new Condition(lock)
    const waiters = lock.acquireSync()
    const others = lock.acquireSync()
    const waits = changed.wait({ timeout: 20_000 })
    await pause()
    if (how === 'its guard') others.release()
    else lock.release()
    await elsewhere(() => lock.run(() => changed.notify()))
    assert.equal(await waits, true)
    assert.equal(
      elsewhere(() => lock.acquireNowait()),
      null,
      'the waiter has its own',
    )
    waiters.release()
    assert.throws(() => lock.release(), InvalidStateError)
    assert.notEqual(
      elsewhere(() => lock.acquireNowait()),
      null,
    )
  })

for (const make of [() => new Lock(), () => new RLock()])
  test(`Condition of ${make().constructor.name}: a guard that is released meanwhile`, async () => {
    const changed = new Condition(make())
    const guard = await changed.acquire()
    const waits = changed.wait({ timeout: 20_000 })
    await pause()
    guard.release()
    await elsewhere(() => changed.lock.run(() => changed.notify()))
    assert.equal(await waits, true)
    assert.notEqual(
      elsewhere(() => changed.lock.acquireNowait()),
      null,
    )
  })

test('Barrier: indices, the action before anybody goes, and again', async () => {
  const events: string[] = []
  const barrier = new Barrier(3, { action: () => events.push('action') })
  assert.deepEqual([barrier.parties, barrier.nWaiting, barrier.broken], [3, 0, false])
  for (let round = 0; round < 3; round++) {
    const waits = [0, 1, 2].map(async () => {
      const index = await barrier.wait()
      events.push('gone')
      return index
    })
    assert.deepEqual(await Promise.all(waits), [0, 1, 2])
  }
  const round = ['action', 'gone', 'gone', 'gone']
  assert.deepEqual(events, [...round, ...round, ...round])
  assert.equal(await new Barrier(1).wait(), 0)
  assert.equal(new Barrier(1).waitSync(), 0)
})

test('Barrier: broken by a timeout, by a signal, by abort, by its action', async () => {
  const breakers: ((barrier: Barrier) => Promise<unknown>)[] = [
    (barrier) => assert.rejects(barrier.wait({ timeout: 2 }), BrokenBarrierError),
    async (barrier) => {
      const controller = new AbortController()
      const waits = barrier.wait({ signal: controller.signal })
      controller.abort(reason)
      await assert.rejects(waits, reason)
    },
    async (barrier) => barrier.abort(),
    async (barrier) => assert.throws(() => barrier.waitSync({ timeout: 2 }), BrokenBarrierError),
  ]
  for (const breaker of breakers) {
    const barrier = new Barrier(3)
    const other = assert.rejects(barrier.wait(), BrokenBarrierError)
    await breaker(barrier)
    await other
    assert.equal(barrier.broken, true)
    await assert.rejects(barrier.wait(), BrokenBarrierError)
    barrier.reset()
    assert.equal(barrier.broken, false)
    assert.deepEqual(await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()]), [0, 1, 2])
  }
  const failing = new Barrier(2, {
    action: () => {
      throw reason
    },
  })
  const first = assert.rejects(failing.wait(), BrokenBarrierError)
  await assert.rejects(failing.wait(), reason)
  await first
  assert.equal(failing.broken, true)
  const impatient = new Barrier(2, { timeout: 2 })
  await assert.rejects(impatient.wait(), BrokenBarrierError)
})

test('Barrier: reset sends away who waits, and it serves again', async () => {
  const barrier = new Barrier(2)
  barrier.reset()
  const waits = assert.rejects(barrier.wait(), BrokenBarrierError)
  assert.equal(barrier.nWaiting, 1)
  barrier.reset()
  await waits
  assert.deepEqual(await Promise.all([barrier.wait(), barrier.wait()]), [0, 1])
})

test('Barrier: who comes while the action runs is of the next round', async () => {
  let let_go = (): void => {}
  const acting = new Promise<void>((resolve) => (let_go = resolve))
  const barrier = new Barrier(2, { action: () => acting })
  const first = [barrier.wait(), barrier.wait()]
  await new Promise(setImmediate)
  const second = [barrier.wait(), barrier.wait()]
  let_go()
  assert.deepEqual(await Promise.all(first), [0, 1])
  assert.deepEqual(await Promise.all(second), [0, 1])
  assert.throws(() => new Barrier(0), RangeError)
  assert.throws(() => new Barrier('2' as never), TypeError)
  assert.throws(() => new Barrier(2, { action: 1 as never }), TypeError)
  assert.throws(() => new Barrier(2, { timeout: -1 }), RangeError)
})
