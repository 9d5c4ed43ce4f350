/**
 * Locks and semaphores as a program meets them: whose they are across threads and processes, how they come
 * free when their holder ends in any way, and that neither signals nor a holder that stands still change
 * anything. Python: the cases of test_multiprocessing and lock_tests that have a meaning here.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BoundedSemaphore, Event, InvalidStateError, Lock, Process, Queue, RLock, Semaphore } from 'plait'
import { checkLeaks } from '../leaks.ts'
import { end, mapped, resultOf, soon, start, wheres } from './kit.ts'

checkLeaks(4)

for (const where of wheres) {
  test(`Lock: taken in one ${where}, released by another`, async () => {
    const lock = new Lock()
    const [taken, released] = [new Event(), new Event()]
    const holder = start(where, () => {
      const guard = lock.acquireSync()
      taken.set()
      released.waitSync()
      const mine = lock.acquireSync()
      guard.release() // it stood for the first hold, which is over
      const still = lock.locked
      mine.release()
      return still
    }, [])
    await taken.wait()
    assert.equal(await lock.acquire({ timeout: 1 }), null)
    lock.release()
    released.set()
    assert.equal(await resultOf(holder), true)
    assert.equal(lock.locked, false)
  })

  test(`RLock: another ${where} can neither release nor enter it, however deep it is held`, async () => {
    const lock = new RLock()
    const guards = [lock.acquireSync(), lock.acquireSync()]
    const trial = (): unknown => {
      let error: unknown
      try {
        lock.release()
      } catch (thrown) {
        error = thrown
      }
      return [error instanceof InvalidStateError, lock.acquireSync({ timeout: 5 }) === null]
    }
    assert.deepEqual(await resultOf(start(where, trial, [])), [true, true])
    guards[0].release()
    assert.deepEqual(await resultOf(start(where, trial, [])), [true, true])
    guards[1].release()
    const free = start(where, () => lock.runSync(() => lock.runSync(() => 'inside')), [])
    assert.equal(await resultOf(free), 'inside')
  })

  const ways = {
    returns: () => {},
    throws: () => {
      process.stderr.write = () => true // it is reported there, as it should be
      throw new Error('on the way')
    },
    exits: () => process.exit(0),
    'is ended': () => new Promise(() => setTimeout(() => {}, 60_000)),
  }
  for (const [how, way] of Object.entries(ways))
    test(`a holder's ${where} that ${how} leaves the lock to others`, async () => {
      const locks = [new Lock(), new RLock()]
      const semaphore = new Semaphore(2)
      const ready = new Event()
      const holder = start(where, async () => {
        for (const lock of locks) await lock.acquire()
        await semaphore.acquire()
        ready.set()
        await way()
      }, [])
      holder.result.catch(() => {})
      await ready.wait()
      const waits = locks.map((lock) => lock.acquire(soon))
      if (how === 'is ended') await end(holder)
      else await holder.join()
      for (const guard of await Promise.all(waits)) {
        assert.equal(guard?.ownerDied, true)
        guard.release()
      }
      const two = [await semaphore.acquire(soon), await semaphore.acquire(soon)]
      for (const guard of two) guard!.release()
      assert.equal(semaphore.value, 2)
    })

  test(`BoundedSemaphore: one bound for all, in a ${where} too`, async () => {
    const seats = new BoundedSemaphore(2)
    const [taken, over] = [new Event(), new Event()]
    const holder = start(where, () => {
      seats.acquireSync()
      taken.set()
      over.waitSync()
      try {
        seats.release()
        return 'released'
      } catch (error) {
        return (error as Error).name
      }
    }, [])
    await taken.wait()
    seats.release()
    assert.throws(() => seats.release(), RangeError)
    over.set()
    assert.equal(await resultOf(holder), 'RangeError', 'its permit was given back by another')
    assert.equal(seats.value, 2)
  })

  test(`through a queue to a ${where} they are the same ones`, async () => {
    const queue = new Queue()
    const all = { lock: new Lock(), rlock: new RLock(), seats: new Semaphore(3), go: new Event() }
    const guard = all.lock.acquireSync()
    const there = start(where, async () => {
      const [first, again] = (await queue.get()) as [typeof all, typeof all]
      first.seats.acquireSync()
      const entered = first.rlock.acquireNowait() !== null
      first.go.set()
      const after = await first.lock.acquire()
      first.seats.release(2)
      return [first.lock === again.lock, entered, after.ownerDied]
    }, [])
    await queue.put([all, { ...all }])
    await all.go.wait()
    assert.equal(all.seats.value, 2)
    assert.equal(all.rlock.acquireNowait(), null)
    guard.release()
    assert.deepEqual(await resultOf(there), [true, true, false])
    assert.equal(all.seats.value, 4)
  })
}

test('signals that a blocked process gets do not end its waits', { skip: !mapped }, async () => {
  const [lock, never, go, over] = [new Lock(), new Semaphore(0), new Event(), new Event()]
  const [queue, said] = [new Queue<string>(), new Queue()]
  const guard = lock.acquireSync()
  const child = new Process({
    target: async () => {
      const caught: string[] = []
      process.on('SIGUSR2', (signal) => caught.push(signal))
      said.putSync('up')
      const short = never.acquireSync({ timeout: 150 })
      const got = queue.getSync()
      const held = lock.acquireSync()
      const set = go.waitSync()
      while (caught.length === 0) await new Promise(setImmediate)
      said.putSync([short, got, held.ownerDied, set])
      await over.wait() // no signal may come when Node has put its handlers away
    },
  }).start()
  assert.equal(await said.get(), 'up')
  const shoot = setInterval(() => process.kill(child.pid!, 'SIGUSR2'), 2)
  for (const next of [() => {}, () => queue.putNowait('item'), () => guard.release(), () => go.set()]) {
    // A few dozen signals into each wait, where it has come so far.
    await new Promise((resolve) => setTimeout(resolve, 60))
    next()
  }
  assert.deepEqual(await said.get(), [null, 'item', false, true])
  clearInterval(shoot)
  over.set()
  assert.equal(await child.join(), 0)
})

test('a holder that stands still is not dead', { skip: !mapped }, async () => {
  const lock = new Lock()
  const [taken, go] = [new Event(), new Event()]
  const holder = new Process({
    target: async () => {
      const guard = await lock.acquire()
      taken.set()
      await go.wait()
      guard.release()
    },
  }).start()
  await taken.wait()
  process.kill(holder.pid!, 'SIGSTOP')
  // Long enough to have looked for the dead a few times, in both ways of waiting.
  assert.equal(lock.acquireSync({ timeout: 350 }), null)
  assert.equal(await lock.acquire({ timeout: 350 }), null)
  const waits = lock.acquire(soon)
  go.set()
  process.kill(holder.pid!, 'SIGCONT')
  const guard = await waits
  assert.equal(guard?.ownerDied, false)
  guard.release()
  assert.equal(await holder.join(), 0)
})
