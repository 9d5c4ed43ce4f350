/** Future: its states, what it answers in each, its callbacks. Python's test_future, as far as it has one. */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, it } from 'node:test'
import { TestExecutor } from '../backend.js'
import { CancelledError, SerializationError, TimeoutError } from 'plait'
import { Future } from 'plait/futures'
import { Gate } from '../gate.js'
import { checkLeaks } from '../leaks.js'
import { holdUntil, occupy } from './futures-kit.js'

checkLeaks()

const fail = (): never => {
  throw new RangeError('too far', { cause: 'no brakes' })
}
const states = (future: Future<unknown>): string =>
  ['running', 'done', 'cancelled']
    .filter((state) => future[state as 'running' | 'done' | 'cancelled']())
    .join(' ')

describe('the states of a future', () => {
  it('pending, running, done with a value', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const [running] = await occupy(executor, gate)
    const pending = executor.submit(() => 'value')
    assert.equal(states(running), 'running')
    assert.equal(states(pending), '')
    assert.equal(running.cancel(), false)
    assert.equal(states(running), 'running')
    gate.open('go')
    assert.equal(await pending.result(), 'value')
    assert.equal(await running.result(), 0)
    for (const future of [running, pending]) {
      assert.equal(states(future), 'done')
      assert.equal(future.cancel(), false)
      assert.equal(await future.exception(), null)
    }
  })

  it('done with an error, as it was thrown', async () => {
    await using executor = new TestExecutor(1)
    const future = executor.submit(fail)
    const error = await future.exception()
    assert.ok(error instanceof RangeError)
    assert.equal(error.cause, 'no brakes')
    assert.equal(states(future), 'done')
    await assert.rejects(future.result(), (thrown) => thrown === error)
    await assert.rejects(
      async () => await future,
      (thrown) => thrown === error,
    )
    assert.equal(future.cancel(), false)
  })

  it('an error that says "cancelled" is an error: only cancel() cancels', async () => {
    await using executor = new TestExecutor(1)
    const future = executor.submit(() => {
      throw new CancelledError('by hand')
    })
    assert.ok((await future.exception()) instanceof CancelledError)
    assert.equal(states(future), 'done')
    assert.equal(future.cancel(), false)
  })

  it('cancelled: it never runs, and everybody is told', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const { folder } = gate
    await occupy(executor, gate)
    const future = executor.submit(holdUntil<null>, folder, 'never', 'go', null)
    const waiting = future.result()
    const told = assert.rejects(waiting, CancelledError)
    const calls: string[] = []
    future.addDoneCallback((future) => calls.push(states(future)))
    assert.equal(future.cancel(), true)
    assert.deepEqual(calls, ['done cancelled'])
    assert.equal(future.cancel(), true)
    assert.equal(states(future), 'done cancelled')
    await told
    await assert.rejects(future.result(), { name: 'CancelledError', code: 'PLAIT_CANCELLED' })
    await assert.rejects(future.exception(), CancelledError)
    gate.open('go')
    assert.equal(await executor.submit(() => 'next'), 'next')
    assert.equal(gate.count('never'), 0)
  })

  it('cancelled while another is waited for: any of many, in any order', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const { folder } = gate
    await occupy(executor, gate)
    const futures = Array.from({ length: 200 }, (_, i) =>
      executor.submit(holdUntil<number>, folder, `ran-${i}-`, 'go', i),
    )
    const doomed = [150, 3, 199, 0, 77, 78, 76]
    for (const i of doomed) assert.equal(futures[i].cancel(), true)
    gate.open('go')
    for (const [i, future] of futures.entries())
      if (doomed.includes(i)) await assert.rejects(future.result(), CancelledError)
      else assert.equal(await future, i)
    for (const [i] of futures.entries())
      assert.equal(gate.count(`ran-${i}-`), doomed.includes(i) ? 0 : 1, `${i}`)
  })

  it('nobody makes one by hand, and none travels', async () => {
    const constructor = Future as unknown as new () => unknown
    assert.throws(() => new constructor(), { name: 'TypeError', message: /executor\.submit/ })
    await using executor = new TestExecutor(1)
    const future = executor.submit(() => 1)
    assert.throws(() => executor.submit((other) => other, future), {
      name: 'SerializationError',
      message: /Await it first/,
    })
    assert.throws(() => executor.submit(() => executor), SerializationError)
  })
})

