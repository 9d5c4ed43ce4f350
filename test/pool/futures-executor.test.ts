/** Executors: submit, map and its window, withOptions, what is refused. Python's executor tests. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { me, myName, TestExecutor } from '../backend.js'
import { BrokenPoolError, currentTask, SerializationError, TimeoutError } from 'plait'
import { Executor, FIRST_COMPLETED, wait } from 'plait/futures'
import { Gate, hold, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'
import { occupy, rest } from './futures-kit.js'
import { asynchronous, Counter } from './stream-kit.js'

checkLeaks()

const square = (n: number): number => n * n
const oddThrows = (n: number): number => {
  if (n % 2 === 1) throw new RangeError(`odd ${n}`)
  return n
}

describe('submit', () => {
  it('runs closures, methods, async functions; with all their arguments', async () => {
    await using executor = new TestExecutor(2)
    const offset = 40
    assert.ok(executor instanceof Executor)
    assert.equal(await executor.submit((a: number, b: number) => a * b + offset, 1, 2), 42)
    assert.equal(await executor.submit(async (text: string) => text.toUpperCase(), 'x'), 'X')
    assert.equal(await executor.submit(Math.max, 3, 1, 2), 3)
    assert.equal(await executor.submit(() => undefined), undefined)
    assert.notEqual(await executor.submit(me), me())
  })

  it('throws at the call what cannot travel, and fails only there', async () => {
    await using executor = new TestExecutor(1)
    const socket = new WeakMap()
    assert.throws(() => executor.submit(() => socket), SerializationError)
    assert.throws(() => executor.submit((value: unknown) => value, Promise.resolve(1)), {
      name: 'SerializationError',
      message: /arguments given to executor\.submit/,
    })
    assert.throws(() => executor.submit('no function' as never), TypeError)
    const bad = executor.submit(() => new WeakMap() as unknown)
    assert.ok((await bad.exception()) instanceof SerializationError)
    assert.equal(await executor.submit(() => 1), 1)
  })

  it('initializer, names, concurrency: the options of a pool', async () => {
    let base = 0
    await using executor = new TestExecutor(1, {
      initializer: (n: number) => {
        base = n
      },
      initargs: [30],
      concurrency: 4,
      name: 'crew',
    })
    assert.equal(await executor.submit((n: number) => base + n, 12), 42)
    assert.match(await executor.submit(myName), /^crew[-_]\d+$/)
    const together = [1, 2, 3, 4].map(() =>
      executor.submit(async () => {
        const state = globalThis as { here?: number }
        state.here = (state.here ?? 0) + 1
        while (state.here < 4) await new Promise((resolve) => setImmediate(resolve))
        return state.here
      }),
    )
    assert.deepEqual(await Promise.all(together), [4, 4, 4, 4])
  })

  it('an initializer that throws breaks the executor, with the cause', async () => {
    await using executor = new TestExecutor(1, {
      initializer: () => {
        throw new RangeError('no database')
      },
    })
    const error = await executor.submit(() => 1).exception()
    assert.ok(error instanceof BrokenPoolError && error.cause instanceof RangeError)
    assert.throws(() => executor.submit(() => 1), BrokenPoolError)
    assert.throws(() => executor.map(square, [1]), BrokenPoolError)
  })

  it('executors nest', async () => {
    await using executor = new TestExecutor(1)
    const inner = executor.submit(async () => {
      await using executor = new TestExecutor(1)
      return await executor.submit((n: number) => n + 1, 41)
    })
    assert.equal(await inner, 42)
  })

  it('refuses a number of workers that is none', () => {
    for (const workers of [0, -1, 1.5, NaN]) assert.throws(() => new TestExecutor(workers), RangeError)
    for (const workers of ['2', null, { processes: 2 }])
      assert.throws(() => new TestExecutor(workers as never), {
        name: 'TypeError',
        message: /maxWorkers/,
      })
    assert.throws(() => new TestExecutor(1, { retries: -1 }), RangeError)
  })
})

describe('map', () => {
  it('gives the results in order; the shortest input ends it', async () => {
    await using executor = new TestExecutor(2)
    const numbers = Array.from({ length: 100 }, (_, i) => i)
    assert.deepEqual(await rest(executor.map(square, numbers)), numbers.map(square))
    const power = (a: number, b: number): number => a ** b
    assert.deepEqual(await rest(executor.map(power, numbers, [3, 2, 1])), [0, 1, 2])
    const pair = (text: string, n: number): string => text + n
    assert.deepEqual(await rest(executor.map(pair, 'abc', new Set([1, 2, 3, 4]))), ['a1', 'b2', 'c3'])
    assert.deepEqual(await rest(executor.map(square, [])), [])
    assert.deepEqual(await rest(executor.map(() => 1)), [])
  })

  it('cuts into chunks where it is told to, also of several inputs', async () => {
    await using executor = new TestExecutor(2)
    const numbers = Array.from({ length: 25 }, (_, i) => i)
    for (const chunksize of [1, 2, 7, 25, 100]) {
      const chunked = executor.withOptions({ chunksize })
      assert.deepEqual(await rest(chunked.map(square, numbers)), numbers.map(square))
      const sum = async (a: number, b: number): Promise<number> => a + b
      const sums = await rest(chunked.map(sum, numbers, new Counter()))
      assert.deepEqual(
        sums,
        numbers.map((n) => 2 * n),
      )
    }
    for (const chunksize of [0, -1]) assert.throws(() => executor.withOptions({ chunksize }), RangeError)
  })

  it('takes from an input only what a result needs, and closes them all at the end', async () => {
    await using executor = new TestExecutor(1)
    const sum = (a: number, b: number, c: number): number => a + b + c
    for (const mixed of [false, true]) {
      const [first, short, last] = [new Counter(), new Counter(2), new Counter()]
      const sums = executor.map(sum, first, mixed ? asynchronous(short) : short, last)
      assert.deepEqual(await rest(sums), [0, 3])
      assert.deepEqual([first.taken, short.taken, last.taken], [3, 2, 2])
      assert.ok(first.closed && short.closed && last.closed)
    }
  })

  it('begins at once, iterated or not, and holds only a window of the input', async () => {
    await using executor = new TestExecutor(2)
    for (const buffersize of [1, 3, 8]) {
      const counter = new Counter()
      const gate = new Gate()
      const { folder } = gate
      const run = (dir: string) => (n: number) => (reach(dir, `ran-${n}-`), n)
      const iterator = executor.withOptions({ buffersize }).map(run(folder), counter)
      assert.equal(counter.taken, buffersize)
      for (let n = 0; n < buffersize; n++) await gate.reached(`ran-${n}-`)
      for (let n = 0; n < 20; n++) {
        assert.deepEqual(await iterator.next(), { done: false, value: n })
        assert.ok(counter.taken <= n + 1 + buffersize, `${counter.taken} taken for ${n + 1}`)
      }
      await iterator.return()
      assert.equal(counter.closed, true)
    }
    const counter = new Counter()
    executor.map(square, counter)
    assert.equal(counter.taken, 4)
    for (const buffersize of [0, -1]) assert.throws(() => executor.withOptions({ buffersize }), RangeError)
  })

  it('the first error comes in its place and ends it; what has not begun is taken back', async () => {
    await using executor = new TestExecutor(1)
    for (const chunksize of [1, 3]) {
      const counter = new Counter()
      const iterator = executor.withOptions({ chunksize }).map(oddThrows, counter)
      assert.deepEqual(await iterator.next(), { done: false, value: 0 })
      await assert.rejects(iterator.next(), { name: 'RangeError', message: 'odd 1' })
      assert.deepEqual(await iterator.next(), { done: true, value: undefined })
      assert.equal(counter.closed, true)
    }
    const gate = new Gate()
    const { folder } = gate
    const fail = (n: number): number => {
      reach(folder, `item-${n}-`)
      if (n === 0) throw new RangeError('first')
      hold(folder, 'go')
      return n
    }
    const iterator = executor.map(fail, [0, 1, 2, 3])
    await gate.reached('item-1-')
    await assert.rejects(iterator.next(), /first/)
    gate.open('go')
    assert.equal(await executor.submit(square, 3), 9)
    assert.equal(gate.count('item-'), 2)
  })

  it('leaving the loop takes back what has not begun; what runs goes on', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const { folder } = gate
    const run = (n: number): number => {
      reach(folder, `item-${n}-`)
      if (n > 0) hold(folder, 'go')
      reach(folder, `end-${n}-`)
      return n
    }
    const counter = new Counter()
    for await (const n of executor.withOptions({ buffersize: 10 }).map(run, counter)) {
      assert.equal(n, 0)
      await gate.reached('item-1-')
      break
    }
    assert.equal(counter.closed, true)
    gate.open('go')
    await executor.submit(square, 1)
    assert.deepEqual([gate.count('item-'), gate.count('end-')], [2, 2])
  })

  it('an input that throws, an item that cannot travel, what is no input', async () => {
    await using executor = new TestExecutor(1)
    const other = new Counter()
    function* broken() {
      yield 1
      throw new Error('broken input')
    }
    const sums = executor.map((a: number, b: number) => a + b, other, broken())
    assert.equal((await sums.next()).value, 1)
    await assert.rejects(sums.next(), /broken input/)
    assert.equal((await sums.next()).done, true)
    assert.equal(other.closed, true)
    const refused = executor.map((value: unknown) => typeof value, [1, new WeakMap()])
    assert.equal((await refused.next()).value, 'number')
    await assert.rejects(refused.next(), {
      name: 'SerializationError',
      message: /item 1 given to executor\.map/,
    })
    const number = 5 as unknown as number[]
    assert.throws(() => executor.map(square, number), { name: 'TypeError', message: /^input 1/ })
    assert.throws(() => executor.map((a: number, b: number) => a + b, [1], number), {
      name: 'TypeError',
      message: /^input 2/,
    })
    assert.throws(() => executor.map(5 as never, [1]), TypeError)
  })

  it('a signal stops what runs and ends the iteration with its reason', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    const { folder } = gate
    const abort = new AbortController()
    const cooperative = async (n: number): Promise<number> => {
      const { signal } = currentTask()!
      reach(folder, `begun-${n}`)
      const alive = setInterval(() => {}, 1000)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      clearInterval(alive)
      reach(folder, `stopped-${n}`)
      return n
    }
    const view = executor.withOptions({ signal: abort.signal, grace: 60_000 })
    const iterator = view.map(cooperative, new Counter())
    await gate.reached('begun-0')
    const reason = new Error('enough')
    abort.abort(reason)
    await assert.rejects(iterator.next(), (error) => error === reason)
    assert.equal((await iterator.next()).done, true)
    await gate.reached('stopped-0')
    assert.equal(await executor.submit(square, 2), 4)
    assert.equal(gate.count('begun'), 1)
  })

  it('that nobody holds: begun work goes on, an iteration that was begun is left', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    await using executor = new TestExecutor(1)
    const used = new Counter()
    await (async () => void (await executor.map(square, used).next()))()
    const gate = new Gate()
    const { folder } = gate
    await occupy(executor, gate)
    const unused = new Counter(3)
    executor.withOptions({ buffersize: 4 }).map((n: number) => reach(folder, `ran-${n}`), unused)
    for (let turn = 0; turn < 200 && !used.closed; turn++) {
      collect()
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(used.closed, true)
    gate.open('go')
    await executor.shutdown()
    assert.equal(gate.count('ran-'), 3)
  })

  it('that nobody holds, after its work is done: its signal keeps nothing of it', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const controller = new AbortController()
    const { signal } = controller
    const inputs: WeakRef<object>[] = []
    const drop = async (held: boolean): Promise<void> => {
      await using executor = new TestExecutor(1)
      await (async () => {
        const input = [1, 2, 3]
        inputs.push(new WeakRef(input))
        const iterator = executor.withOptions({ signal }).map(square, input)
        if (held) await executor.shutdown()
        return void iterator
      })()
    }
    // One is gone before its work is done, the other after it.
    await drop(false)
    await drop(true)
    for (let turn = 0; turn < 200 && inputs.some((input) => input.deref() !== undefined); turn++) {
      // In this order: what was looked at lives until the end of the turn.
      await new Promise((resolve) => setImmediate(resolve))
      collect()
    }
    assert.deepEqual(
      inputs.map((input) => input.deref()),
      [undefined, undefined],
    )
    controller.abort()
  })

  it('next() gives up after its timeout and loses nothing', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    await occupy(executor, gate)
    const iterator = executor.map(square, [1, 2])
    await assert.rejects(iterator.next({ timeout: 10 }), TimeoutError)
    gate.open('go')
    assert.deepEqual(await rest(iterator), [1, 4])
  })
})

describe('withOptions', () => {
  it('a view of the same executor: timeout, grace, signal, priority', async () => {
    await using executor = new TestExecutor(1)
    const pid = await executor.submit(me)
    const hasty = executor.withOptions({ timeout: 50 }).withOptions({ grace: 0 })
    assert.ok(hasty instanceof Executor)
    assert.equal(await hasty.submit(me), pid)
    const endless = hasty.submit(() => {
      for (;;);
    })
    await assert.rejects(endless.result(), { name: 'TimeoutError', message: /50 ms/ })
    assert.equal(endless.cancelled(), false)

    const gate = new Gate()
    await occupy(executor, gate)
    const order: string[] = []
    const note = (name: string) => (): void => void order.push(name)
    const late = executor.submit(() => 1)
    const soon = executor.withOptions({ priority: 5 }).submit(() => 2)
    late.addDoneCallback(note('late'))
    soon.addDoneCallback(note('soon'))
    const abort = new AbortController()
    const dropped = executor.withOptions({ signal: abort.signal }).submit(() => 3)
    const reason = new Error('changed my mind')
    abort.abort(reason)
    assert.equal(dropped.done(), true)
    assert.equal(dropped.cancelled(), false)
    assert.equal(await dropped.exception(), reason)
    const stillborn = executor.withOptions({ signal: abort.signal }).submit(() => 4)
    assert.equal(await stillborn.exception(), reason)
    assert.equal(stillborn.cancel(), false)
    gate.open('go')
    await Promise.all([late, soon])
    // What the worker held already may go before.
    assert.equal(order.length, 2)
  })

  it('a higher priority overtakes what waits', async () => {
    await using executor = new TestExecutor(1)
    const gate = new Gate()
    await occupy(executor, gate)
    const low = Array.from({ length: 5 }, () => executor.submit(() => 'low'))
    const high = executor.withOptions({ priority: 1 }).submit(() => 'high')
    const first = wait([high, low.at(-1)!], { returnWhen: FIRST_COMPLETED })
    gate.open('go')
    assert.ok((await first).done.has(high))
    await wait(low)
  })

  it('refuses at the call', async () => {
    await using executor = new TestExecutor(1)
    assert.throws(() => executor.withOptions({ timeout: -1 }), RangeError)
    assert.throws(() => executor.withOptions({ signal: {} as never }), TypeError)
    assert.throws(() => executor.withOptions({ priority: 'high' as never }), TypeError)
  })
})
