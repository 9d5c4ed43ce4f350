/**
 * Threads and processes at the same locks, semaphores, events, conditions and barriers: what is counted must
 * come out exactly, whoever takes part, and whether it waits in its event loop or stops. Runs once more where
 * threads alone share the memory.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Barrier, Condition, Event, Lock, RLock, Semaphore, SharedValue } from '#plait/sync/open.js'
import { checkLeaks } from '../leaks.ts'
import { casts, mapped, start } from './kit.ts'

// One more than elsewhere: who rings its own bell opens it a second time.
checkLeaks(4)

for (const cast of casts) {
  const who = cast.join(' and ')

  for (const [make, first, second] of [
    [() => new Lock(), 'countSync', 'countSync'],
    [() => new Lock(), 'countSync', 'countAsync'],
    [() => new RLock(), 'countAsync', 'countSync'],
    [() => new Semaphore(), 'countSync', 'countAsync'],
  ] as const)
    test(`${make().constructor.name}: ${first} and ${second}: ${who}`, async () => {
      const lock = make()
      const counter = new SharedValue('int32')
      const times = 4000
      const others = [
        start(cast[0], first, lock, counter, times),
        start(cast[1], second, lock, counter, times),
      ]
      // This thread too, in its event loop, which must go on all the while.
      let turns = 0
      const timer = setInterval(() => turns++, 1)
      for (let i = 0; i < 200; i++) await lock.run(() => void counter.add(1))
      await Promise.all(others.map(({ result }) => result))
      clearInterval(timer)
      assert.equal(counter.value, 2 * times + 200)
      assert.ok(turns > 0, 'the event loop stood still')
      assert.notEqual(lock.acquireNowait(), null, 'nobody holds it in the end')
    })

  test(`Semaphore lets in as many as it has permits: ${who}`, async () => {
    const semaphore = new Semaphore(2)
    const inside = new SharedValue('int32')
    const parties = [...cast, ...cast].map((where) => start(where, 'crowd', semaphore, inside, 2000))
    const most = await Promise.all(parties.map(({ result }) => result))
    assert.ok(Math.max(...most) <= 2, `${String(most)} at once`)
    assert.equal(semaphore.value, 2)
  })

  test(`Event wakes all, though it is cleared at once: ${who}`, async () => {
    const arrived = new Semaphore(0)
    const event = new Event()
    const parties = cast.flatMap((where) => [
      start(where, 'waitSync', event, arrived),
      start(where, 'waitAsync', event, arrived),
    ])
    // They say that they come, and some may not have come yet: those need another set.
    for (let i = 0; i < parties.length; i++) await arrived.acquire()
    const all = Promise.all(parties.map(({ result }) => result))
    const settled = all.then(() => true)
    // Its own turn in between, so that this ends when they have.
    const turn = (): Promise<boolean> => new Promise((resolve) => setImmediate(resolve, false))
    while (!(await Promise.race([settled, turn()]))) {
      event.set()
      event.clear()
    }
    assert.deepEqual(await all, [true, true, true, true])
    assert.equal(event.isSet(), false)
  })

  test(`Condition: producers and consumers: ${who}`, async () => {
    const changed = new Condition()
    const stock = new SharedValue('int32')
    const share = 400
    const parties = cast.flatMap((where) => [
      start(where, 'consume', stock, changed, share),
      start(where, 'produce', stock, changed, share),
    ])
    const results = await Promise.all(parties.map(({ result }) => result))
    assert.deepEqual(results, [share, share, share, share])
    assert.equal(stock.value, 0)
  })

  test(`Barrier: rounds with distinct indices: ${who}`, async () => {
    let actions = 0
    const barrier = new Barrier(3)
    const rounds = 150
    const others = [start(cast[0], 'meet', barrier, rounds), start(cast[1], 'meetAsync', barrier, rounds)]
    const own: number[] = []
    for (let i = 0; i < rounds; i++) {
      own.push(await barrier.wait())
      actions++
    }
    const [first, second] = await Promise.all(others.map(({ result }) => result))
    for (let i = 0; i < rounds; i++)
      assert.deepEqual(new Set([own[i], first[i], second[i]]), new Set([0, 1, 2]), `round ${i}`)
    assert.equal(actions, rounds)
    assert.equal(barrier.nWaiting, 0)
  })
}

test('where threads alone share the memory', { skip: !mapped }, () => {
  const { status, stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url)], {
    env: { ...process.env, PLAIT_TRANSPORT: 'shared', NODE_TEST_CONTEXT: '' },
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout)
})
