/**
 * The Scheduler: whose turn it is, what each kind of yield does, what can be spawned, and that the event loop
 * goes on beside it. How a run ends is in run.test.ts, cancellation in cancel.test.ts.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { coroutine, gather, Scheduler, sleep, type CoroutineTask } from 'plait/coroutine'
import { checkLeaks } from '../leaks.js'
import { counter } from './kit.js'

checkLeaks()

describe('turns', () => {
  it('go round in the order of spawning, one yield each', async () => {
    const scheduler = new Scheduler()
    const log: string[] = []
    const tasks = ['a', 'b', 'c'].map((name, i) => scheduler.spawn(counter(log, name, 3 - i)))
    await scheduler.run()
    assert.deepEqual(log, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
    assert.deepEqual(await Promise.all(tasks), ['a', 'b', 'c'])
    assert.ok(tasks.every((task) => task.done))
  })

  it('step() is one of them, and false where none can run', () => {
    const scheduler = new Scheduler()
    assert.equal(scheduler.step(), false)
    const log: string[] = []
    scheduler.spawn(counter(log, 'a', 2))
    scheduler.spawn(counter(log, 'b', 1))
    const seen: string[] = []
    while (scheduler.step()) seen.push(log.at(-1)!)
    // The ends are turns of their own.
    assert.deepEqual(seen, ['a1', 'b1', 'a2', 'a2', 'a2'])
    assert.equal(scheduler.step(), false)
  })

  it('come to those that are spawned meanwhile, behind the others', async () => {
    const scheduler = new Scheduler()
    const log: string[] = []
    scheduler.spawn(function* () {
      log.push('first')
      const child = scheduler.spawn(function* () {
        log.push('child')
        yield
        return 7
      })
      log.push('spawned')
      log.push(`got ${yield child}`)
    })
    scheduler.spawn(counter(log, 'b', 2))
    await scheduler.run()
    assert.deepEqual(log, ['first', 'spawned', 'b1', 'child', 'b2', 'got 7'])
  })

  it('leave the event loop its own, however busy they are', async () => {
    const scheduler = new Scheduler()
    const soon = AbortSignal.timeout(5)
    let turns = 0
    scheduler.spawn(function* () {
      for (; !soon.aborted; turns++) yield
    })
    await scheduler.run()
    assert.ok(turns > 100, `${turns} turns`)
  })

  it('let promises in between two rounds of a busy one', async () => {
    const scheduler = new Scheduler()
    let turns = 0
    const seen: string[] = []
    scheduler.spawn(function* () {
      for (; seen.length === 0; turns++) yield
    })
    scheduler.spawn(function* () {
      yield Promise.resolve()
      seen.push('settled')
    })
    await scheduler.run()
    assert.ok(turns < 1000, `${turns} turns`)
  })

  it('hundred thousand coroutines come to their ends', async () => {
    const scheduler = new Scheduler()
    let sum = 0
    for (let i = 0; i < 100_000; i++)
      scheduler.spawn(function* () {
        yield
        sum += i
      })
    await scheduler.run()
    assert.equal(sum, 4_999_950_000)
  })
})

describe('what is yielded', () => {
  /** Runs one body alone; what it returns or throws. */
  const runs = async <R>(body: () => Generator<unknown, R>): Promise<R> => {
    const scheduler = new Scheduler()
    const task = scheduler.spawn(body)
    const [value] = await Promise.all([task, scheduler.run()])
    return value
  }

  it('a promise gives its value, or throws its error there', async () => {
    const error = new Error('x')
    const seen = await runs(function* () {
      const value: number = yield Promise.resolve(5)
      try {
        yield Promise.reject(error)
      } catch (caught) {
        return [value, caught]
      }
      return []
    })
    assert.deepEqual(seen, [5, error])
  })

  it('any thenable does, whatever it does', async () => {
    const twice = {
      // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
      then(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
        resolve('now')
        resolve('again')
        reject(new Error('x'))
      },
    }
    const hostile = {
      // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
      get then() {
        throw new Error('no then')
      },
    }
    const revoked = Proxy.revocable({}, {})
    revoked.revoke()
    const seen = await runs(function* () {
      const seen: unknown[] = [yield twice]
      for (const one of [hostile, revoked.proxy])
        try {
          yield one
        } catch (error) {
          seen.push((error as Error).name, yield 'nothing')
        }
      return seen
    })
    assert.deepEqual(seen, ['now', 'Error', undefined, 'TypeError', undefined])
  })

  it('anything else gives undefined', async () => {
    const others = [undefined, null, 0, 1n, 'x', Symbol('s'), {}, [], () => 1, new Map()]
    const seen = await runs(function* () {
      const seen: unknown[] = []
      for (const other of others) seen.push(yield other)
      return seen
    })
    assert.deepEqual(
      seen,
      Array.from(others, () => undefined),
    )
  })

  it('a task gives what it returns, to all who wait and to who comes late', async () => {
    const scheduler = new Scheduler()
    const seen: unknown[] = []
    const task = scheduler.spawn(counter([], 'x', 3))
    for (let i = 0; i < 2; i++)
      scheduler.spawn(function* () {
        seen.push(yield task)
        seen.push(yield task)
      })
    await scheduler.run()
    assert.deepEqual(seen, ['x', 'x', 'x', 'x'])
  })

  it('a task of another scheduler, too', async () => {
    const [one, two] = [new Scheduler(), new Scheduler()]
    const task = one.spawn(function* () {
      yield sleep(1)
      return 'from one'
    })
    const other = two.spawn(function* (): Generator<unknown, unknown, unknown> {
      return yield task
    })
    await Promise.all([one.run(), two.run()])
    assert.equal(await other, 'from one')
  })

  it('itself is an error', async () => {
    const scheduler = new Scheduler()
    const task: CoroutineTask<string> = scheduler.spawn(
      function* () {
        try {
          yield task
        } catch (error) {
          return `${(error as Error).name}: ${(error as Error).message}`
        }
        return ''
      },
      { name: 'snake' },
    )
    await scheduler.run()
    assert.equal(await task, 'InvalidStateError: snake cannot wait for itself')
  })

  it('a generator or a coroutine is run in its place', async () => {
    const log: string[] = []
    const inner = coroutine(function* (fail: boolean): Generator<unknown, string, number> {
      const got = yield Promise.resolve(3)
      if (fail) throw new RangeError(`inner ${got}`)
      return `inner ${got}`
    })
    const seen = await runs(function* () {
      const first: string = yield counter(log, 'g', 2)
      const second: string = yield inner(false)
      try {
        yield inner(true)
      } catch (error) {
        return [first, second, (error as Error).message]
      }
      return []
    })
    assert.deepEqual(seen, ['g', 'inner 3', 'inner 3'])
    assert.deepEqual(log, ['g1', 'g2'])
  })

  it('generators nest ten thousand deep', async () => {
    function* deep(n: number): Generator<unknown, number, number> {
      return n === 0 ? 0 : (yield deep(n - 1)) + 1
    }
    assert.equal(await runs(() => deep(10_000)), 10_000)
  })

  it('gather and async functions are promises like others', async () => {
    const seen = await runs(function* () {
      return yield gather(
        sleep(1).then(() => 'a'),
        (async () => 'b')(),
        'c',
      )
    })
    assert.deepEqual(seen, ['a', 'b', 'c'])
  })
})

