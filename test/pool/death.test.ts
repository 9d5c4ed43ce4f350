/** What a worker's death costs: exactly what it had begun and not ended. Nothing else, and nothing hangs. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { backend, die, fromOutside, itInProcesses, suddenly, TestPool } from '../backend.js'
import { BrokenPoolError, currentTask, PoolTerminatedError, WorkerLostError } from 'plait'
import { Gate, hold, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

type Outcome = PromiseSettledResult<unknown>
const lost = (outcome: Outcome): boolean =>
  outcome.status === 'rejected' && outcome.reason instanceof WorkerLostError

describe('a worker dies', () => {
  it('in a task: that task rejects with who, how and what to do; the rest is untouched', async () => {
    await using pool = new TestPool(2)
    for (const how of ['SIGKILL', 'exit'] as const) {
      const items = Array.from({ length: 60 }, (_, i) => i)
      const outcomes = await Promise.allSettled(
        items.map((i) =>
          pool.apply(
            (n: number, way: typeof how) => {
              if (n === 40) {
                if (way === 'exit') process.exit(7)
                die()
              }
              return n
            },
            [i, how],
          ),
        ),
      )
      for (const [i, outcome] of outcomes.entries())
        if (i === 40) {
          assert.ok(lost(outcome), `${how}: ${JSON.stringify(outcome)}`)
          const error = (outcome as PromiseRejectedResult).reason as WorkerLostError
          assert.equal(error.exitcode, how === 'exit' ? 7 : suddenly.exitcode)
          assert.equal(error.signal, how === 'exit' ? null : suddenly.signal)
          assert.equal(error.pid === process.pid, backend === 'thread')
          assert.match(error.worker, /Pool(Worker|Thread)-\d+/)
          assert.equal(error.code, 'PLAIT_WORKER_LOST')
        } else assert.deepEqual(outcome, { status: 'fulfilled', value: i }, `task ${i}, ${how}`)
    }
    assert.equal(pool.statistics().restarts, 2)
    assert.equal(await pool.apply(() => 1), 1)
  })

  it('after many short tasks: results that had not left it are not lost', async () => {
    await using pool = new TestPool(1)
    const fn = (n: number) => {
      if (n === 5000) {
        die()
      }
      return n
    }
    // Short tasks first, so that the worker is given many at a time.
    await Promise.all(Array.from({ length: 3000 }, (_, i) => pool.apply(fn, [i])))
    const outcomes = await Promise.allSettled(Array.from({ length: 8000 }, (_, i) => pool.apply(fn, [i])))
    assert.deepEqual(
      outcomes.flatMap((outcome, i) => (outcome.status === 'fulfilled' && outcome.value === i ? [] : [i])),
      [5000],
    )
    assert.ok(lost(outcomes[5000]))
  })

  itInProcesses(fromOutside, 'while idle: nothing rejects, and it is replaced', async () => {
    await using pool = new TestPool(2)
    const pids = new Set(await Promise.all([1, 2, 3, 4].map(() => pool.apply(() => process.pid))))
    for (const { pid } of pool.statistics().workers) process.kill(pid, 'SIGKILL')
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => pool.apply((n: number) => n, [i])))
    assert.deepEqual(
      results,
      results.map((_, i) => i),
    )
    assert.ok(pids.size > 0)
  })

  itInProcesses(fromOutside, 'before it is ready: what waits goes to another', async () => {
    await using pool = new TestPool(2)
    const work = Promise.all(Array.from({ length: 20 }, (_, i) => pool.apply((n: number) => n, [i])))
    for (const { pid } of pool.statistics().workers) process.kill(pid, 'SIGKILL')
    assert.equal((await work).length, 20)
    assert.equal(pool.statistics().restarts, 2)
  })

  it('with retries: the task runs again, and is told so', async () => {
    await using pool = new TestPool(2, { retries: 2 })
    const attempts = await pool.map(
      (n: number) => {
        const { attempt } = currentTask()!
        if (n === 3 && attempt < 3) die()
        return attempt
      },
      [1, 2, 3, 4],
    )
    assert.deepEqual(attempts, [1, 1, 3, 1])
    await assert.rejects(
      pool.apply(() => process.exit(1)),
      (e: unknown) => e instanceof WorkerLostError && e.exitcode === 1,
    )
    assert.equal(pool.statistics().restarts, 5)
  })

  itInProcesses(fromOutside, 'stopped, then killed: the same', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const task = pool.apply(
      (dir: string) => {
        reach(dir, 'begun')
        hold(dir, 'never')
      },
      [folder],
    )
    const next = pool.apply(() => 'next')
    await gate.reached('begun')
    const [worker] = pool.statistics().workers
    process.kill(worker.pid, 'SIGSTOP')
    process.kill(worker.pid, 'SIGKILL')
    await assert.rejects(task, WorkerLostError)
    assert.equal(await next, 'next')
  })

  itInProcesses(
    fromOutside,
    'in one of several overlapping tasks: all that ran there are lost, what waited is not',
    async () => {
      await using pool = new TestPool(1, { concurrency: 3 })
      const gate = new Gate()
      const { folder } = gate
      const outcomes = Promise.allSettled(
        [0, 1, 2, 3, 4, 5].map((i) =>
          pool.apply(
            async (n: number, dir: string) => {
              if (n > 2) return n
              reach(dir, `in-${n}`)
              await new Promise(() => setInterval(() => {}, 1000))
            },
            [i, folder],
          ),
        ),
      )
      await Promise.all(['in-0', 'in-1', 'in-2'].map((name) => gate.reached(name)))
      process.kill(pool.statistics().workers[0].pid, 'SIGKILL')
      const all = await outcomes
      assert.deepEqual(all.map(lost), [true, true, true, false, false, false])
    },
  )

  it('by an error outside of any task', async () => {
    await using pool = new TestPool(1, { env: { ...process.env, NODE_OPTIONS: '' } })
    await assert.rejects(
      pool.apply(async () => {
        setImmediate(() => {
          process.stderr.write = () => true
          throw new Error('outside')
        })
        await new Promise(() => setInterval(() => {}, 1000))
      }),
      (e: unknown) => e instanceof WorkerLostError && e.exitcode === 1,
    )
    assert.equal(await pool.apply(() => 2), 2)
  })

  it('by an error that cannot be shown', async () => {
    await using pool = new TestPool(1, { env: { ...process.env, NODE_OPTIONS: '' } })
    const task = pool.apply(async () => {
      setImmediate(() => {
        process.stderr.write = () => true
        const show = (): never => process.exit(5)
        throw Object.assign(new Error('unshown'), { [Symbol.for('nodejs.util.inspect.custom')]: show })
      })
      await new Promise(() => setInterval(() => {}, 1000))
    })
    await assert.rejects(
      task,
      (e: unknown) => e instanceof WorkerLostError && e.exitcode === 5 && /unshown/.test(String(e.cause)),
    )
  })

  itInProcesses(fromOutside, 'while a large result is on its way', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const big = pool.apply(
      (dir: string) => {
        setImmediate(() => {
          reach(dir, 'sending')
          hold(dir, 'never')
        })
        return Buffer.alloc(50_000_000)
      },
      [folder],
    )
    const settled = big.then(
      (b) => b.length,
      (e: unknown) => e,
    )
    await gate.reached('sending')
    process.kill(pool.statistics().workers[0].pid, 'SIGKILL')
    const outcome = await settled
    assert.ok(outcome === 50_000_000 || outcome instanceof WorkerLostError)
    assert.equal(await pool.apply(() => 1), 1)
  })

  it('again and again: a pool of poisoned tasks settles every one of them', async () => {
    await using pool = new TestPool(2)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, () => pool.apply(() => process.exit(3))),
    )
    assert.ok(outcomes.every(lost))
    assert.equal(await pool.apply(() => 1), 1)
  })

  it('after terminate: the pool ends all the same', async () => {
    const pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const task = pool.apply(
      (dir: string) => {
        process.on('SIGTERM', () => {})
        reach(dir, 'deaf')
        hold(dir, 'never')
      },
      [folder],
    )
    const rejected = assert.rejects(task, PoolTerminatedError)
    await gate.reached('deaf')
    pool.terminate()
    await rejected
    assert.equal(await pool.join(), true)
  })
})

describe('workers cannot start', () => {
  it('an initializer that throws breaks the pool, with the cause', async () => {
    class NoDatabase extends Error {}
    const pool = new TestPool(2, {
      initializer: () => {
        throw new NoDatabase('refused')
      },
    })
    const work = pool.apply(() => 1)
    await assert.rejects(work, (e: unknown) => e instanceof BrokenPoolError && e.cause instanceof NoDatabase)
    assert.equal(pool.statistics().state, 'broken')
    await assert.rejects(
      pool.apply(() => 1),
      BrokenPoolError,
    )
    assert.throws(() => pool.applyAsync(() => 1), BrokenPoolError)
    assert.equal(await pool.join(), true)
  })

  it('an initializer that never returns breaks it after startTimeout', async () => {
    for (const initializer of [
      () => new Promise(() => setInterval(() => {}, 1000)),
      () => hold('/nonexistent', 'never'),
    ]) {
      const pool = new TestPool(1, { startTimeout: 300, initializer })
      await assert.rejects(
        pool.apply(() => 1),
        (e: unknown) => e instanceof BrokenPoolError && /300 ms/.test(e.message),
      )
      assert.equal(await pool.join(), true)
    }
  })

  it('an initializer that ends its process breaks it after a few tries', async () => {
    const pool = new TestPool(1, { initializer: () => process.exit(9) })
    await assert.rejects(
      pool.apply(() => 1),
      (e: unknown) => e instanceof BrokenPoolError && /exit code 9/.test((e.cause as Error).message),
    )
    assert.equal(await pool.join(), true)
    assert.ok(pool.statistics().restarts <= 4)
  })
})
