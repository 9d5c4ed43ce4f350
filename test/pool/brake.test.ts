/**
 * What is wanted while the start of a worker is put off, because another has died before it was ready: it may
 * be more by the time of that start, and all of it is started.
 */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { ThreadPoolExecutor } from 'plait/futures'
import { checkLeaks } from '../leaks.js'

checkLeaks()

const words = (): Int32Array => new Int32Array(new SharedArrayBuffer(4))

/** An executor whose first thread dies in its initializer. */
function faulty(threads: number): ThreadPoolExecutor {
  const dieFirst = (started: Int32Array): void => {
    if (Atomics.add(started, 0, 1) === 0) process.exit(3)
  }
  return new ThreadPoolExecutor(threads, { initializer: dieFirst, initargs: [words()] })
}

/** Resolves when the next worker is gone, and its executor has put off the start of another. */
function death(): Promise<void> {
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, 1000)
    const heard = (): void => {
      clearInterval(alive)
      unsubscribe('plait:worker:exit', heard)
      setImmediate(resolve)
    }
    subscribe('plait:worker:exit', heard)
  })
}

test('nothing was wanted when the worker died', async () => {
  const executor = faulty(1)
  const dead = death()
  assert.ok(executor.submit(() => 1).cancel())
  await dead
  assert.equal(await executor.submit(() => 2).result({ timeout: 20_000 }), 2)
  await executor.shutdown()
})

test('less was wanted when the worker died', async () => {
  const executor = faulty(3)
  /** Ends when all three run at once. */
  const meet = (here: Int32Array): number => {
    Atomics.add(here, 0, 1)
    const end = performance.now() + 20_000
    while (Atomics.load(here, 0) < 3 && performance.now() < end) Atomics.wait(here, 0, -1, 1)
    return Atomics.load(here, 0)
  }
  const here = words()
  const dead = death()
  const first = executor.submit(meet, here)
  await dead
  const others = [executor.submit(meet, here), executor.submit(meet, here)]
  for (const future of [first, ...others]) assert.equal(await future.result(), 3)
  await executor.shutdown()
})
