/**
 * Lock, RLock and both semaphores within one thread: what each call answers, what misuse gets, guards,
 * timeouts and signals, and who is an owner.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serialize } from 'node:v8'
import { runAsOwner, runWithSignal, setThreadSignal, setThreadStop } from '#plait/core/context.js'
import { InvalidStateError } from '#plait/core/errors.js'
import { BoundedSemaphore, Event, Lock, RLock, Semaphore, SharedArray, type Guard } from '#plait/sync/open.js'
import { checkLeaks } from '../leaks.ts'

checkLeaks()

type Any = Lock | RLock | Semaphore
const makers: readonly (readonly [string, () => Any])[] = [
  ['Lock', () => new Lock()],
  ['RLock', () => new RLock()],
  ['Semaphore', () => new Semaphore()],
  ['BoundedSemaphore', () => new BoundedSemaphore()],
]

/** As somebody who shares no owner with the caller. */
const elsewhere = <R>(fn: () => R): R => runAsOwner(null, fn)
const isFree = (lock: Any): boolean =>
  elsewhere(() => {
    const guard = lock.acquireNowait()
    guard?.release()
    return guard !== null
  })

for (const [name, make] of makers) {
  test(`${name}: taken and given back, in all three ways`, async () => {
    const lock = make()
    for (const take of [
      () => lock.acquire(),
      () => lock.acquireSync(),
      () => lock.acquireNowait(),
      () => lock.acquire({ timeout: 0 }),
      () => lock.acquireSync({ timeout: 0 }),
      () => lock.acquireSync({ timeout: 10 }),
    ]) {
      const guard = await take()
      assert.equal(guard?.ownerDied, false)
      assert.equal(isFree(lock), false)
      guard.release()
      assert.equal(isFree(lock), true)
    }
  })

  test(`${name}: null where the timeout comes first`, async () => {
    const lock = make()
    const guard = lock.acquireSync()
    await elsewhere(async () => {
      assert.equal(lock.acquireNowait(), null)
      assert.equal(lock.acquireSync({ timeout: 0 }), null)
      assert.equal(lock.acquireSync({ timeout: 5 }), null)
      assert.equal(await lock.acquire({ timeout: 0 }), null)
      assert.equal(await lock.acquire({ timeout: 5 }), null)
    })
    guard.release()
    assert.equal(isFree(lock), true)
  })

  test(`${name}: a guard gives back once`, () => {
    const lock = make()
    const guard = lock.acquireSync()
    guard.release()
    guard.release()
    guard[Symbol.dispose]()
    const second = lock.acquireSync()
    guard.release()
    assert.equal(isFree(lock), false, 'an old guard has nothing to give')
    second[Symbol.dispose]()
    assert.equal(isFree(lock), true)
  })

  test(`${name}: a signal ends the wait with its reason`, async () => {
    const lock = make()
    const guard = lock.acquireSync()
    const reason = new Error('enough')
    await elsewhere(async () => {
      const controller = new AbortController()
      const waits = lock.acquire({ signal: controller.signal })
      controller.abort(reason)
      await assert.rejects(waits, reason)
      await assert.rejects(lock.acquire({ signal: AbortSignal.abort(reason) }), reason)
      assert.throws(() => lock.acquireSync({ signal: AbortSignal.abort(reason) }), reason)
    })
    guard.release()
    assert.equal(isFree(lock), true)
    await assert.rejects(lock.acquire({ signal: AbortSignal.abort(reason) }), reason)
    assert.equal(isFree(lock), true)
  })

  test(`${name}: so does the ambient signal`, async () => {
    const lock = make()
    const guard = lock.acquireSync()
    const controller = new AbortController()
    const waits = elsewhere(() => runWithSignal(controller.signal, () => lock.acquire()))
    const reason = new Error('the group is over')
    controller.abort(reason)
    await assert.rejects(waits, reason)
    assert.throws(() => elsewhere(() => runWithSignal(controller.signal, () => lock.acquireSync())), reason)
    guard.release()
    assert.equal(isFree(lock), true)
  })

  test(`${name}: run and runSync give back, whatever happens`, async () => {
    const lock = make()
    const error = new Error('thrown inside')
    assert.equal(await lock.run(async () => isFree(lock)), false)
    assert.equal(
      lock.runSync(() => isFree(lock)),
      false,
    )
    await assert.rejects(
      lock.run(() => {
        throw error
      }),
      error,
    )
    assert.throws(
      () =>
        lock.runSync(() => {
          throw error
        }),
      error,
    )
    assert.equal(isFree(lock), true)
  })

  test(`${name}: bad arguments are said at the call`, async () => {
    const lock = make()
    for (const [options, type] of [
      [{ timeout: -1 }, RangeError],
      [{ timeout: Number.NaN }, RangeError],
      [{ timeout: '1' }, TypeError],
      [{ signal: {} }, TypeError],
      [5, TypeError],
    ] as const) {
      await assert.rejects(lock.acquire(options as never), type)
      assert.throws(() => lock.acquireSync(options as never), type)
    }
    await assert.rejects(lock.run(1 as never), TypeError)
    assert.throws(() => lock.runSync(undefined as never), TypeError)
    assert.equal(isFree(lock), true)
  })

  test(`${name}: those who wait come in their order`, async () => {
    const lock = make()
    const guard = lock.acquireSync()
    const order: number[] = []
    const waits = Array.from({ length: 50 }, (_, i) =>
      elsewhere(async () => {
        const own = await lock.acquire()
        order.push(i)
        own.release()
      }),
    )
    guard.release()
    await Promise.all(waits)
    assert.deepEqual(
      order,
      Array.from({ length: 50 }, (_, i) => i),
    )
  })

  test(`${name}: timeouts and signals in the midst of a long line`, async () => {
    const lock = make()
    const guard = lock.acquireSync()
    const controller = new AbortController()
    let got = 0
    const waits = Array.from({ length: 300 }, (_, i) =>
      elsewhere(async () => {
        const options = i % 3 === 0 ? { timeout: 1 } : i % 3 === 1 ? { signal: controller.signal } : {}
        const own = await lock.acquire(options).catch(() => null)
        if (own === null) return false
        got++
        own.release()
        return true
      }),
    )
    await Promise.all(waits.filter((_, i) => i % 3 === 0))
    controller.abort()
    guard.release()
    const outcomes = await Promise.all(waits)
    assert.deepEqual(
      outcomes,
      outcomes.map((_, i) => i % 3 === 2),
    )
    assert.equal(got, 100)
    assert.equal(isFree(lock), true)
  })
}

