/** imap and imapUnordered: order, demand, windows, errors of single items, and every way in which a loop ends. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  currentTask,
  Pool,
  PoolTerminatedError,
  TimeoutError,
  WorkerLostError,
  type ImapIterator,
} from 'plait'
import { BrokenPoolError, PoolClosedError, SerializationError } from 'plait'
import { Gate, hold, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

const double = (x: number): number => x * 2
const oddThrows = (x: number): number => {
  if (x % 2 === 1) throw new RangeError(`odd ${x}`)
  return x
}

/** An input that tells how far it was taken, and how it ended. */
class Counter implements Iterable<number> {
  taken = 0
  closed = false
  readonly #end: number
  constructor(end = Infinity) {
    this.#end = end
  }
  *[Symbol.iterator](): Generator<number> {
    try {
      while (this.taken < this.#end) yield this.taken++
    } finally {
      this.closed = true
    }
  }
}

async function* asynchronous(counter: Counter): AsyncGenerator<number> {
  for (const item of counter) yield item
}

/** The same test for both kinds of input. */
const inputs = {
  synchronous: (counter: Counter): Iterable<number> | AsyncIterable<number> => counter,
  asynchronous,
} as const

async function rest<R>(iterator: AsyncIterable<R>): Promise<R[]> {
  const all: R[] = []
  for await (const value of iterator) all.push(value)
  return all
}

/** Values, and the messages of errors, to the end. */
async function outcomes<R>(iterator: ImapIterator<R>): Promise<(R | string)[]> {
  const all: (R | string)[] = []
  for (;;) {
    try {
      const step = await iterator.next()
      if (step.done === true) return all
      all.push(step.value)
    } catch (error) {
      all.push((error as Error).message)
    }
  }
}

for (const [kind, input] of Object.entries(inputs))
  describe(`an input that is ${kind}`, () => {
    it('gives results in its order', async () => {
      await using pool = new Pool(2)
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
      await using pool = new Pool(2)
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
      await using pool = new Pool(2)
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
      await using pool = new Pool(2)
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
            assert.deepEqual(got.sort(), Array.from({ length: good }, (_, i) => i * 2).sort())
          }
    })

    it('is closed by break, and what runs is told to stop', async () => {
      await using pool = new Pool(2)
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
    await using pool = new Pool(1)
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
    await using pool = new Pool(1)
    const iterator = pool.imap((x: unknown) => x, [{ deep: [process.stdout] }])
    await assert.rejects(
      iterator.next(),
      (e: unknown) => e instanceof SerializationError && e.path === 'deep[0]' && e.hint !== '',
    )
  })

  it('that throw what is no error arrive as thrown', async () => {
    await using pool = new Pool(1)
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
    await using pool = new Pool(1)
    const fn = (x: number): number => {
      if (x === 2) process.kill(process.pid, 'SIGKILL')
      return x
    }
    const iterator = pool.imap(fn, [0, 1, 2, 3, 4])
    assert.deepEqual([(await iterator.next()).value, (await iterator.next()).value], [0, 1])
    await assert.rejects(iterator.next(), WorkerLostError)
    assert.deepEqual(await rest(iterator), [3, 4])
  })

  it('are tried again where the pool has retries', async () => {
    await using pool = new Pool(1, { retries: 1 })
    const fn = (x: number): number[] => {
      const { attempt } = currentTask()!
      if (x === 2 && attempt === 1) process.kill(process.pid, 'SIGKILL')
      return [x, attempt]
    }
    assert.deepEqual(await rest(pool.imap(fn, [1, 2, 3])), [
      [1, 1],
      [2, 2],
      [3, 1],
    ])
  })

  it('have a timeout each', async () => {
    await using pool = new Pool(1)
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
    await using pool = new Pool(1)
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
    await using pool = new Pool(2)
    const iterator = pool.imap(oddThrows, new Counter(5), { buffersize: 2 })
    const all = await Promise.allSettled(Array.from({ length: 7 }, () => iterator.next()))
    const shown = all.map((one) =>
      one.status === 'fulfilled' ? one.value.value : (one.reason as Error).message,
    )
    assert.deepEqual(shown, [0, 'odd 1', 2, 'odd 3', 4, undefined, undefined])
  })

  it('that waits is told the end when the loop is left', async () => {
    await using pool = new Pool(1)
    const gate = new Gate()
    const { folder } = gate
    const iterator = pool.imap(() => hold(folder, 'never'), [1], { grace: 0 })
    const waiting = iterator.next()
    await iterator.return?.()
    assert.equal((await waiting).done, true)
  })

  it('answers an input that waits for a result itself', async () => {
    await using pool = new Pool(1)
    let seen = -1
    let wake = (): void => {}
    async function* feedback(): AsyncGenerator<number> {
      for (let i = 0; i < 5; i++) {
        while (seen < i - 1) await new Promise<void>((resolve) => (wake = resolve))
        yield i
      }
    }
    for await (const value of pool.imap((x: number) => x, feedback(), { chunksize: 10, buffersize: 100 })) {
      seen = value
      wake()
    }
    assert.equal(seen, 4)
  })
})

