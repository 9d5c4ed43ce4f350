/** What Pool does when nothing goes wrong: results, order, callbacks. */
import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { describe, it } from 'node:test'
import { currentThread } from 'plait/threading'
import { backend, me, myName, TestPool } from '../backend.js'
import { currentProcess, currentTask, InvalidStateError, SerializationError, TimeoutError } from 'plait'
import { hold, reach, Gate } from '../gate.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

let moduleCount = 10

describe('results', () => {
  it('apply calls with the arguments and gives the value', async () => {
    await using pool = new TestPool(1)
    assert.equal(await pool.apply((a: number, b: number) => a + b, [1, 2]), 3)
    assert.equal(await pool.apply(() => me() !== 0), true)
    assert.equal(await pool.apply(async (s: string) => basename(s), ['/a/b']), 'b')
  })

  it('runs in other workers, and in as many as asked for', async () => {
    await using pool = new TestPool(2)
    const gate = new Gate()
    const { folder } = gate
    const task = (n: number) => {
      reach(folder, `both-${n}`)
      hold(folder, 'go')
      return me()
    }
    const pids = [pool.apply(task, [1]), pool.apply(task, [2])]
    await Promise.all([gate.reached('both-1'), gate.reached('both-2')])
    gate.open('go')
    const [a, b] = await Promise.all(pids)
    assert.notEqual(a, b)
    assert.ok(a !== me() && b !== me())
  })

  it('map keeps the order for every chunksize, and takes any iterable', async () => {
    await using pool = new TestPool(2)
    const items = Array.from({ length: 100 }, (_, i) => i)
    const wanted = items.map((x) => x * x)
    for (const chunksize of [undefined, 1, 3, 7, 100, 1000])
      assert.deepEqual(
        await pool.map((x: number) => x * x, items, chunksize === undefined ? {} : { chunksize }),
        wanted,
      )
    assert.deepEqual(await pool.map((x: number) => x * x, new Set(items)), wanted)
    assert.deepEqual(
      await pool.map(
        (x: number) => x * x,
        (async function* () {
          yield* items
        })(),
      ),
      wanted,
    )
    assert.deepEqual(await pool.map((x: number) => x, []), [])
    assert.deepEqual(
      await pool.starmap((a: number, b: string) => b.repeat(a), [
        [1, 'x'],
        [2, 'y'],
      ] as const),
      ['x', 'yy'],
    )
  })

  it('takes a snapshot at submit', async () => {
    await using pool = new TestPool(1)
    let local = 1
    const data = { n: 1 }
    moduleCount = 10
    const first = pool.apply(() => local + data.n + moduleCount)
    const args: [{ n: number }] = [{ n: 5 }]
    const second = pool.apply((a: { n: number }) => a.n, args)
    local = 2
    data.n = 2
    moduleCount = 20
    args[0].n = 6
    assert.equal(await first, 12)
    assert.equal(await second, 5)
    assert.equal(await pool.apply(() => local + data.n + moduleCount), 24)
  })

  it('sends a class and gets its instances back as its own', async () => {
    class Point {
      x: number
      #secret = 7
      constructor(x: number) {
        this.x = x
      }
      moved(by: number) {
        return new Point(this.x + by)
      }
      get secret() {
        return this.#secret
      }
    }
    await using pool = new TestPool(1)
    const point = await pool.apply((p: Point) => p.moved(2), [new Point(1)])
    assert.ok(point instanceof Point)
    assert.equal(point.x, 3)
    assert.equal(point.secret, 7)
  })

  it('gives errors with class, message, stack, cause and fields', async () => {
    class Refusal extends Error {
      code = 17
    }
    await using pool = new TestPool(1)
    const failing = pool.apply(function refuse() {
      throw new Refusal('no', { cause: new RangeError('why') })
    })
    const error = await failing.then(
      () => assert.fail('it must reject'),
      (e: unknown) => e as Refusal,
    )
    assert.ok(error instanceof Refusal)
    assert.equal(error.message, 'no')
    assert.equal(error.code, 17)
    assert.ok(error.cause instanceof RangeError)
    assert.match(error.stack!, /refuse.*pool\.test/s)
    await assert.rejects(
      pool.apply(() => {
        throw 'a string'
      }),
      (thrown) => thrown === 'a string',
    )
    await assert.rejects(
      pool.apply(async () => {
        throw undefined
      }),
      (thrown) => thrown === undefined,
    )
    assert.equal(await pool.apply(() => 1), 1)
  })

  it('a result that cannot travel is a SerializationError, and the pool goes on', async () => {
    await using pool = new TestPool(1)
    await assert.rejects(
      pool.apply(() => new WeakMap() as unknown),
      SerializationError,
    )
    await assert.rejects(
      pool.map(() => ({ deep: [new WeakMap()] }), [1]),
      SerializationError,
    )
    assert.equal(await pool.apply(() => 1), 1)
  })

  it('an error that cannot travel still arrives', async () => {
    await using pool = new TestPool(1)
    await assert.rejects(
      pool.apply(() => {
        throw Object.assign(new TypeError('odd'), { map: new WeakMap() })
      }),
      (e: unknown) => e instanceof TypeError && e.message === 'odd',
    )
  })

  it('awaits async functions, one at a time unless told otherwise', async () => {
    const overlap = async (n: number) => {
      const state = globalThis as { running?: number; most?: number }
      state.running = (state.running ?? 0) + 1
      state.most = Math.max(state.most ?? 0, state.running)
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
      state.running--
      return n < 0 ? 0 : state.most
    }
    await using one = new TestPool(1)
    assert.equal(Math.max(...(await Promise.all([1, 2, 3, 4].map((n) => one.apply(overlap, [n]))))), 1)
    await using four = new TestPool(1, { concurrency: 4 })
    assert.equal(Math.max(...(await Promise.all([1, 2, 3, 4, 5, 6].map((n) => four.apply(overlap, [n]))))), 4)
    assert.equal(Math.max(...(await four.map(overlap, [1, 2, 3, 4, 5, 6, 7, 8]))), 4)
  })

  it('tells what the current task is, also where tasks overlap', async () => {
    for (const concurrency of [1, 3]) {
      await using pool = new TestPool(1, { concurrency })
      const ids = await Promise.all(
        [1, 2, 3].map(() =>
          pool.apply(async () => {
            const before = currentTask()!
            await new Promise((resolve) => setImmediate(resolve))
            const after = currentTask()!
            return [before.id, after.id, after.attempt, after.signal.aborted] as const
          }),
        ),
      )
      for (const [before, later, attempt, aborted] of ids) {
        assert.equal(before, later)
        assert.equal(attempt, 1)
        assert.equal(aborted, false)
      }
      assert.equal(new Set(ids.map(([id]) => id)).size, 3)
    }
    assert.equal(currentTask(), null)
  })

  it('large arguments and results travel', async () => {
    await using pool = new TestPool(2)
    const bytes = Buffer.alloc(20_000_000, 7)
    const back = await pool.map((b: Buffer) => Buffer.concat([b, b.subarray(0, 1)]), [bytes, bytes])
    assert.equal(back[1].length, bytes.length + 1)
    assert.equal(back[1].at(-1), 7)
  })

  it('workers have names and are daemons', async () => {
    await using pool = new TestPool(1, { name: 'baker' })
    const { name, daemon } = await pool.apply(() => {
      const { daemon } = backend === 'thread' ? currentThread() : currentProcess()
      return { name: myName(), daemon }
    })
    assert.match(name, /^baker-\d+$/)
    assert.equal(daemon, true)
  })

  it('pools nest', async () => {
    await using pool = new TestPool(1)
    const sum = await pool.apply(async () => {
      await using inner = new TestPool(1)
      const squares = await inner.map((x: number) => x * x, [1, 2, 3])
      return squares.reduce((a, b) => a + b)
    })
    assert.equal(sum, 14)
  })
})

