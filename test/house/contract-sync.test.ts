/**
 * The public types of locks and shared memory, as programs: the compiler is the test, as in contract.test.ts.
 * At run time only the list of names is compared.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as door from 'plait'
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  RLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  SharedValue,
  type Guard,
} from 'plait'
import { exactly } from './exactly.js'

export const uses = {
  locks() {
    const { signal } = new AbortController()
    for (const lock of [new Lock(), new RLock(), new Semaphore(2), new BoundedSemaphore()]) {
      exactly<Promise<Guard>>()(lock.acquire())
      exactly<Promise<Guard>>()(lock.acquire({ signal }))
      exactly<Promise<Guard | null>>()(lock.acquire({ timeout: 1, signal }))
      exactly<Guard>()(lock.acquireSync())
      exactly<Guard | null>()(lock.acquireSync({ timeout: 1 }))
      exactly<Guard | null>()(lock.acquireNowait())
      exactly<Promise<number>>()(lock.run(async () => 1))
      exactly<string>()(lock.runSync(() => ''))
      exactly<void>()(lock.release())
    }
    const guard = new Lock().acquireSync()
    exactly<boolean>()(guard.ownerDied)
    exactly<void>()(guard[Symbol.dispose]())
    exactly<boolean>()(new Lock().locked)
    exactly<number>()(new Semaphore().value)
    new Semaphore().release(2)
    // @ts-expect-error: a guard may be missing where there is a timeout
    new Lock().acquireSync({ timeout: 1 }).release()
  },

  meetings() {
    const event = new Event()
    exactly<Promise<boolean>>()(event.wait({ timeout: 1 }))
    exactly<boolean>()(event.waitSync())
    exactly<boolean>()(event.isSet())
    const condition = new Condition(new Lock())
    exactly<Lock | RLock>()(condition.lock)
    exactly<Promise<Guard>>()(condition.acquire())
    exactly<Guard | null>()(condition.acquireSync({ timeout: 1 }))
    exactly<Promise<boolean>>()(condition.wait())
    exactly<Promise<string | undefined>>()(condition.waitFor((): string | undefined => 'x'))
    exactly<number>()(condition.waitForSync((): number => 1, { timeout: 1 }))
    condition.notify(2)
    condition.notifyAll()
    const barrier = new Barrier(2, { action: () => {}, timeout: 1 })
    exactly<Promise<number>>()(barrier.wait())
    exactly<number>()(barrier.waitSync())
    exactly<boolean>()(barrier.broken)
    // @ts-expect-error: a barrier has a number of parties
    new Barrier()
  },

  memory() {
    const value = new SharedValue('int32', 1)
    exactly<number>()(value.value)
    exactly<number>()(value.add(1))
    exactly<RLock>()(value.lock)
    const big = new SharedValue('uint64', 1n)
    exactly<bigint>()(big.compareExchange(1n, 2n))
    // @ts-expect-error: a bigint for 64 bits
    big.add(1)
    const array = new SharedArray('float32', [1, 2])
    exactly<Float32Array>()(array.view)
    exactly<BigInt64Array>()(new SharedArray('int64', 3).view)
    exactly<IterableIterator<number | bigint>>()(array[Symbol.iterator]())
    const memory = SharedMemory.create({ size: 1, name: 'x' })
    exactly<ArrayBufferLike>()(memory.buffer)
    exactly<SharedMemory>()(SharedMemory.attach('x'))
    exactly<void>()(memory.unlink())
  },
}

test('the names of locks and shared memory', () => {
  const promised = ['Barrier', 'BoundedSemaphore', 'Condition', 'Event', 'Lock', 'RLock', 'Semaphore']
  const there = new Set(Object.keys(door))
  assert.deepEqual(
    [...promised, 'SharedArray', 'SharedMemory', 'SharedValue'].filter((name) => !there.has(name)),
    [],
  )
})
