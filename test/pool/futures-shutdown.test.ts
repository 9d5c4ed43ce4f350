/**
 * The end of an executor: what is finished, what is cancelled, what is told to whom. Python's test_shutdown.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { TestExecutor } from '../backend.js'
import { CancelledError, PoolClosedError } from 'plait'
import { wait } from 'plait/futures'
import { Gate, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'
import { occupy, rest } from './futures-kit.js'
import { asynchronous, Counter } from './stream-kit.js'

checkLeaks()

const square = (n: number): number => n * n
const numbers = Array.from({ length: 40 }, (_, i) => i)
const refusal = { name: 'PoolClosedError', message: /cannot schedule new futures after shutdown/ }

class Signal {
  give!: () => void
  readonly given = new Promise<void>((resolve) => (this.give = resolve))
}

describe('shutdown', () => {
  it('finishes what was submitted, refuses what comes after, and twice is once', async () => {
    const executor = new TestExecutor(2)
    const futures = numbers.map((n) => executor.submit(square, n))
    const view = executor.withOptions({ priority: 1 })
    const ends = [executor.shutdown(), view.shutdown(), executor.shutdown({ wait: false })]
    for (const one of [executor, view, view.withOptions({ timeout: 5 })]) {
      assert.throws(() => one.submit(square, 1), refusal)
      assert.throws(() => one.map(square, [1]), refusal)
    }
    await Promise.all(ends)
    assert.ok(futures.every((future) => future.done()))
    assert.deepEqual(await Promise.all(futures), numbers.map(square))
    await executor.shutdown({ cancelFutures: true })
    await executor[Symbol.asyncDispose]()
    assert.throws(() => executor.submit(square, 1), PoolClosedError)
  })

  it('of a new executor, and of one whose workers still start', async () => {
    await new TestExecutor(1).shutdown()
    const executor = new TestExecutor(1)
    const future = executor.submit(square, 5)
    await executor.shutdown()
    assert.equal(await future, 25)
  })

  it('wait: false resolves at once; the work goes on', async () => {
    const executor = new TestExecutor(1)
    const gate = new Gate()
    const [busy] = await occupy(executor, gate)
    const behind = executor.submit(square, 7)
    await executor.shutdown({ wait: false })
    assert.equal(busy.running(), true)
    assert.equal(behind.cancel(), true)
    gate.open('go')
    assert.equal(await busy, 0)
    await executor.shutdown()
  })

  it('cancelFutures cancels exactly what has not begun', async () => {
    for (const first of [undefined, { wait: false }]) {
      const executor = new TestExecutor(2)
      const gate = new Gate()
      const { folder } = gate
      const busy = await occupy(executor, gate, 2)
      const queued = numbers.map((n) => executor.submit((dir: string) => reach(dir, `ran-${n}`), folder))
      let called = 0
      for (const future of queued) future.addDoneCallback(() => called++)
      if (first !== undefined) await executor.shutdown(first)
      const end = executor.shutdown({ cancelFutures: true })
      assert.ok(queued.every((future) => future.cancelled()))
      assert.equal(called, queued.length)
      assert.ok(busy.every((future) => future.running()))
      gate.open('go')
      await end
      assert.deepEqual(await Promise.all(busy), [0, 1])
      await assert.rejects(queued[0].result(), CancelledError)
      assert.equal(gate.count('ran-'), 0)
    }
  })

  it('refuses what are no options, and goes on', async () => {
    await using executor = new TestExecutor(1)
    await assert.rejects(executor.shutdown({ wait: 1 as never }), TypeError)
    await assert.rejects(executor.shutdown(false as never), TypeError)
    assert.equal(await executor.submit(square, 2), 4)
  })

  it('an idle executor does not keep the program alive, a pending future does', () => {
    const program = `
      import { ProcessPoolExecutor } from 'plait/futures'
      const executor = new ProcessPoolExecutor(1)
      const future = executor.submit(() => 'done')
      future.addDoneCallback(() => console.log('called'))
      if (process.argv[1] === 'shut') void executor.shutdown({ wait: false })`
    for (const how of ['leave', 'shut']) {
      const child = spawnSync(process.execPath, ['--input-type=module', '--eval', program, how], {
        encoding: 'utf8',
        cwd: new URL('.', import.meta.url),
        timeout: 30_000,
      })
      assert.deepEqual([child.stdout, child.stderr, child.status], ['called\n', '', 0])
    }
  })
})

describe('shutdown and map', () => {
  it('an array counts as submitted: all of it runs, iterated or not', async () => {
    const executor = new TestExecutor(2)
    const gate = new Gate()
    const { folder } = gate
    const results = executor.map((n: number) => (reach(folder, `ran-${n}-`), n * n), numbers)
    const both = (n: number, m: number): void => reach(folder, `dropped-${n}-${m}`)
    executor.map(both, new Set(numbers), new Counter())
    await executor.shutdown()
    assert.deepEqual([gate.count('ran-'), gate.count('dropped-')], [numbers.length, numbers.length])
    assert.deepEqual(await rest(results), numbers.map(square))
  })

  it('without waiting, too, and its iteration goes on from where it was', async () => {
    const executor = new TestExecutor(1)
    const results = executor.map(square, numbers)
    assert.equal((await results.next()).value, 0)
    await executor.shutdown({ wait: false })
    assert.deepEqual(await rest(results), numbers.slice(1).map(square))
    await executor.shutdown()
  })

  it('of other inputs: what was taken is finished, the next item is refused', async () => {
    for (const make of [(counter: Counter) => counter, asynchronous]) {
      const executor = new TestExecutor(1)
      const counter = new Counter()
      const results = executor.withOptions({ buffersize: 3 }).map(square, make(counter))
      assert.equal((await results.next()).value, 0)
      const { taken } = counter
      await executor.shutdown()
      const got: number[] = []
      await assert.rejects(async () => {
        for await (const value of results) got.push(value)
      }, refusal)
      assert.ok(got.length >= 2 && got.length <= taken, `${got.length} of ${taken}`)
      assert.deepEqual(got, numbers.slice(1, 1 + got.length).map(square))
      assert.equal(counter.closed, true)
      assert.equal((await results.next()).done, true)
    }
  })

  it('items that were taken for a chunk and not yet sent are done too', async () => {
    for (const more of [true, false]) {
      const executor = new TestExecutor(1)
      const gate = new Gate()
      await occupy(executor, gate)
      const [halt, go] = [new Signal(), new Signal()]
      async function* halting() {
        yield* [0, 1, 2, 3]
        halt.give()
        await go.given
        if (more) yield 4
      }
      const results = executor.withOptions({ chunksize: 2, buffersize: 8 }).map(square, halting())
      await halt.given
      const end = executor.shutdown()
      gate.open('go')
      await end
      for (const value of [0, 1, 4, 9]) assert.equal((await results.next()).value, value)
      const last = results.next()
      go.give()
      if (more) await assert.rejects(last, refusal)
      else assert.equal((await last).done, true)
      assert.equal((await results.next()).done, true)
    }
  })

  it('from within an input: shutdown, and an abort, while map takes its first items', async () => {
    const executor = new TestExecutor(1)
    const abort = new AbortController()
    function* meddling(meddle: () => void) {
      yield 1
      meddle()
      yield 2
      yield 3
    }
    const reason = new Error('enough')
    const view = executor.withOptions({ signal: abort.signal })
    const aborted = view.map(
      square,
      meddling(() => abort.abort(reason)),
    )
    await assert.rejects(aborted.next(), (error) => error === reason)
    const counter = new Counter()
    await assert.rejects(view.map(square, counter).next(), (error) => error === reason)
    assert.equal(counter.taken, 0)
    let end: Promise<void> | undefined
    const shut = executor.map(
      square,
      meddling(() => {
        end = executor.shutdown()
      }),
    )
    await end
    assert.deepEqual(await shut.next(), { done: false, value: 1 })
    await assert.rejects(shut.next(), refusal)
    assert.equal((await shut.next()).done, true)
  })

  it('after shutdown one item more is taken, no more', async () => {
    const executor = new TestExecutor(1)
    const counter = new Counter()
    const results = executor.withOptions({ buffersize: 6 }).map(square, counter)
    await executor.shutdown()
    assert.equal(counter.taken, 6)
    await assert.rejects(rest(results), refusal)
    assert.deepEqual([counter.taken, counter.closed], [7, true])
  })

  it('cancelFutures after a shutdown without it: what has not begun of an array is dropped', async () => {
    const executor = new TestExecutor(1)
    const gate = new Gate()
    const { folder } = gate
    await occupy(executor, gate)
    const results = executor.map((n: number) => reach(folder, `ran-${n}-`), numbers)
    await executor.shutdown({ wait: false })
    const end = executor.shutdown({ cancelFutures: true })
    gate.open('go')
    await end
    assert.equal(gate.count('ran-'), 0)
    await assert.rejects(results.next(), CancelledError)
  })

  it('an input that has ended just there ends, with no error', async () => {
    const executor = new TestExecutor(1)
    const results = executor.withOptions({ buffersize: 3 }).map(square, new Counter(3))
    await executor.shutdown()
    assert.deepEqual(await rest(results), [0, 1, 4])
  })

  it('cancelFutures: results until the first that was cancelled', async () => {
    const executor = new TestExecutor(1)
    const gate = new Gate()
    const [busy] = await occupy(executor, gate)
    const results = executor.map(square, numbers)
    const end = executor.shutdown({ cancelFutures: true })
    await assert.rejects(results.next(), CancelledError)
    assert.equal((await results.next()).done, true)
    gate.open('go')
    await wait([busy])
    await end
  })

  it('an iterator that nobody uses holds up nothing', async () => {
    const executor = new TestExecutor(1)
    const counter = new Counter()
    const unused = executor.map(square, counter)
    const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
    const never = executor.map(square, silent)
    const waiting = never.next()
    await executor.shutdown()
    assert.equal(counter.taken, 2)
    await never.return()
    assert.equal((await waiting).done, true)
    await unused.return()
    assert.equal(counter.closed, true)
  })
})

it('cancelFutures ends a map that waits for an input that does not answer', async () => {
  const executor = new TestExecutor(1)
  const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
  const waiting = assert.rejects(executor.map((x: number) => x, silent).next(), CancelledError)
  await executor.shutdown({ cancelFutures: true })
  await waiting
})