describe('spawn()', () => {
  it('names coroutines by number and function, or as it is told', () => {
    const scheduler = new Scheduler()
    const names = [
      scheduler.spawn(counter([], 'x', 1)),
      scheduler.spawn(function* reader() {}),
      scheduler.spawn(function* () {}, { name: 'writer' }),
      scheduler.spawn(coroutine(function* made() {})),
      scheduler.spawn(coroutine(function* made() {})()),
    ].map((task) => task.name)
    assert.deepEqual(names, [
      'Coroutine-1',
      'Coroutine-2 (reader)',
      'writer',
      'Coroutine-3 (made)',
      'Coroutine-4',
    ])
  })

  it('makes tasks that a log shows in a line', async () => {
    const scheduler = new Scheduler()
    const task = scheduler.spawn(counter([], 'x', 2))
    scheduler.spawn(counter([], 'y', 2))
    assert.equal(inspect(task), 'CoroutineTask { Coroutine-1 }')
    await scheduler.run()
    assert.equal(inspect([task]), '[ CoroutineTask { Coroutine-1, done } ]')
  })

  it('refuses what is no generator', () => {
    const scheduler = new Scheduler()
    const wrong = [
      5,
      null,
      undefined,
      () => 1,
      async () => {},
      async function* () {},
      [1, 2][Symbol.iterator](),
    ]
    for (const body of wrong) assert.throws(() => scheduler.spawn(body as never), TypeError)
    assert.throws(() => scheduler.spawn(function* () {}, { name: 5 } as never), TypeError)
    assert.throws(() => new Scheduler({ clock: {} } as never), TypeError)
    assert.equal(scheduler.step(), false)
  })

  it('throws what the function throws that should make one', () => {
    const scheduler = new Scheduler()
    const make = (): never => {
      throw new RangeError('not today')
    }
    assert.throws(() => scheduler.spawn(make), /not today/)
  })
})
