/** wait() and asCompleted(): Python's test_wait and test_as_completed. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { TestExecutor } from '../backend.js'
import { TimeoutError } from 'plait'
import {
  ALL_COMPLETED,
  asCompleted,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  Future,
  ProcessPoolExecutor,
  wait,
} from 'plait/futures'
import { Gate } from '../gate.js'
import { checkLeaks } from '../leaks.js'
import { holdUntil, occupy, rest } from './futures-kit.js'

checkLeaks()

const fail = (): never => {
  throw new RangeError('bad')
}

/** One done, one that failed, one cancelled, one that runs, one that waits for it. */
async function oneOfEach(executor: ProcessPoolExecutor, gate: Gate) {
  const value = executor.submit(() => 'value')
  const error: Future<string> = executor.submit(fail)
  await error.exception()
  const running = executor.submit(holdUntil<string>, gate.folder, 'begun', 'go', 'ran')
  await gate.reached('begun')
  const cancelled = executor.submit(() => 'never')
  const pending = executor.submit(() => 'at last')
  cancelled.cancel()
  return { value, error, running, cancelled, pending }
}

describe('wait', () => {
  it('ALL_COMPLETED: sets of what is done, each once', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const { value, error, running, cancelled, pending } = await oneOfEach(executor, gate)
    const all = wait([value, error, running, cancelled, pending, value, pending], {
      returnWhen: ALL_COMPLETED,
    })
    gate.open('go')
    const { done, notDone } = await all
    assert.ok(done instanceof Set && notDone instanceof Set)
    assert.deepEqual([...done], [value, error, running, cancelled, pending])
    assert.equal(notDone.size, 0)
  })

  it('the timeout is no error: what is not done says so', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const { value, error, running, cancelled, pending } = await oneOfEach(executor, gate)
    for (const timeout of [0, 20]) {
      const { done, notDone } = await wait([pending, running, cancelled, error, value], { timeout })
      assert.deepEqual([...done], [cancelled, error, value])
      assert.deepEqual([...notDone], [pending, running])
    }
    gate.open('go')
    assert.equal((await wait([running, pending])).notDone.size, 0)
  })

  it('FIRST_COMPLETED: at once where one is done, else with the first', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const { value, error, running, cancelled, pending } = await oneOfEach(executor, gate)
    for (const ready of [value, error, cancelled]) {
      const { done, notDone } = await wait([running, ready, pending], { returnWhen: FIRST_COMPLETED })
      assert.deepEqual([[...done], [...notDone]], [[ready], [running, pending]])
    }
    const gateTwo = new Gate()
    const held = executor.submit(holdUntil<string>, gateTwo.folder, 'begun', 'go', 'second')
    const first = wait([held, running], { returnWhen: FIRST_COMPLETED })
    gate.open('go')
    const { done, notDone } = await first
    assert.deepEqual([[...done], [...notDone]], [[running], [held]])
    gateTwo.open('go')
    await held
  })

  it('FIRST_EXCEPTION: an error ends it, a value and a cancellation do not', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const { value, error, running, cancelled, pending } = await oneOfEach(executor, gate)
    const there = await wait([running, error], { returnWhen: FIRST_EXCEPTION })
    assert.deepEqual([[...there.done], [...there.notDone]], [[error], [running]])
    const held = await wait([value, cancelled, running], { returnWhen: FIRST_EXCEPTION, timeout: 20 })
    assert.deepEqual([...held.notDone], [running])

    const failing: Future<string> = executor.submit(fail)
    const behind = executor.submit(holdUntil<string>, gate.folder, 'behind', 'behind-go', 'behind')
    const toCancel = executor.submit(() => 'never')
    const first = wait([behind, running, toCancel, failing], { returnWhen: FIRST_EXCEPTION })
    assert.equal(toCancel.cancel(), true)
    gate.open('go')
    const { done, notDone } = await first
    assert.deepEqual([[...done], [...notDone]], [[running, toCancel, failing], [behind]])
    gate.open('behind-go')
    const none = await wait([value, cancelled, pending, behind], { returnWhen: FIRST_EXCEPTION })
    assert.equal(none.done.size, 4)
  })

  it('of nothing; of futures of two executors', async () => {
    for (const returnWhen of [FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED])
      assert.deepEqual(await wait([], { returnWhen }), { done: new Set(), notDone: new Set() })
    await using one = new TestExecutor(1)
    await using two = new TestExecutor(1)
    const number = one.submit(() => 1)
    const text = two.submit(() => 'a')
    const { done } = await wait(new Set([number, text]))
    assert.equal(done.size, 2)
  })

  it('refuses what is no Future, and a returnWhen that is none', async () => {
    await using executor = new TestExecutor(1)
    const future = executor.submit(() => 1)
    await assert.rejects(wait([Promise.resolve(1)] as never), { name: 'TypeError', message: /class Promise/ })
    await assert.rejects(wait([future, null] as never), { name: 'TypeError', message: /is null/ })
    await assert.rejects(wait(future as never), { name: 'TypeError', message: /iterable/ })
    await assert.rejects(wait([future], { returnWhen: 'SOMETIMES' as never }), RangeError)
    await assert.rejects(wait([future], { timeout: -1 }), RangeError)
    await future
  })

  it('a signal rejects with its reason; what is done already wins', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const [future] = await occupy(executor, gate)
    const abort = new AbortController()
    const waiting = wait([future], { signal: abort.signal })
    const reason = new Error('enough')
    abort.abort(reason)
    await assert.rejects(waiting, (error) => error === reason)
    await assert.rejects(wait([future], { signal: abort.signal }), (error) => error === reason)
    assert.equal(future.done(), false)
    gate.open('go')
    await future
    assert.equal((await wait([future], { signal: abort.signal })).done.size, 1)
  })
})

