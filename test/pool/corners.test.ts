/**
 * What went wrong once: recalls beside limits of a worker's life, aborts from within callbacks, workers that
 * stand still, and what an error says of a death that the pool or the worker itself knows the reason of.
 */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { die, fromOutside, itInProcesses, TestExecutor, TestPool } from '../backend.js'
import { BrokenPoolError, currentTask, TimeoutError, WorkerLostError } from 'plait'
import { Gate, hold, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'
import { outcomes } from './stream-kit.js'

checkLeaks()

it('a worker at the end of its life from which the last task was taken back is replaced', async () => {
  await using pool = new TestPool(1, { maxTasksPerChild: 3 })
  const busy = (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end;);
  }
  const controller = new AbortController()
  await pool.apply(busy, [1])
  const long = pool.apply(busy, [50])
  const dropped = pool.apply(busy, [1], { signal: controller.signal })
  controller.abort()
  await assert.rejects(dropped, { name: 'AbortError' })
  await long
  for (let i = 0; i < 5; i++) await pool.apply(busy, [1])
  const { completed, failed } = pool.statistics()
  assert.deepEqual([completed, failed], [7, 1])
})

it('an abort from within onProgress ends the map there, and once', async () => {
  await using pool = new TestPool(1)
  for (const at of [2, 4]) {
    const controller = new AbortController()
    const seen: number[] = []
    const work = pool.map((x: number) => x, [1, 2, 3, 4], {
      chunksize: 4,
      signal: controller.signal,
      onProgress: (done) => {
        seen.push(done)
        if (done === at) controller.abort()
      },
    })
    await assert.rejects(work, { name: 'AbortError' })
    assert.equal(seen.length, at)
  }
  assert.deepEqual(await pool.map((x: number) => x, [1]), [1])
})

it('a task beside one that had to be killed is told the reason', async () => {
  await using pool = new TestPool(1, { concurrency: 2 })
  const gate = new Gate()
  const { folder } = gate
  const beside = pool.apply(
    async (dir: string) => {
      reach(dir, 'beside')
      await new Promise(() => {})
    },
    [folder],
  )
  const lost = assert.rejects(
    beside,
    (e: unknown) => e instanceof WorkerLostError && /by its pool: task \d+ did not stop/.test(e.message),
  )
  await gate.reached('beside')
  await assert.rejects(
    pool.apply((dir: string) => hold(dir, 'never'), [folder], { timeout: 20, grace: 20 }),
    TimeoutError,
  )
  await lost
})

it('an error outside of any task is the cause of what it costs', async () => {
  await using pool = new TestPool(1)
  for (const how of ['throw', 'reject'] as const)
    await assert.rejects(
      pool.apply(
        async (way: typeof how) => {
          process.stderr.write = () => true
          setImmediate(() => {
            if (way === 'throw') throw new RangeError('stray')
            void Promise.reject(new RangeError('stray'))
          })
          await new Promise(() => {})
        },
        [how],
      ),
      (e: unknown) =>
        e instanceof WorkerLostError &&
        e.exitcode === 1 &&
        e.cause instanceof RangeError &&
        e.cause.message === 'stray',
    )
  assert.equal(await pool.apply(() => 1), 1)
})

itInProcesses(
  fromOutside,
  'a worker that stands still before it begins its task is replaced; the task goes elsewhere',
  async () => {
    await using pool = new TestPool(1, { startTimeout: 1500 })
    await pool.apply(() => 1)
    process.kill(pool.statistics().workers[0].pid, 'SIGSTOP')
    assert.equal(await pool.apply(() => 'elsewhere'), 'elsewhere')
    assert.equal(pool.statistics().restarts, 1)
  },
)

it('what is no number of processes and no options is refused', () => {
  for (const wrong of [[3], null, 'two', true]) assert.throws(() => new TestPool(wrong as never), TypeError)
})

it('results wait in the worker while the pool does not read, and none is lost', async () => {
  await using pool = new TestPool(2)
  const fn = (n: number) => (n === 4000 ? die() : `${n}`.repeat(200))
  await Promise.all(Array.from({ length: 3000 }, (_, i) => pool.apply(fn, [i])))
  const outcomes = Promise.allSettled(Array.from({ length: 20_000 }, (_, i) => pool.apply(fn, [i])))
  // What was written at submit is in the workers' hands now, and nobody takes what they answer.
  await new Promise((resolve) => process.nextTick(resolve))
  for (const end = performance.now() + 400; performance.now() < end;);
  const wrong = (await outcomes).flatMap((outcome, i) =>
    outcome.status === 'fulfilled' && outcome.value === `${i}`.repeat(200) ? [] : [i],
  )
  assert.deepEqual(wrong, [4000])
})

it('statistics count tasks, not maps, and what ended is not running', async () => {
  await using pool = new TestPool(1)
  const gate = new Gate()
  const { folder } = gate
  const fn = (n: number) => {
    if (n !== 5) return n
    reach(folder, 'five')
    hold(folder, 'go')
    return n
  }
  await Promise.all(Array.from({ length: 500 }, () => pool.apply(fn, [1])))
  const work = pool.map(fn, [1, 2, 3, 4, 5, 6, 7, 8], { chunksize: 1 })
  await gate.reached('five')
  const { queued, running, completed, failed } = pool.statistics()
  assert.equal(running, 1)
  assert.equal(queued + running + completed + failed, 508)
  gate.open('go')
  await work
})

