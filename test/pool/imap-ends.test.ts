/** imap: every way in which an iteration ends before its input does, and what is refused at the call. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  BrokenPoolError,
  Pool,
  PoolClosedError,
  PoolTerminatedError,
  SerializationError,
  TimeoutError,
  type ImapIterator,
} from 'plait'
import { TestPool } from '../backend.js'
import { Gate, hold, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'
import { Counter, outcomes, rest } from './stream-kit.js'

checkLeaks()

const double = (x: number): number => x * 2
const oddThrows = (x: number): number => {
  if (x % 2 === 1) throw new RangeError(`odd ${x}`)
  return x
}

function* unsendable(): Generator<object> {
  for (;;) yield new WeakMap()
}

async function* unsendableLater(): AsyncGenerator<object> {
  for (;;) yield new WeakMap()
}

describe('the end of the pool', () => {
  it('close() lets iterators that were given out go on', async () => {
    const pool = new TestPool(2)
    const counter = new Counter(50)
    const iterator = pool.imap(double, counter)
    pool.close()
    assert.throws(() => pool.imap(double, [1]), PoolClosedError)
    assert.equal((await rest(iterator)).length, 50)
    assert.equal(await pool.join(), true)
  })

  it('join() does what is left unasked, and the results wait', async () => {
    const pool = new TestPool(2)
    const [fresh, begun] = [new Counter(30), new Counter(30)]
    const iterators = [pool.imap(double, fresh, { chunksize: 4 }), pool.imap(double, begun)] as const
    assert.equal((await iterators[1].next()).value, 0)
    pool.close()
    assert.equal(await pool.join(), true)
    assert.deepEqual([fresh.taken, begun.taken], [30, 30])
    const expected = Array.from(new Counter(30), double)
    assert.deepEqual(await rest(iterators[0]), expected)
    assert.deepEqual(await rest(iterators[1]), expected.slice(1))
  })

  it('join() waits for an endless one until its loop is left', async () => {
    const pool = new TestPool(1)
    const iterator = pool.imap(double, new Counter())
    await iterator.next()
    pool.close()
    assert.equal(await pool.join({ timeout: 20 }), false)
    assert.equal((await iterator.next()).value, 2)
    const waiting = pool.join()
    await iterator.return?.()
    assert.equal(await waiting, true)
  })

  for (const [kind, input] of Object.entries({ synchronous: unsendable, asynchronous: unsendableLater }))
    it(`join() gives up after its timeout among items that cannot travel, ${kind}`, async () => {
      const pool = new TestPool(1)
      const iterator = pool.imap((item: object) => item, input())
      pool.close()
      assert.equal(await pool.join({ timeout: 20 }), false)
      await assert.rejects(iterator.next(), SerializationError)
      await iterator.return()
      assert.equal(await pool.join(), true)
    })

  it('an iterator whose work is done holds up nobody', async () => {
    const pool = new TestPool(1)
    const iterator = pool.imap(double, [1, 2], { buffersize: 5 })
    assert.equal((await iterator.next()).value, 2)
    pool.close()
    assert.equal(await pool.join(), true)
    assert.deepEqual(await rest(iterator), [4])
  })

  it('terminate() rejects who waits, once, and closes the input', async () => {
    await using pool = new TestPool(1)
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
    await using pool = new TestPool(1)
    const begun = pool.imap(double, new Counter())
    await begun.next()
    const fresh = pool.imap(double, new Counter())
    pool.terminate()
    await assert.rejects(begun.next(), PoolTerminatedError)
    await assert.rejects(fresh.next(), /pool\.imap\(double\) ended/)
  })

  it('an initializer that throws is told too', async () => {
    await using pool = new TestPool(1, {
      initializer: () => {
        throw new Error('no database')
      },
    })
    const iterator = pool.imap(double, new Counter())
    await assert.rejects(iterator.next(), BrokenPoolError)
  })

  it('an input that never answers holds up nothing', async () => {
    const pool = new TestPool(1)
    const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
    const iterator = pool.imap(double, silent)
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
    await using pool = new TestPool(1)
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

describe('an input that runs when the iteration ends is closed', () => {
  const ends = {
    'by a signal': (_pool: Pool, controller: AbortController) => controller.abort(),
    'with the pool': (pool: Pool) => pool.terminate(),
    'by its consumer': (_pool: Pool, _: AbortController, iterator: ImapIterator<number>) =>
      void iterator.return(),
  }
  for (const [how, end] of Object.entries(ends))
    it(how, async () => {
      await using pool = new TestPool(1)
      const controller = new AbortController()
      const seen: string[] = []
      function* input(): Generator<number> {
        try {
          yield 1
          end(pool, controller, iterator)
          seen.push('ended')
          yield 2
          seen.push('asked for more')
        } finally {
          seen.push('closed')
        }
      }
      const iterator = pool.imap(double, input(), { signal: controller.signal })
      await iterator.next().catch(() => {})
      assert.deepEqual(seen, ['ended', 'closed'])
      assert.equal((await iterator.next()).done, true)
    })
})

it('an iterator that nobody holds any more closes its input', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const pool = new TestPool(1)
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
  await using pool = new TestPool(2)
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
  await using pool = new TestPool(1)
  assert.throws(() => pool.imap(1 as never, []), TypeError)
  assert.throws(() => pool.imap(double, 5 as never), /items must be an iterable/)
  for (const options of [{ buffersize: 0 }, { chunksize: 0 }, { buffersize: 1.5 }])
    assert.throws(() => pool.imap(double, [], options), RangeError)
  assert.throws(() => pool.imap(() => process.stdout.write('x'), [], { timeout: NaN }), RangeError)
  const { stdout } = process
  assert.throws(() => pool.imap(() => stdout, []), SerializationError)
  const broken = { [Symbol.iterator]: () => ({ next: () => 5 }) }
  await assert.rejects(pool.imap(double, broken as never).next(), TypeError)
  const closed = {
    [Symbol.iterator]: () => {
      throw new Error('cannot open')
    },
  }
  await assert.rejects(pool.imap(double, closed as never).next(), /cannot open/)
})

describe('an input', () => {
  it('whose items are getters that throw ends with that error', async () => {
    await using pool = new TestPool(1)
    const step = {
      done: false,
      get value(): number {
        throw new Error('a lazy item')
      },
    }
    const sync = { [Symbol.iterator]: () => ({ next: () => step }) }
    const async = { [Symbol.asyncIterator]: () => ({ next: async () => step }) }
    for (const input of [sync, async] as Iterable<number>[]) {
      const iterator = pool.imap(double, input)
      await assert.rejects(iterator.next(), /a lazy item/)
      assert.equal((await iterator.next()).done, true)
    }
  })

  it('is waited for when the loop is left, and what it throws then is thrown', async () => {
    await using pool = new TestPool(1)
    let cleaned = 0
    async function* slow(): AsyncGenerator<number> {
      try {
        for (;;) yield 1
      } finally {
        await pool.apply(() => 'cleaning up')
        cleaned++
      }
    }
    for await (const _ of pool.imap(double, slow())) break
    assert.equal(cleaned, 1)
    function* torn(): Generator<number> {
      try {
        for (;;) yield 1
      } finally {
        // oxlint-disable-next-line no-unsafe-finally -- that is what is tested
        throw new Error('cannot be closed')
      }
    }
    await assert.rejects(async () => {
      for await (const _ of pool.imap(double, torn())) break
    }, /cannot be closed/)
  })
})