test('a line of 10,000 takes a time that grows with its length, not faster', async () => {
  const time = async (count: number): Promise<number> => {
    const lock = new Lock()
    const guard = lock.acquireSync()
    const began = performance.now()
    const waits = Array.from({ length: count }, () => lock.run(() => {}))
    guard.release()
    await Promise.all(waits)
    return (performance.now() - began) / count
  }
  await time(1000)
  const few = Math.min(await time(1000), await time(1000))
  const many = await time(10_000)
  assert.ok(many < few * 5, `${many} ms for each of 10,000, ${few} for each of 1000`)
})

test('Lock: released by anybody, and by nobody twice', async () => {
  const lock = new Lock()
  assert.throws(() => lock.release(), InvalidStateError)
  const guard = lock.acquireSync()
  assert.equal(lock.locked, true)
  lock.release()
  assert.equal(lock.locked, false)
  assert.throws(() => lock.release(), InvalidStateError)
  const other = lock.acquireSync()
  guard.release()
  assert.equal(lock.locked, true, 'what the guard stood for was given back before')
  other.release()
  guard.release()
})

test('Lock: taking it twice waits, also for its holder', async () => {
  const lock = new Lock()
  const guard = lock.acquireSync()
  assert.equal(lock.acquireSync({ timeout: 5 }), null)
  const waits = lock.acquire()
  guard.release()
  ;(await waits).release()
})

test('RLock: as many releases as acquires', () => {
  const lock = new RLock()
  const first = lock.acquireSync()
  const second = lock.acquireSync()
  first.release()
  first.release()
  assert.equal(isFree(lock), false)
  second.release()
  assert.equal(isFree(lock), true)
  assert.throws(() => lock.release(), InvalidStateError)
  lock.acquireSync()
  lock.acquireSync()
  lock.release()
  lock.release()
  assert.equal(isFree(lock), true)
})

test('RLock: another owner may neither take nor release it', async () => {
  const lock = new RLock()
  const guard = lock.acquireSync()
  elsewhere(() => {
    assert.equal(lock.acquireNowait(), null)
    assert.throws(() => lock.release(), InvalidStateError)
  })
  await Promise.resolve()
  assert.notEqual(lock.acquireNowait(), null, 'two bare functions of one thread are one owner')
  guard.release()
  lock.release()
  assert.equal(isFree(lock), true)
})