describe('asCompleted', () => {
  it('those that are done first, then the rest as they end; each once, and itself', async () => {
    await using executor = new TestExecutor(2)
    const gate = new Gate()
    const { folder } = gate
    const done = executor.submit(() => 'done')
    const error: Future<string> = executor.submit(fail)
    await wait([done, error])
    const slow = executor.submit(holdUntil<string>, folder, 'slow', 'slow-go', 'slow')
    await gate.reached('slow')
    const first = executor.submit(holdUntil<string>, folder, 'first', 'first-go', 'first')
    await gate.reached('first')
    const second = executor.submit(() => 'second')
    const cancelled = executor.submit(() => 'never')
    const iterator = asCompleted([slow, second, done, first, error, slow, done, cancelled])
    assert.equal(cancelled.cancel(), true)
    const order: Future<string>[] = []
    for await (const future of iterator) {
      assert.equal(future.done() && future.constructor, Future)
      order.push(future)
      if (order.length === 3) gate.open('first-go')
      if (future === second) gate.open('slow-go')
    }
    assert.deepEqual(order, [done, error, cancelled, first, second, slow])
    assert.deepEqual(await iterator.next(), { done: true, value: undefined })
  })

  it('remembers the order of endings while nobody asks', async () => {
    await using executor = new TestExecutor(1)
    const futures = Array.from({ length: 50 }, (_, i) => executor.submit((n: number) => n, i))
    const iterator = asCompleted(futures.toReversed())
    await wait(futures)
    assert.deepEqual(await rest(iterator), futures)
  })

  it('hands out many in time that grows with their number', () => {
    // In a program of its own: the test runner's hooks would cost more than what is measured.
    const program = `
      import { asCompleted } from '${import.meta.resolve('#plait/pool/as-completed.js')}'
      import { futureOf } from '${import.meta.resolve('#plait/pool/future.js')}'
      const futures = Array.from({ length: 200_000 }, () => futureOf({}, (resolve) => void resolve(1)))
      async function* each() { for (const future of futures) yield [future] }
      const laps = []
      for (const iterable of [each(), asCompleted(futures)]) {
        const before = performance.now()
        for await (const _ of iterable);
        laps.push(performance.now() - before)
      }
      console.log(JSON.stringify(laps))`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    })
    const [plain, ours] = JSON.parse(stdout) as [number, number]
    assert.ok(ours < 20 * plain, `${ours} ms; ${plain} ms for a plain iteration`)
  })

  it('the timeout counts from the call: what is done comes first, then the error, then the end', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const { value, error, running, cancelled, pending } = await oneOfEach(executor, gate)
    const iterator = asCompleted([running, value, pending, cancelled, value], { timeout: 0 })
    assert.equal((await iterator.next()).value, value)
    assert.equal((await iterator.next()).value, cancelled)
    await assert.rejects(iterator.next(), (error) => {
      assert.ok(error instanceof TimeoutError)
      assert.equal(error.message, '2 (of 4) futures unfinished')
      return true
    })
    assert.equal((await iterator.next()).done, true)
    const later = asCompleted([running, error], { timeout: 30 })
    const waiting = [later.next(), later.next(), later.next()]
    assert.equal((await waiting[0]).value, error)
    await assert.rejects(waiting[1], /1 \(of 2\) futures unfinished/)
    assert.equal((await waiting[2]).done, true)
    assert.deepEqual(await rest(asCompleted([value, error], { timeout: 0 })), [value, error])
    assert.deepEqual(await rest(asCompleted([])), [])
    gate.open('go')
    assert.deepEqual(await rest(asCompleted([running, pending], { timeout: 60_000 })), [running, pending])
  })

  it('leaving the loop, and a signal, leave the futures alone', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const { value, running } = await oneOfEach(executor, gate)
    for await (const future of asCompleted([running, value])) {
      assert.equal(future, value)
      break
    }
    const left = asCompleted([running])
    const waiting = left.next()
    await left.return!()
    assert.equal((await waiting).done, true)

    const abort = new AbortController()
    const iterator = asCompleted([running, value], { signal: abort.signal })
    const reason = new Error('enough')
    abort.abort(reason)
    assert.equal((await iterator.next()).value, value)
    await assert.rejects(iterator.next(), (error) => error === reason)
    assert.equal((await iterator.next()).done, true)
    assert.equal(running.running(), true)
    gate.open('go')
  })

  it('refuses at the call', async () => {
    await using executor = new TestExecutor(1)
    const future = executor.submit(() => 1)
    assert.throws(() => asCompleted([future, 5] as never), { name: 'TypeError', message: /is 5/ })
    assert.throws(() => asCompleted(future as never), TypeError)
    assert.throws(() => asCompleted([future], { timeout: -1 }), RangeError)
    await future
  })
})