describe('the end of the pool', () => {
  it('close() lets iterators that were given out go on', async () => {
    const pool = new Pool(2)
    const counter = new Counter(50)
    const iterator = pool.imap(double, counter)
    pool.close()
    assert.throws(() => pool.imap(double, [1]), PoolClosedError)
    assert.equal((await rest(iterator)).length, 50)
    assert.equal(await pool.join(), true)
  })

  it('close() and an iterator that is left: join() ends', async () => {
    const pool = new Pool(1)
    const iterator = pool.imap(double, new Counter())
    await iterator.next()
    pool.close()
    assert.equal(await pool.join({ timeout: 20 }), false)
    await iterator.return?.()
    assert.equal(await pool.join(), true)
  })

  it('terminate() rejects who waits, once, and closes the input', async () => {
    await using pool = new Pool(1)
    const gate = new Gate()
    const { folder } = gate
    const counter = new Counter()
    const iterator = pool.imap((): void => {
      reach(folder, 'begun')
      hold(folder, 'never')
    }, counter)
    const waiting = iterator.next()
    await gate.reached('begun')
    pool.terminate()
    await assert.rejects(waiting, PoolTerminatedError)
    assert.equal(counter.closed, true)
    assert.equal((await iterator.next()).done, true)
  })

  it('terminate() is told to whoever asks next', async () => {
    await using pool = new Pool(1)
    const begun = pool.imap(double, new Counter())
    await begun.next()
    const fresh = pool.imap(double, new Counter())
    pool.terminate()
    await assert.rejects(begun.next(), PoolTerminatedError)
    await assert.rejects(fresh.next(), /pool\.imap\(double\) ended/)
  })

  it('an initializer that throws is told too', async () => {
    await using pool = new Pool(1, {
      initializer: () => {
        throw new Error('no database')
      },
    })
    const iterator = pool.imap(double, new Counter())
    await assert.rejects(iterator.next(), BrokenPoolError)
  })

  it('an input that never answers holds up nothing', async () => {
    const pool = new Pool(1)
    async function* silent(): AsyncGenerator<number> {
      await new Promise(() => {})
    }
    const iterator = pool.imap(double, silent())
    const waiting = iterator.next()
    await assert.rejects(iterator.next({ timeout: 10 }), TimeoutError)
    await iterator.return?.()
    assert.equal((await waiting).done, true)
    pool.close()
    assert.equal(await pool.join(), true)
  })
})

describe('a signal', () => {
  it('ends the iteration and closes the input', async () => {
    await using pool = new Pool(1)
    const abort = new AbortController()
    const counter = new Counter()
    const iterator = pool.imap(double, counter, { signal: abort.signal })
    assert.equal((await iterator.next()).value, 0)
    abort.abort(new Error('enough'))
    await assert.rejects(iterator.next(), /enough/)
    assert.equal(counter.closed, true)
    assert.equal((await iterator.next()).done, true)
    const late = pool.imap(double, new Counter(), { signal: abort.signal })
    await assert.rejects(late.next(), /enough/)
  })
})

it('an iterator that nobody holds any more closes its input', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const pool = new Pool(1)
  const counter = new Counter()
  await (async () => void (await pool.imap(double, counter).next()))()
  for (let turn = 0; turn < 200 && !counter.closed; turn++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(counter.closed, true)
  pool.close()
  assert.equal(await pool.join(), true)
})

it('onProgress counts items as they arrive', async () => {
  await using pool = new Pool(2)
  const seen: unknown[] = []
  const onProgress = (done: number, total: number | undefined): number => seen.push([done, total])
  await outcomes(pool.imapUnordered(oddThrows, [1, 2, 3], { onProgress, chunksize: 2 }))
  await rest(pool.imap(double, new Counter(2), { onProgress }))
  assert.deepEqual(seen, [
    [1, 3],
    [2, 3],
    [3, 3],
    [1, undefined],
    [2, undefined],
  ])
})

it('bad input is an error at the call', async () => {
  await using pool = new Pool(1)
  assert.throws(() => pool.imap(1 as never, []), TypeError)
  assert.throws(() => pool.imap(double, 5 as never), /items must be an iterable/)
  for (const options of [{ buffersize: 0 }, { chunksize: 0 }, { buffersize: 1.5 }])
    assert.throws(() => pool.imap(double, [], options), RangeError)
  assert.throws(() => pool.imap(() => process.stdout.write('x'), [], { timeout: NaN }), RangeError)
  const { stdout } = process
  assert.throws(() => pool.imap(() => stdout, []), SerializationError)
  const broken = { [Symbol.iterator]: () => ({ next: () => 5 }) }
  await assert.rejects(pool.imap(double, broken as never).next(), TypeError)
  const closed = { [Symbol.iterator]: () => { throw new Error('cannot open') } } // prettier-ignore
  await assert.rejects(pool.imap(double, closed as never).next(), /cannot open/)
})