describe('onProgress', () => {
  it('counts items, and what it throws harms nobody', async () => {
    await using pool = new TestPool(2)
    const seen: [number, number | undefined][] = []
    const warned = new Promise((resolve) => process.once('warning', resolve))
    await pool.map((x: number) => x, [1, 2, 3, 4, 5], {
      chunksize: 2,
      onProgress: (done, total) => {
        seen.push([done, total])
        if (done === 3) throw new Error('in onProgress')
      },
    })
    assert.deepEqual(
      seen,
      [1, 2, 3, 4, 5].map((n) => [n, 5]),
    )
    assert.match(String(await warned), /in onProgress/)
  })
})

describe('AsyncResult', () => {
  it('get, wait, ready, successful', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const result = pool.applyAsync(
      (dir: string) => {
        hold(dir, 'go')
        return 5
      },
      [folder],
    )
    assert.equal(result.ready(), false)
    assert.throws(() => result.successful(), InvalidStateError)
    await assert.rejects(result.get({ timeout: 0 }), TimeoutError)
    await result.wait({ timeout: 0 })
    await assert.rejects(result.get({ timeout: -1 }), RangeError)
    const reason = new Error('enough')
    await assert.rejects(result.get({ signal: AbortSignal.abort(reason) }), (e) => e === reason)
    gate.open('go')
    assert.equal(await result.get({ timeout: 30_000 }), 5)
    assert.equal(await result, 5)
    assert.equal(result.successful(), true)
    assert.equal(await result.get({ timeout: 0 }), 5)
    const failed = pool.applyAsync(() => {
      throw new RangeError('bad')
    })
    await failed.wait()
    assert.equal(failed.successful(), false)
    await assert.rejects(failed.get(), RangeError)
  })

  it('callbacks run once, before it is ready; one that throws is a warning', async () => {
    await using pool = new TestPool(1)
    const calls: unknown[] = []
    const result = pool.applyAsync((x: number) => x + 1, [1], {
      callback: (value) => {
        calls.push(value, result.ready())
        throw new Error('in the callback')
      },
      errorCallback: () => calls.push('never'),
    })
    const warned = new Promise((resolve) => process.once('warning', resolve))
    assert.equal(await result.get(), 2)
    assert.match(String(await warned), /in the callback/)
    const failed = pool.mapAsync(
      () => {
        throw new RangeError('bad')
      },
      [1, 2],
      { callback: () => calls.push('never'), errorCallback: (error) => calls.push((error as Error).name) },
    )
    await failed.wait()
    const unsendable = [1, 2, new WeakMap()]
    const errorCallback = (): unknown => calls.push('told of what was thrown')
    const options = { chunksize: 1, errorCallback }
    assert.throws(() => pool.mapAsync((x: unknown) => x, unsendable, options), SerializationError)
    assert.throws(() => pool.applyAsync((x: unknown) => x, [unsendable], options), SerializationError)
    const empty = pool.mapAsync((x: number) => x, [], { callback: (all) => calls.push(all) })
    assert.deepEqual(await empty.get(), [])
    assert.deepEqual(calls, [2, false, 'RangeError', []])
    assert.deepEqual(await pool.starmapAsync((a: number, b: number) => a - b, [[3, 1]] as const).get(), [2])
  })
})
