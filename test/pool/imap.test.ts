/** imap and imapUnordered: order, demand, windows, errors of single items. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { die, TestPool } from '../backend.js'
import { currentTask, SerializationError, TimeoutError, WorkerLostError } from 'plait'
import { Gate, hold, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'
import { asynchronous, Counter, outcomes, rest } from './stream-kit.js'

checkLeaks()

const double = (x: number): number => x * 2
const oddThrows = (x: number): number => {
  if (x % 2 === 1) throw new RangeError(`odd ${x}`)
  return x
}

/** A promise with its end. */
function signal(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}

/** The same test for both kinds of input. */
const inputs = {
  synchronous: (counter: Counter): Iterable<number> | AsyncIterable<number> => counter,
  asynchronous,
} as const

for (const [kind, input] of Object.entries(inputs))
  describe(`an input that is ${kind}`, () => {
    it('gives results in its order', async () => {
      await using pool = new TestPool(2)
      const expected = Array.from({ length: 200 }, (_, i) => i * 2)
      assert.deepEqual(await rest(pool.imap(double, input(new Counter(200)))), expected)
      const chunked = pool.imap(double, input(new Counter(200)), { chunksize: 7 })
      assert.deepEqual(await rest(chunked), expected)
      const unordered = await rest(pool.imapUnordered(double, input(new Counter(200)), { chunksize: 7 }))
      assert.deepEqual(
        unordered.sort((a, b) => a - b),
        expected,
      )
      assert.deepEqual(await rest(pool.imap(double, input(new Counter(0)))), [])
    })

    it('is endless, and never ahead of the consumer by more than the window', async () => {
      await using pool = new TestPool(2)
      for (const options of [{}, { buffersize: 1 }, { buffersize: 7 }, { buffersize: 10, chunksize: 4 }]) {
        const counter = new Counter()
        const window = options.buffersize ?? 4
        const iterator = pool.imap(double, input(counter), options)
        assert.equal(counter.taken, 0, 'nothing is taken before the first next()')
        for (let consumed = 0; consumed < 50; consumed++) {
          assert.deepEqual(await iterator.next(), { done: false, value: consumed * 2 })
          assert.ok(counter.taken <= consumed + window, `${counter.taken} taken, ${consumed} consumed`)
        }
        assert.ok(counter.taken >= 50)
        assert.deepEqual(await iterator.return?.(), { done: true, value: undefined })
        assert.deepEqual(await iterator.next(), { done: true, value: undefined })
        // A generator that is asked just now is closed when it has answered.
        for (let turn = 0; turn < 1000 && !counter.closed; turn++) await Promise.resolve()
        assert.equal(counter.closed, true)
      }
      assert.equal(pool.statistics().queued, 0)
    })

    it('goes on after an item that threw, and takes nothing until asked', async () => {
      await using pool = new TestPool(2)
      const counter = new Counter(6)
      const iterator = pool.imap(oddThrows, input(counter), { buffersize: 2 })
      assert.equal((await iterator.next()).value, 0)
      await assert.rejects(iterator.next(), { name: 'RangeError', message: 'odd 1' })
      const { taken } = counter
      assert.ok(taken <= 3)
      await pool.apply(() => 'a turn of the pool')
      assert.equal(counter.taken, taken)
      assert.deepEqual(await outcomes(iterator), [2, 'odd 3', 4, 'odd 5'])
    })

    it('may throw at any moment: what came before is handed out, then its error, then the end', async () => {
      await using pool = new TestPool(2)
      for (const good of [0, 1, 2, 5, 9])
        for (const chunksize of [1, 3])
          for (const method of ['imap', 'imapUnordered'] as const) {
            const failing = function* (): Generator<number> {
              yield* new Counter(good)
              throw new Error('the input is torn')
            }
            const source = kind === 'synchronous' ? failing() : asynchronous(failing() as never)
            const got = await outcomes(pool[method](double, source, { chunksize }))
            assert.equal(got.pop(), 'the input is torn')
            const values = new Counter(good)
            assert.deepEqual(new Set(got), new Set(Array.from(values, double)))
          }
    })

    it('is closed by break, and what runs is told to stop', async () => {
      await using pool = new TestPool(2)
      const gate = new Gate()
      const { folder } = gate
      const counter = new Counter()
      const fn = async (x: number): Promise<number> => {
        if (x === 0) return x
        const { signal } = currentTask()!
        const alive = setInterval(() => {}, 1000)
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve)
          reach(folder, `runs-${x}`)
        })
        clearInterval(alive)
        reach(folder, `stopped-${x}`)
        return x
      }
      for await (const value of pool.imap(fn, input(counter))) {
        assert.equal(value, 0)
        await gate.reached('runs-1')
        break
      }
      await gate.reached('stopped-1')
      for (let turn = 0; turn < 1000 && !counter.closed; turn++) await Promise.resolve()
      assert.equal(counter.closed, true)
      assert.equal(await pool.apply(() => 1), 1)
    })
  })