describe('result() and exception()', () => {
  it('give up after the timeout and leave the future alone', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const [future] = await occupy(executor, gate)
    for (const timeout of [0, 10]) {
      await assert.rejects(future.result({ timeout }), TimeoutError)
      await assert.rejects(future.exception({ timeout }), TimeoutError)
    }
    const reason = new Error('no patience')
    await assert.rejects(future.result({ signal: AbortSignal.abort(reason) }), (e) => e === reason)
    await assert.rejects(future.exception({ signal: AbortSignal.abort(reason) }), (e) => e === reason)
    for (const timeout of [-1, NaN]) {
      await assert.rejects(future.result({ timeout }), RangeError)
      await assert.rejects(future.exception({ timeout }), RangeError)
    }
    assert.equal(states(future), 'running')
    gate.open('go')
    assert.equal(await future.result({ timeout: 30_000 }), 0)
  })

  it('what is there already wins over a timeout of 0 and an aborted signal', async () => {
    await using executor = new TestExecutor(1)
    const [good, bad] = [executor.submit(() => 5), executor.submit(fail)]
    await Promise.allSettled([good, bad])
    const options = { timeout: 0, signal: AbortSignal.abort() }
    assert.equal(await good.result(options), 5)
    assert.equal(await good.exception(options), null)
    await assert.rejects(bad.result(options), RangeError)
    assert.ok((await bad.exception(options)) instanceof RangeError)
  })

  it('as a promise: then, await, Promise.all, and each asks the same outcome', async () => {
    await using executor = new TestExecutor(1)
    const futures = [1, 2, 3].map((n) => executor.submit((x: number) => x * x, n))
    assert.deepEqual(await Promise.all(futures), [1, 4, 9])
    assert.equal(await futures[0].then((n) => n + 1), 2)
    const told = executor.submit(fail).then(
      () => 'value',
      (error: unknown) => (error as Error).name,
    )
    assert.equal(await told, 'RangeError')
    assert.deepEqual(await Promise.all([futures[1], futures[1].result(), futures[1]]), [4, 4, 4])
  })

  it('an error that nobody asks for is no unhandled rejection', async () => {
    const unhandled: unknown[] = []
    const listen = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', listen)
    {
      await using executor = new TestExecutor(1)
      const gate = new Gate()
      const [busy] = await occupy(executor, gate)
      const failed = executor.submit(fail)
      failed.addDoneCallback(() => {})
      const timedOut = executor.submit(fail)
      await assert.rejects(timedOut.result({ timeout: 0 }), TimeoutError)
      executor.submit(() => 1).cancel()
      gate.open('go')
      await busy
      await failed.exception()
    }
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', listen)
    assert.deepEqual(unhandled, [])
  })
})

describe('addDoneCallback', () => {
  it('calls in order of adding, when done; at once where it is', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const [future] = await occupy(executor, gate)
    const calls: (string | boolean)[] = []
    const twice = (done: Future<number>): void => void calls.push(done === future)
    future.addDoneCallback((future) => calls.push('first', future.done()))
    future.addDoneCallback(twice)
    future.addDoneCallback(twice)
    future.addDoneCallback(() => {
      future.addDoneCallback(() => calls.push('nested'))
      calls.push('last')
    })
    assert.equal(calls.length, 0)
    gate.open('go')
    await future
    const all = ['first', true, true, true, 'nested', 'last']
    assert.deepEqual(calls, all)
    future.addDoneCallback(() => calls.push('late'))
    assert.deepEqual(calls, [...all, 'late'])
    assert.throws(() => future.addDoneCallback('no function' as never), TypeError)
  })

  it('what a callback throws is a warning, and the others are called', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const [future] = await occupy(executor, gate)
    const warnings: string[] = []
    const listen = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', listen)
    const calls: string[] = []
    future.addDoneCallback(() => {
      throw new Error('in the first')
    })
    const later = async (): Promise<void> => {
      await Promise.resolve()
      throw new Error('in the second, later')
    }
    // oxlint-disable-next-line typescript/no-misused-promises -- what becomes of its rejection is asked
    future.addDoneCallback(later)
    future.addDoneCallback(() => calls.push('third'))
    gate.open('go')
    assert.equal(await future.result(), 0)
    future.addDoneCallback(() => {
      throw new Error('in a late one')
    })
    assert.deepEqual(calls, ['third'])
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', listen)
    assert.deepEqual(warnings.sort(), ['in a late one', 'in the first', 'in the second, later'])
  })

  it('is called after an error too, and in the context of whoever added it', async () => {
    await using executor = new TestExecutor(1)
    const storage = new AsyncLocalStorage<string>()
    const gate = new Gate()
    await occupy(executor, gate)
    const future = executor.submit(fail)
    const seen: unknown[] = []
    const note = (): void => void seen.push(storage.getStore())
    storage.run('one', () => future.addDoneCallback(note))
    storage.run('two', () => future.addDoneCallback(note))
    future.addDoneCallback(note)
    gate.open('go')
    await storage.run('waiter', async () => {
      await future.exception()
      note()
      future.addDoneCallback(note)
    })
    assert.deepEqual(seen, ['one', 'two', undefined, 'waiter', 'waiter'])
  })
})