test('RLock: two run() bodies are two owners, and one within the other is one', async () => {
  const lock = new RLock()
  const steps: string[] = []
  const body = (name: string) => async (): Promise<void> => {
    steps.push(`${name} in`)
    await lock.run(async () => {
      await new Promise(setImmediate)
      lock.runSync(() => steps.push(`${name} deeper`))
    })
    steps.push(`${name} out`)
  }
  await Promise.all([lock.run(body('a')), lock.run(body('b'))])
  assert.deepEqual(steps, ['a in', 'a deeper', 'a out', 'b in', 'b deeper', 'b out'])
  // Below a bare hold of the thread all run() bodies are links of its chain.
  const guard = lock.acquireSync()
  await lock.run(async () => lock.run(() => {}))
  guard.release()
  assert.equal(isFree(lock), true)
})

test('Semaphore: permits beyond the first ones', async () => {
  assert.throws(() => new Semaphore(-1), RangeError)
  assert.throws(() => new Semaphore(1.5), RangeError)
  assert.throws(() => new Semaphore('2' as never), TypeError)
  const semaphore = new Semaphore(0)
  assert.equal(semaphore.acquireNowait(), null)
  const waits = [semaphore.acquire(), semaphore.acquire(), semaphore.acquire()]
  semaphore.release(2)
  const guards = await Promise.race([Promise.all(waits.slice(0, 2)), waits[2]])
  assert.ok(Array.isArray(guards))
  semaphore.release()
  await waits[2]
  assert.equal(semaphore.value, 0)
  assert.throws(() => semaphore.release(0), RangeError)
  assert.throws(() => semaphore.release(-1), RangeError)
  semaphore.release(5)
  assert.equal(semaphore.value, 5)
  assert.throws(() => semaphore.release(2 ** 31), RangeError)
  assert.equal(semaphore.value, 5)
})

test("Semaphore: a guard gives a permit, also after the semaphore's own release()", () => {
  const semaphore = new Semaphore()
  const guard = semaphore.acquireSync()
  semaphore.release()
  guard.release()
  assert.equal(semaphore.value, 2)
  const bounded = new BoundedSemaphore()
  const one = bounded.acquireSync()
  bounded.release()
  assert.throws(() => one.release(), RangeError)
  assert.equal(bounded.value, 1)
})

test('BoundedSemaphore: never more than in the beginning', () => {
  const semaphore = new BoundedSemaphore(2)
  assert.throws(() => semaphore.release(), RangeError)
  const guards: Guard[] = [semaphore.acquireSync(), semaphore.acquireSync()]
  assert.equal(semaphore.acquireNowait(), null)
  assert.throws(() => semaphore.release(3), RangeError)
  assert.equal(semaphore.value, 0)
  for (const guard of guards) guard.release()
  assert.throws(() => semaphore.release(), RangeError)
  assert.equal(semaphore.value, 2)
  assert.ok(semaphore instanceof Semaphore)
})

/** Of the module: one of the test would keep what the test has. */
const never = (): boolean => false

test('a thread that is asked to stop ends its waits, also one that blocks', async () => {
  const lock = new Lock()
  const guard = lock.acquireSync()
  const reason = new Error('stop')
  const controller = new AbortController()
  setThreadSignal(controller.signal)
  // As worker/ does it: who blocks hears of it by asking.
  let asked = 0
  setThreadStop(() => {
    if (++asked < 2) return false
    controller.abort(reason)
    return true
  })
  try {
    const waits = assert.rejects(lock.acquire(), reason)
    assert.throws(() => lock.acquireSync(), reason)
    await waits
  } finally {
    setThreadSignal(undefined)
    setThreadStop(never)
  }
  guard.release()
  assert.equal(isFree(lock), true)
})

test('serializers find nothing in a handle', () => {
  const handles = [new Lock(), new RLock(), new Semaphore(), new Event()]
  for (const handle of handles) {
    assert.equal(JSON.stringify({ handle }), '{"handle":{}}')
    assert.ok(serialize(handle).length < 100)
  }
  assert.ok(serialize(new SharedArray('int8', 1000)).length < 100)
})

test('runSync() refuses an async function, and lets go', () => {
  for (const lock of [new Lock(), new RLock()]) {
    assert.throws(() => lock.runSync(async () => {}), { name: 'TypeError', message: /use run\(\)/ })
    assert.throws(() => lock.release(), InvalidStateError)
  }
})
