/**
 * What goes with a child of a TaskGroup: the caller's AsyncLocalStorage, an owner of its own, the signal that
 * ends waits, the pool's task; and what a thread's signal ends. The room is used from its sources here: its
 * owners are not public.
 */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, it } from 'node:test'
import {
  currentOwner,
  currentSignal,
  currentTask,
  runAsOwner,
  runAsTask,
  setTask,
  setThreadSignal,
  type Owner,
} from '#plait/core/context.js'
import { StopIteration } from '#plait/core/errors.js'
import { Channel } from '#plait/coroutine/channel.js'
import { coroutine } from '#plait/coroutine/coroutine.js'
import { TaskGroup } from '#plait/coroutine/group.js'
import { Scheduler } from '#plait/coroutine/scheduler.js'
import { sleep } from '#plait/coroutine/sleep.js'
import { timeout } from '#plait/coroutine/timeout.js'
import { Pool } from '#plait/pool/pool.js'
import { checkLeaks } from '../leaks.js'
import { turn } from './kit.js'

checkLeaks()

describe('a child of a group', () => {
  it("keeps its caller's AsyncLocalStorage", async () => {
    const storage = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const look = async (): Promise<void> => {
      seen.push(storage.getStore())
      await turn()
      seen.push(storage.getStore())
    }
    await storage.run('outer', () =>
      TaskGroup.run(async (group) => {
        await group.spawn(look)
        await storage.run('inner', () => group.spawn(look))
        await timeout(60_000, look)
        seen.push(storage.getStore())
      }),
    )
    assert.deepEqual(seen, ['outer', 'outer', 'inner', 'inner', 'outer', 'outer', 'outer'])
  })

  it("starts a chain of owners; the body of the group is the caller's", async () => {
    const outer = currentOwner()
    const owners: Owner[] = []
    await TaskGroup.run(async (group) => {
      assert.equal(currentOwner(), outer)
      for (let i = 0; i < 2; i++)
        await group.spawn(async () => {
          const mine = currentOwner()
          await turn()
          assert.equal(currentOwner(), mine)
          owners.push(mine)
          await timeout(60_000, () => assert.equal(currentOwner(), mine))
          runAsOwner(mine, () => assert.equal(currentOwner().parent, mine))
        })
    })
    assert.equal(new Set([outer, ...owners]).size, 3)
    assert.ok(owners.every(({ parent }) => parent === null))
    assert.equal(currentOwner(), outer)
  })

  it("has its group's signal, and so has the body", async () => {
    await TaskGroup.run(async (outer) => {
      assert.equal(currentSignal(), outer.signal)
      await outer.spawn(async () => {
        assert.equal(currentSignal(), outer.signal)
        await TaskGroup.run((inner) => assert.equal(currentSignal(), inner.signal))
        await timeout(60_000, (signal) => assert.equal(currentSignal(), signal))
        assert.equal(currentSignal(), outer.signal)
      })
    })
    assert.equal(currentSignal(), undefined)
  })
})

describe("a pool's task", () => {
  it('is seen by the children of its groups, and stops them', async () => {
    const controller = new AbortController()
    const task = { id: 7, attempt: 1, signal: controller.signal }
    for (const within of [
      <R>(fn: () => R): R => runAsTask(task, fn),
      <R>(fn: () => R): R => {
        setTask(task)
        try {
          return fn()
        } finally {
          setTask(null)
        }
      },
    ]) {
      const group = within(() => new TaskGroup())
      const id = await within(() => group.spawn(() => currentTask()?.id))
      assert.equal(id, 7)
      await group[Symbol.asyncDispose]()
    }
    const stopped = runAsTask(task, () =>
      TaskGroup.run((group) => group.spawn((signal) => sleep(1e9, { signal }))),
    )
    const late = runAsTask(task, () => timeout(1e9, (signal) => sleep(1e9, { signal })))
    controller.abort('the task was cancelled')
    await assert.rejects(stopped, (error) => error === 'the task was cancelled')
    await assert.rejects(late, (error) => error === 'the task was cancelled')
  })

  it('in a real pool: many groups in one worker, each with its task', async () => {
    const pool = new Pool(1, { concurrency: 8 })
    const ids = await pool.map(
      async (n) =>
        await TaskGroup.run(async (group) => {
          const ids = await Promise.all([1, 2].map(() => group.spawn(async () => currentTask()!.id)))
          return new Set([...ids, currentTask()!.id]).size * n
        }),
      [1, 2, 3, 4],
      { chunksize: 1 },
    )
    assert.deepEqual(ids, [1, 2, 3, 4])
    pool.terminate()
    await pool.join()
  })
})

it("a thread's signal ends every wait in it", async () => {
  const controller = new AbortController()
  setThreadSignal(controller.signal)
  try {
    const scheduler = new Scheduler()
    const log: unknown[] = []
    scheduler.spawn(function* () {
      try {
        yield sleep(1e9)
      } catch (error) {
        log.push(error)
      }
    })
    const waits = [
      sleep(1e9),
      new Channel().receive(),
      TaskGroup.run((group) => group.spawn(() => new Channel().send(1))),
      TaskGroup.run((group) => group.spawn(() => sleep(1e9))),
      timeout(1e9, () => new Channel().receive()),
    ]
    const run = scheduler.run()
    controller.abort('stop')
    for (const wait of waits) await assert.rejects(wait, (error) => error === 'stop')
    await run
    assert.deepEqual(log, ['stop'])
    await assert.rejects(sleep(1), (error) => error === 'stop')
  } finally {
    setThreadSignal(undefined)
  }
  await sleep(0)
})

it('StopIteration travels between processes, with its value', async () => {
  const pool = new Pool(1)
  const error: unknown = await pool
    .apply(() => {
      const c = coroutine(function* (): Generator<number, { sum: number }> {
        yield 1
        return { sum: 6 }
      })()
      c.send(null)
      c.send(null)
    })
    .catch((error: unknown) => error)
  assert.ok(error instanceof StopIteration)
  assert.deepEqual([error.value, error.code], [{ sum: 6 }, 'PLAIT_STOP_ITERATION'])
  pool.terminate()
  await pool.join()
})