describe('items', () => {
  it('fail alone in their chunk: thrown, cannot travel, result cannot travel', async () => {
    await using pool = new TestPool(1)
    const mixed = [0, 1, process.stdout, 3, 4, 5]
    const fn = async (x: unknown): Promise<unknown> => {
      if (x === 1) throw new Error('one')
      if (x === 3) return process.stdout
      return x
    }
    for (const chunksize of [1, 2, 6]) {
      const got = await outcomes(pool.imap(fn, mixed, { chunksize }))
      assert.deepEqual([got[0], got[1], got[4], got[5]], [0, 'one', 4, 5])
      assert.match(String(got[2]), /cannot send item 2 given to pool\.imap/)
      assert.match(String(got[3]), /cannot send the result of (item \d of )?task/)
      assert.equal(got.length, 6)
    }
  })

  it('that cannot travel are SerializationErrors with a path inside of the item', async () => {
    await using pool = new TestPool(1)
    const iterator = pool.imap((x: unknown) => x, [{ deep: [process.stdout] }])
    await assert.rejects(
      iterator.next(),
      (e: unknown) => e instanceof SerializationError && e.path === 'deep[0]' && e.hint !== '',
    )
  })

  it('that throw what is no error arrive as thrown', async () => {
    await using pool = new TestPool(1)
    const iterator = pool.imap(
      (x: number) => {
        throw x === 0 ? undefined : { x }
      },
      [0, 1],
      { chunksize: 2 },
    )
    await assert.rejects(iterator.next(), (e: unknown) => e === undefined)
    await assert.rejects(iterator.next(), { x: 1 })
    assert.equal((await iterator.next()).done, true)
  })

  it('of a worker that is killed are lost, the rest is not', async () => {
    await using pool = new TestPool(1)
    const fn = (x: number): number => {
      if (x === 2) die()
      return x
    }
    const iterator = pool.imap(fn, [0, 1, 2, 3, 4])
    assert.deepEqual([(await iterator.next()).value, (await iterator.next()).value], [0, 1])
    await assert.rejects(iterator.next(), WorkerLostError)
    assert.deepEqual(await rest(iterator), [3, 4])
  })

  it('are tried again where the pool has retries', async () => {
    await using pool = new TestPool(1, { retries: 1 })
    const fn = (x: number): number[] => {
      const { attempt } = currentTask()!
      if (x === 2 && attempt === 1) die()
      return [x, attempt]
    }
    assert.deepEqual(await rest(pool.imap(fn, [1, 2, 3])), [
      [1, 1],
      [2, 2],
      [3, 1],
    ])
  })

  it('have a timeout each', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const fn = (x: number): number => {
      if (x === 1) hold(folder, 'never')
      return x
    }
    const iterator = pool.imap(fn, [0, 1, 2], { timeout: 300, grace: 0 })
    assert.equal((await iterator.next()).value, 0)
    await assert.rejects(iterator.next(), TimeoutError)
    assert.deepEqual(await rest(iterator), [2])
  })
})

