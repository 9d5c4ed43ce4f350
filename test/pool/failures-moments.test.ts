/**
 * close(), terminate() and `await using` at every moment of a pool's life: whatever was submitted settles,
 * join() resolves, nothing is left. What each task gets in which state is in the table (failures.ts).
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Pool, PoolTerminatedError, WorkerLostError } from 'plait'
import { Gate, hold, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'
import { isDead, stand } from './failures-stage.js'

checkLeaks()

/** The ways to end a pool, alone and one upon the other. */
const ends: Record<string, (pool: Pool) => void> = {
  'close()': (pool) => pool.close(),
  'terminate()': (pool) => pool.terminate(),
  dispose: (pool) => void pool[Symbol.asyncDispose](),
  'close(), then terminate()': (pool) => (pool.close(), pool.terminate()),
  'terminate(), then close()': (pool) => (pool.terminate(), pool.close()),
}

const add = (x: number): number => x + 1
const lose = (): never => process.exit(1)

/** Brings a pool to a moment, ends it there, and answers the promises that are to settle. */
const moments: Record<string, (pool: Pool, end: () => void) => Promise<Promise<unknown>[]>> = {
  'at once': async (_, end) => {
    end()
    return []
  },
  'with work that waits for the first worker': async (pool, end) => {
    const work = [pool.apply(add, [1]), pool.map(add, [1, 2, 3]), pool.imap(add, [1, 2, 3]).next()]
    end()
    return work
  },
  'while idle': async (pool, end) => {
    await pool.apply(add, [1])
    end()
    return []
  },
  'in a callback of its last task': async (pool, end) => {
    const result = pool.applyAsync(add, [1], { callback: end })
    return [result.get()]
  },
  'in a callback with more to come': async (pool, end) => {
    const result = pool.applyAsync(add, [1], { callback: end })
    return [result.get(), ...Array.from({ length: 50 }, (_, i) => pool.apply(add, [i]))]
  },
  'in onProgress of a map': async (pool, end) => [
    pool.map(add, [1, 2, 3, 4], { chunksize: 1, onProgress: (done) => done === 2 && end() }),
  ],
  'in the error callback of a task whose worker died': async (pool, end) => {
    const result = pool.applyAsync(lose, [], { errorCallback: end })
    return [result.get(), pool.apply(add, [1])]
  },
  'when a worker is dead and nobody knows': async (pool, end) => {
    await pool.apply(add, [1])
    const [{ pid }] = pool.statistics().workers
    process.kill(pid, 'SIGKILL')
    stand(() => isDead(pid), 'the death')
    const work = pool.apply(add, [1])
    end()
    return [work]
  },
  'between a death and the new worker': async (pool, end) => {
    await pool.apply(lose).catch(() => {})
    const work = pool.apply(add, [1])
    end()
    return [work]
  },
  'in the pause before a worker that keeps dying is replaced': async (pool, end) => {
    for (let i = 0; i < 3; i++) await assert.rejects(pool.apply(lose), WorkerLostError)
    await pool.apply(add, [1])
    for (let i = 0; i < 3; i++) {
      const { restarts, workers } = pool.statistics()
      for (const { pid } of workers) process.kill(pid, 'SIGKILL')
      while (pool.statistics().restarts === restarts && pool.statistics().workers.length > 0)
        await new Promise((resolve) => setImmediate(resolve))
    }
    const work = pool.apply(add, [1])
    end()
    return [work]
  },
  'while its worker is stopped': async (pool, end) => {
    const gate = new Gate()
    const work = pool.apply((dir: string) => (reach(dir, 'begun'), hold(dir, 'go')), [gate.folder])
    await gate.reached('begun')
    const [{ pid }] = pool.statistics().workers
    process.kill(pid, 'SIGSTOP')
    end()
    gate.open('go')
    if (pool.statistics().state === 'closed') process.kill(pid, 'SIGCONT')
    return [work]
  },
  'while a task that was aborted still runs': async (pool, end) => {
    const gate = new Gate()
    const controller = new AbortController()
    const { signal } = controller
    const task = (dir: string): void => (reach(dir, 'begun'), hold(dir, 'go'))
    const work = pool.apply(task, [gate.folder], { signal, grace: 60_000 })
    await gate.reached('begun')
    controller.abort()
    end()
    gate.open('go')
    return [work]
  },
  'while an imap waits for its consumer': async (pool, end) => {
    const results = pool.imap(add, [1, 2, 3, 4, 5, 6])
    await results.next()
    end()
    return [results.next(), results.next(), results.return()]
  },
}

for (const [moment, bring] of Object.entries(moments))
  describe(moment, () => {
    for (const [how, end] of Object.entries(ends))
      it(how, async () => {
        const pool = new Pool(1)
        let ended = false
        const work = await bring(pool, () => {
          if (!ended) end(pool)
          ended = true
        })
        const outcomes = await Promise.allSettled(work)
        assert.ok(ended, 'the moment has come')
        for (const outcome of outcomes)
          if (outcome.status === 'rejected') {
            const { reason } = outcome as { reason: Error }
            const right =
              reason instanceof WorkerLostError ||
              reason.name === 'AbortError' ||
              (how !== 'close()' && reason instanceof PoolTerminatedError)
            assert.ok(right, String(reason))
          }
        assert.equal(await pool.join({ timeout: 30_000 }), true)
        const { queued, running, completed, failed, workers } = pool.statistics()
        assert.deepEqual([queued, running, workers.length], [0, 0, 0])
        assert.ok(completed + failed >= 0)
      })
  })
