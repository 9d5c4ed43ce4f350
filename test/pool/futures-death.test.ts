/**
 * Executors under fire: workers that are killed, cancellations that race with beginnings. Every future is
 * done exactly once; a death costs what it held and nothing else; what was cancelled has never run.
 */
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { die, fromOutside, itInProcesses, suddenly, TestExecutor } from '../backend.js'
import { CancelledError, currentTask, WorkerLostError } from 'plait'
import { asCompleted, type Future, wait } from 'plait/futures'
import { Gate, hold, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'
import { holdUntil, occupy, rest } from './futures-kit.js'

checkLeaks()

const square = (n: number): number => n * n

/** The same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('a worker dies', () => {
  it('its call fails, all others are done, and the executor goes on', async () => {
    await using executor = new TestExecutor(2)
    for (let round = 0; round < 3; round++) {
      const before = Array.from({ length: 50 }, (_, n) => executor.submit(square, n))
      const lost: Future<number> = executor.submit(die)
      const after = Array.from({ length: 50 }, (_, n) => executor.submit(square, n))
      const error = await lost.exception()
      assert.ok(error instanceof WorkerLostError)
      assert.deepEqual([error.signal, error.exitcode], [suddenly.signal, suddenly.exitcode])
      assert.match(error.worker, /ExecutorWorker-\d+|ThreadPoolExecutor-\d+_\d+/)
      assert.deepEqual(
        [lost.done(), lost.cancelled(), lost.running(), lost.cancel()],
        [true, false, false, false],
      )
      const squares = Array.from({ length: 50 }, (_, n) => n * n)
      assert.deepEqual(await Promise.all(before), squares)
      assert.deepEqual(await Promise.all(after), squares)
    }
  })

  itInProcesses(fromOutside, 'all workers at once, from outside, with work in the line', async () => {
    await using executor = new TestExecutor(2)
    const gate = new Gate()
    const { folder } = gate
    const held = [0, 1].map((n) =>
      executor.submit(
        (dir: string, name: string) => {
          writeFileSync(join(dir, `${name}.pid`), String(process.pid))
          reach(dir, name)
          hold(dir, 'never')
        },
        folder,
        `held-${n}`,
      ),
    )
    for (const n of [0, 1]) await gate.reached(`held-${n}`)
    const queued = Array.from({ length: 100 }, (_, n) => executor.submit(square, n))
    for (const n of [0, 1])
      process.kill(Number(readFileSync(join(folder, `held-${n}.pid`), 'utf8')), 'SIGKILL')
    const lost: unknown[] = []
    for await (const future of asCompleted(held)) lost.push(await future.exception())
    assert.ok(lost.every((error) => error instanceof WorkerLostError))
    assert.equal((await wait(queued)).notDone.size, 0)
    assert.equal(await queued[99], 99 * 99)
  })

  it('an exit in a task is a lost worker; an error that is hard to rebuild is not', async () => {
    await using executor = new TestExecutor(1)
    const exit = await executor.submit(() => process.exit(3)).exception()
    assert.ok(exit instanceof WorkerLostError)
    assert.deepEqual([exit.exitcode, exit.signal], [3, null])
    class Fussy extends Error {
      constructor(details: { code: number }) {
        super(`code ${details.code}`)
      }
    }
    const fussy = executor.submit(() => {
      throw new Fussy({ code: 7 })
    })
    assert.equal(((await fussy.exception()) as Error).message, 'code 7')
    assert.equal(await executor.submit(square, 2), 4)
  })

  it('with retries: it runs again, and the future knows one outcome only', async () => {
    await using executor = new TestExecutor(1, { retries: 2 })
    const gate = new Gate()
    const attempts = executor.submit((dir: string): number => {
      const { attempt } = currentTask()!
      reach(dir, `attempt-${attempt}`)
      if (attempt < 3) die()
      hold(dir, 'go')
      return attempt
    }, gate.folder)
    let called = 0
    attempts.addDoneCallback(() => called++)
    await gate.reached('attempt-3')
    assert.deepEqual([attempts.done(), attempts.running(), attempts.cancel()], [false, true, false])
    gate.open('go')
    assert.equal(await attempts, 3)
    const hopeless = executor.submit(die)
    assert.ok((await hopeless.exception()) instanceof WorkerLostError)
    assert.equal(called, 1)
  })

  it('in a map: results before it, the error in its place, the end; with retries no error', async () => {
    await using executor = new TestExecutor(1)
    const dieOnce = (n: number): number => (n === 3 && currentTask()!.attempt === 1 ? die() : n)
    const iterator = executor.map(dieOnce, [1, 2, 3, 4, 5])
    assert.deepEqual([(await iterator.next()).value, (await iterator.next()).value], [1, 2])
    await assert.rejects(iterator.next(), WorkerLostError)
    assert.equal((await iterator.next()).done, true)
    await using stubborn = new TestExecutor(1, { retries: 1 })
    assert.deepEqual(await rest(stubborn.map(dieOnce, [1, 2, 3, 4, 5])), [1, 2, 3, 4, 5])
  })

  it('what was cancelled while it held it stays cancelled, and never runs', async () => {
    await using executor = new TestExecutor(1, { retries: 5 })
    const gate = new Gate()
    const { folder } = gate
    const first = executor.submit((dir: string) => {
      const { attempt } = currentTask()!
      reach(dir, `first-${attempt}`)
      hold(dir, `go-${attempt}`)
      if (attempt === 1) die()
    }, folder)
    await gate.reached('first-1')
    const futures = Array.from({ length: 20 }, (_, n) =>
      executor.submit(holdUntil<number>, folder, `ran-${n}-`, 'go-1', n),
    )
    const doomed = futures.filter((_, n) => n % 3 === 0)
    for (const future of doomed) assert.equal(future.cancel(), true)
    gate.open('go-1')
    await gate.reached('first-2')
    for (const future of doomed) assert.deepEqual([future.cancelled(), future.cancel()], [true, true])
    gate.open('go-2')
    await first
    const { done } = await wait(futures)
    assert.equal(done.size, 20)
    for (const [n, future] of futures.entries()) {
      assert.equal(future.cancelled(), n % 3 === 0)
      assert.equal(gate.count(`ran-${n}-`), n % 3 === 0 ? 0 : 1)
    }
  })

  it('during shutdown: it ends, and everybody is told', async () => {
    for (const cancelFutures of [false, true]) {
      const executor = new TestExecutor(2)
      const gate = new Gate()
      const { folder } = gate
      const held = executor.submit((dir: string): number => {
        reach(dir, 'begun')
        hold(dir, 'go')
        return die()
      }, folder)
      await gate.reached('begun')
      await occupy(executor, gate)
      const queued = Array.from({ length: 30 }, (_, n) => executor.submit(square, n))
      const end = executor.shutdown({ cancelFutures })
      gate.open('go')
      await end
      assert.ok((await held.exception()) instanceof WorkerLostError)
      for (const [n, future] of queued.entries())
        if (cancelFutures) await assert.rejects(future.result(), CancelledError)
        else assert.equal(await future.result(), n * n)
    }
  })
})

describe('cancel() and the beginning of a call', () => {
  it('true: it has never run; false: it runs, once', async () => {
    const random = seeded(42)
    await using executor = new TestExecutor(2)
    const gate = new Gate()
    const log = join(gate.folder, 'log')
    writeFileSync(log, '')
    const run = (path: string, n: number): number => {
      appendFileSync(path, `${n}\n`)
      return n
    }
    const futures: Future<number>[] = []
    const answers = new Map<number, boolean>()
    // Long enough to be held by the workers in numbers, short enough that they spare themselves a look.
    for (let n = 0; n < 200; n++) futures.push(executor.submit(run, log, n))
    await wait(futures)
    for (let round = 0; round < 50; round++) {
      const first = futures.length
      for (let i = 0; i < 100; i++) futures.push(executor.submit(run, log, futures.length))
      // Now they are on their way, and begin while this loop catches up with them, or they with it.
      await new Promise((resolve) => setImmediate(resolve))
      for (let n = first; n < futures.length; n += 1 + Math.floor(random() * 6)) {
        for (const until = performance.now() + random() * 0.2; performance.now() < until;);
        answers.set(n, futures[n].cancel())
        assert.equal(futures[n].cancel(), futures[n].cancelled())
      }
      await futures[first + Math.floor(random() * 100)].exception().catch(() => {})
    }
    await wait(futures)
    const ran = readFileSync(log, 'utf8').trim().split('\n').map(Number)
    assert.equal(new Set(ran).size, ran.length)
    const has = new Set(ran)
    for (const [n, future] of futures.entries()) {
      assert.equal(has.has(n), !future.cancelled(), `call ${n}`)
      assert.equal(future.cancelled(), answers.get(n) ?? false, `call ${n}`)
    }
    assert.ok([...answers.values()].includes(true) && [...answers.values()].includes(false))
  })

  it('among deaths, timeouts and aborts: each future is done once, with one outcome', async () => {
    const random = seeded(7)
    await using executor = new TestExecutor(2, { retries: 1 })
    const hasty = executor.withOptions({ timeout: 20, grace: 0 })
    const abort = new AbortController()
    const aborted = executor.withOptions({ signal: abort.signal, grace: 0 })
    const futures: Future<unknown>[] = []
    const calls = new Map<Future<unknown>, number>()
    for (let n = 0; n < 400; n++) {
      const kind = random()
      const future: Future<unknown> =
        kind < 0.01
          ? executor.submit(die)
          : kind < 0.02
            ? hasty.submit(() => {
                for (;;);
              })
            : kind < 0.1
              ? aborted.submit(square, n)
              : executor.submit(square, n)
      future.addDoneCallback((future) => calls.set(future, (calls.get(future) ?? 0) + 1))
      futures.push(future)
      if (random() < 0.2) futures[Math.floor(random() * futures.length)].cancel()
      if (random() < 0.1) await new Promise((resolve) => setImmediate(resolve))
      if (n === 300) abort.abort()
    }
    const seen: Future<unknown>[] = []
    for await (const future of asCompleted(futures)) seen.push(future)
    assert.equal(new Set(seen).size, futures.length)
    for (const [n, future] of futures.entries()) {
      assert.equal(calls.get(future), 1)
      if (future.cancelled()) continue
      const error = await future.exception()
      if (error === null) assert.equal(await future, n * n)
      else assert.match((error as Error).name, /^(WorkerLostError|TimeoutError|AbortError)$/)
    }
    assert.equal(await executor.submit(square, 3), 9)
  })
})
