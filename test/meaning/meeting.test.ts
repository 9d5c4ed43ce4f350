/**
 * Conditions, events and barriers among threads and processes: who is woken and who is not, what a barrier
 * does to all when one of them gives up, and that the death of one who had the lock is told to whoever comes
 * back from a wait. Python: the cases of test_multiprocessing and lock_tests.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Barrier, BrokenBarrierError, Condition, Event, Lock, RLock, SharedArray, SharedValue } from 'plait'
import { checkLeaks } from '../leaks.ts'
import { resultOf, soon, start, wheres, type Where } from './kit.ts'

checkLeaks(4)

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('Condition: so many of them as notify says, wherever they wait', async () => {
  const changed = new Condition(new Lock())
  const [asleep, awake] = [new SharedValue('int32'), new SharedValue('int32')]
  const sleep = async (sync: boolean): Promise<boolean> => {
    const guard = changed.acquireSync()
    asleep.value = asleep.value + 1
    const told = sync ? changed.waitSync() : await changed.wait()
    awake.value = awake.value + 1
    guard.release()
    return told
  }
  const places = [...wheres, ...wheres] as Where[]
  const sleepers = places.map((where, i) => start(where, sleep, [i % 4 < 2]))
  while (asleep.value < places.length) await turn()
  const notify = (fn: () => void): Promise<void> => changed.lock.run(fn)
  // Under the lock: whoever was woken and has come back has said so before it lets go.
  const awakeAre = async (n: number): Promise<void> => {
    while (awake.value < n) await turn()
    for (let i = 0; i < 20; i++) await changed.lock.run(turn)
    assert.equal(awake.value, n)
  }
  await notify(() => changed.notify(0))
  await awakeAre(0)
  await notify(() => changed.notify())
  await awakeAre(1)
  if (places.length > 2) {
    await notify(() => changed.notify(2))
    await awakeAre(3)
  }
  await notify(() => changed.notifyAll())
  await awakeAre(places.length)
  for (const sleeper of sleepers) assert.equal(await resultOf(sleeper), true)
})

for (const where of wheres) {
  test(`Condition: a ${where} that waits for what does not come goes when its time is over`, async () => {
    const changed = new Condition()
    const [state, polls] = [new SharedValue('int32'), new SharedValue('int32')]
    const waiter = start(where, () => {
      const guard = changed.acquireSync()
      const began = performance.now()
      const got = changed.waitForSync(() => (polls.add(1), state.value >= 100), { timeout: 250 })
      const took = performance.now() - began
      guard.release()
      return { got, took }
    }, [])
    const result = resultOf(waiter)
    const progress = { over: false }
    void result.finally(() => (progress.over = true)).catch(() => {})
    // Each of these wakes it in vain.
    while (!progress.over) {
      await changed.lock.run(() => {
        state.value = Math.min(99, state.value + 1)
        changed.notify()
      })
      await turn()
    }
    const { got, took } = await result
    assert.equal(got, false)
    assert.ok(took >= 249, `${took} ms`)
    assert.ok(polls.value > 2, 'it has looked again')
  })

  for (const make of [() => new Lock(), () => new RLock()])
    for (const sync of [true, false])
      test(`ownerDied after a wait: ${make().constructor.name}, ${where}, sync ${sync}`, async () => {
        const changed = new Condition(make())
        const halves = new SharedArray('int32', 2)
        const guard = await changed.acquire()
        const other = start(where, () => {
          changed.acquireSync()
          halves.view[0] = 1
          changed.notify()
          process.exit(0)
        }, [])
        other.result.catch(() => {})
        const seen = new Event()
        const third = start(where, () => {
          seen.waitSync()
          changed.lock.runSync(() => {
            halves.view[1] = 1
            changed.notify()
          })
        }, [])
        // Looked at once more after the death, and once more after a turn of somebody who has lived.
        const ready = (): boolean => {
          if (halves.view[0] === 1) seen.set()
          return halves.view[1] === 1
        }
        const there = sync ? changed.waitForSync(ready, soon) : await changed.waitFor(ready, soon)
        assert.equal(there, true)
        assert.equal(guard.ownerDied, true, 'the other has ended between its two steps')
        assert.equal(sync ? changed.waitSync({ timeout: 1 }) : await changed.wait({ timeout: 1 }), false)
        assert.equal(guard.ownerDied, false, 'nobody had it meanwhile')
        guard.release()
        await Promise.all([other.join(), third.join()])
      })

  test(`Barrier: the action is called once a round, by whoever comes last (${where})`, async () => {
    const [rounds, early] = [new SharedValue('int32'), new SharedValue('int32')]
    const barrier = new Barrier(3, { action: () => (rounds.value = rounds.value + 1) })
    const go = (): number => {
      let sum = 0
      for (let round = 1; round <= 20; round++) {
        sum += barrier.waitSync()
        if (rounds.value < round) early.add(1)
      }
      return sum
    }
    const others = [start(where, go, []), start(where, go, [])]
    let sum = 0
    for (let round = 0; round < 20; round++) sum += await barrier.wait()
    for (const other of others) sum += await resultOf(other)
    assert.deepEqual([sum, rounds.value, early.value], [20 * 3, 20, 0])
  })

  for (const how of ['abort', 'reset', 'timeout'] as const)
    test(`Barrier: ${how} reaches those who wait in a ${where}`, async () => {
      const barrier = new Barrier(3)
      const visit = (options: { timeout?: number }): string => {
        try {
          return `passed ${barrier.waitSync(options)}`
        } catch (error) {
          return (error as Error).name
        }
      }
      const patient = start(where, visit, [{}])
      while (barrier.nWaiting < 1) await turn()
      const second = start(where, visit, [how === 'timeout' ? { timeout: 50 } : {}])
      if (how !== 'timeout') {
        while (barrier.nWaiting < 2) await turn()
        barrier[how]()
      }
      assert.deepEqual(
        [await resultOf(patient), await resultOf(second)],
        ['BrokenBarrierError', 'BrokenBarrierError'],
      )
      assert.equal(barrier.broken, how !== 'reset')
      if (how !== 'reset') {
        await assert.rejects(barrier.wait(), BrokenBarrierError)
        barrier.reset()
      }
      const again = [start(where, visit, [{}]), start(where, visit, [{}])]
      const mine = await barrier.wait()
      const indices = [`passed ${mine}`, await resultOf(again[0]), await resultOf(again[1])]
      assert.deepEqual(indices.toSorted(), ['passed 0', 'passed 1', 'passed 2'])
    })
}