describe('next()', () => {
  it('with a timeout loses nothing', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const fn = (x: number): number => {
      hold(folder, 'go')
      return x
    }
    const iterator = pool.imap(fn, [1, 2])
    await assert.rejects(iterator.next({ timeout: 0 }), TimeoutError)
    await assert.rejects(iterator.next({ timeout: 20 }), TimeoutError)
    const abort = new AbortController()
    const waiting = iterator.next({ signal: abort.signal })
    abort.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
    await assert.rejects(iterator.next({ signal: AbortSignal.abort(new Error('before')) }), /before/)
    await assert.rejects(iterator.next({ timeout: -1 }), RangeError)
    gate.open('go')
    assert.deepEqual([await iterator.next(), (await iterator.next()).value], [{ done: false, value: 1 }, 2])
    assert.equal((await iterator.next({ timeout: 0 })).done, true)
  })

  it('may be called many times at once', async () => {
    await using pool = new TestPool(2)
    const iterator = pool.imap(oddThrows, new Counter(5), { buffersize: 2 })
    const all = await Promise.allSettled(Array.from({ length: 7 }, () => iterator.next()))
    const shown = all.map((one) =>
      one.status === 'fulfilled' ? one.value.value : (one.reason as Error).message,
    )
    assert.deepEqual(shown, [0, 'odd 1', 2, 'odd 3', 4, undefined, undefined])
    // The end is seen only after the last result was handed out.
    const narrow = pool.imap(double, new Counter(1), { buffersize: 1 })
    const steps = await Promise.all([narrow.next(), narrow.next(), narrow.next()])
    assert.deepEqual(
      steps.map(({ done }) => done),
      [false, true, true],
    )
  })

  it('that waits is told the end when the loop is left', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const iterator = pool.imap(() => hold(folder, 'never'), [1], { grace: 0 })
    const waiting = iterator.next()
    await iterator.return?.()
    assert.equal((await waiting).done, true)
  })

  it('answers an input that waits for a result itself', async () => {
    await using pool = new TestPool(1)
    const results = Array.from({ length: 5 }, () => signal())
    async function* feedback(): AsyncGenerator<number> {
      for (const [i, { promise }] of results.entries()) {
        yield i
        await promise
      }
    }
    const seen: number[] = []
    for await (const value of pool.imap((x: number) => x, feedback(), { chunksize: 10, buffersize: 100 })) {
      seen.push(value)
      results[value]?.resolve()
    }
    assert.deepEqual(seen, [0, 1, 2, 3, 4])
  })
})

describe('chunks of an asynchronous input', () => {
  it('are whole where it answers at once', async () => {
    await using pool = new TestPool(2)
    const taskOf = (): number => currentTask()!.id
    const tasks = await rest(pool.imap(taskOf, asynchronous(new Counter(10)), { chunksize: 4 }))
    const [first = 0] = tasks
    assert.deepEqual(
      tasks.map((id) => id - first),
      [0, 0, 0, 0, 1, 1, 1, 1, 2, 2],
    )
  })

  it('are sent in part once the work before them is done', async () => {
    await using pool = new TestPool(1)
    const fourth = signal()
    async function* feedback(): AsyncGenerator<number> {
      yield* [1, 2, 3, 4]
      await fourth.promise
      yield 5
    }
    const seen: number[] = []
    for await (const value of pool.imap(double, feedback(), { chunksize: 2 })) {
      seen.push(value)
      if (value === 8) fourth.resolve()
    }
    assert.deepEqual(seen, [2, 4, 6, 8, 10])
  })

  it('are sent in part beside a worker that is free', async () => {
    await using pool = new TestPool(2)
    const gate = new Gate()
    const { folder } = gate
    async function* slow(): AsyncGenerator<number> {
      for (const n of [0, 1]) {
        yield n
        await gate.reached(`begun-${n}`)
      }
    }
    const begin = (n: number): number => {
      reach(folder, `begun-${n}`)
      if (n === 0) hold(folder, 'go')
      return n
    }
    const all = rest(pool.imap(begin, slow(), { chunksize: 3 }))
    await gate.reached('begun-1')
    gate.open('go')
    assert.deepEqual(await all, [0, 1])
  })
})

it('an input that can be read both ways is read as for await reads it', async () => {
  await using pool = new TestPool(1)
  const both = {
    *[Symbol.iterator]() {
      yield 1
    },
    async *[Symbol.asyncIterator]() {
      yield 2
    },
  }
  assert.deepEqual(await rest(pool.imap(double, both)), [4])
  assert.deepEqual(await pool.map(double, both), [4])
})