it('who hears of a death may end the pool: what was lost is not tried again', async () => {
  for (const hears of ['subscriber', 'callback'] as const) {
    const pool = new TestPool(1, { name: 'ended', retries: 1, concurrency: 2 })
    const outcomes: unknown[] = []
    const errorCallback = (error: unknown): void => {
      outcomes.push(error)
      pool.terminate()
    }
    const dieThenStay = (): unknown => (currentTask()!.attempt === 1 ? die() : new Promise(() => {}))
    const listener = (message: unknown): void => {
      if ((message as { pool: string }).pool !== 'ended') return
      if (hears === 'subscriber') pool.terminate()
      else if (outcomes.length === 0 && pool.statistics().restarts === 0)
        pool.applyAsync(die, [], { errorCallback })
    }
    subscribe('plait:worker:exit', listener)
    pool.applyAsync(dieThenStay, [], { errorCallback })
    while (pool.statistics().state === 'running') await new Promise(setImmediate)
    assert.equal(await pool.join(), true)
    await new Promise(setImmediate)
    unsubscribe('plait:worker:exit', listener)
    assert.equal(outcomes.length, hears === 'subscriber' ? 1 : 2)
    assert.ok(outcomes.every((outcome) => outcome instanceof WorkerLostError))
  }
})

it('an initializer may throw anything: the pool is broken, and its workers go', async () => {
  class Mute extends Error {
    override get message(): string {
      throw new RangeError('no words')
    }
  }
  for (const thrown of [() => Object.create(null) as unknown, () => Symbol('x'), () => new Mute()]) {
    const pool = new TestPool(1, {
      initializer: () => {
        throw thrown()
      },
    })
    await assert.rejects(
      pool.apply(() => 1),
      BrokenPoolError,
    )
    assert.equal(await pool.join(), true)
  }
})

it('results that can travel one by one and not together fail together, with the reason', async () => {
  await using pool = new TestPool(1)
  const fn = (x: number): (() => number) => {
    if (x === 2) throw new RangeError('two')
    const kept = globalThis as unknown as { make?: () => () => number }
    kept.make ??= (() => {
      let n = 0
      return () => () => ++n
    })()
    return kept.make()
  }
  assert.equal(typeof (await pool.imap(fn, [0]).next()).value, 'function')
  const got = await outcomes(pool.imap(fn, [0, 1, 2], { chunksize: 3 }))
  assert.match(String(got[0]), /cannot send `n`/)
  assert.deepEqual(got.slice(1), [got[0], 'two'])
  assert.equal(pool.statistics().restarts, 0)
})

it('what is held behind a long task is sorted again when something more urgent comes', async () => {
  await using pool = new TestPool(1)
  const gate = new Gate()
  const { folder } = gate
  const fn = (name: string, dir: string) => {
    if (name !== 'long') return name
    reach(dir, name)
    hold(dir, 'go')
    return name
  }
  // Short ones first, so that the worker is given many at a time.
  await Promise.all(Array.from({ length: 500 }, () => pool.apply(fn, ['short', folder])))
  const order: string[] = []
  const submit = (name: string, priority: number): Promise<unknown> =>
    pool.apply(fn, [name, folder], { priority }).then((done) => order.push(done))
  const work = [submit('long', 0), submit('low', 0), submit('low', 0)]
  await gate.reached('long')
  work.push(submit('high', 5), submit('high', 5))
  // The pool looks after its worker at most 64 ms after its last look.
  for (let look = 0; look < 5; look++) await new Promise((resolve) => setTimeout(resolve, 70))
  gate.open('go')
  await Promise.all(work)
  assert.deepEqual(order, ['long', 'high', 'high', 'low', 'low'])
})

it('aborted tasks are forgotten while others before them wait', async () => {
  await using pool = new TestPool(1)
  const gate = new Gate()
  const { folder } = gate
  const busy = pool.apply((dir: string) => hold(dir, 'go'), [folder])
  const before = [1, 2, 3].map((n) => pool.apply((x: number) => x, [n]))
  const controller = new AbortController()
  const { signal } = controller
  const refs = Array.from({ length: 500 }, () => {
    const dropped = pool.apply((x: number) => x, [0], { signal })
    dropped.catch(() => {})
    return new WeakRef(dropped)
  })
  controller.abort()
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  let left = refs.length
  for (let turn = 0; turn < 20 && left > 100; turn++) {
    await new Promise(setImmediate)
    gc()
    left = refs.filter((ref) => ref.deref() !== undefined).length
  }
  gate.open('go')
  await busy
  assert.deepEqual(await Promise.all(before), [1, 2, 3])
  assert.ok(left <= 100, `${left} are still there`)
})

it('a future whose task has ended does not run, whether or not its result was read', async () => {
  await using executor = new TestExecutor(1)
  const gate = new Gate()
  const { folder } = gate
  await executor.submit(() => 0)
  const fn = (name: string, dir: string): void => {
    if (name === 'short') return
    reach(dir, name)
    hold(dir, 'go')
  }
  const [short, long] = [executor.submit(fn, 'short', folder), executor.submit(fn, 'long', folder)]
  // Both are sent, and nothing is received before the turn ends.
  await new Promise((resolve) => process.nextTick(resolve))
  hold(folder, 'long')
  const done = [short.done(), long.done()]
  const running = [short.running(), long.running()]
  gate.open('go')
  await long
  assert.deepEqual(
    [done, running],
    [
      [false, false],
      [false, true],
    ],
  )
  assert.deepEqual([short.running(), long.running()], [false, false])
})
