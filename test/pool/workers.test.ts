/**
 * Initializers, worker-owned variables, limits of a worker's life, and that no work waits beside an idle
 * worker.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { me, TestPool } from '../backend.js'
import { Gate, hold, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

let connection: { pid: number; queries: number } | undefined
const table = { rows: 3 }

describe('initializer', () => {
  it('runs once in each worker, before its first task, with its arguments', async () => {
    const gate = new Gate()
    const { folder } = gate
    await using pool = new TestPool(2, {
      initializer: async (name: string) => {
        await new Promise((resolve) => setImmediate(resolve))
        ;(globalThis as { setup?: string }).setup = name
        reach(folder, `init-${me()}`)
      },
      initargs: ['ready'],
    })
    const seen = await pool.map(() => (globalThis as { setup?: string }).setup, Array.from({ length: 20 }), {
      chunksize: 1,
    })
    assert.deepEqual(new Set(seen), new Set(['ready']))
    assert.ok(gate.count('init-') <= 2)
  })

  it('variables that it assigns belong to the worker', async () => {
    let local: number | undefined
    await using pool = new TestPool(1, {
      initializer: (start: number) => {
        connection = { pid: me(), queries: 0 }
        local = start
      },
      initargs: [100],
    })
    const query = (n: number) => {
      connection!.queries++
      local!++
      return [connection!.pid === me(), connection!.queries, local! + n, table.rows] as const
    }
    assert.deepEqual(await pool.apply(query, [1]), [true, 1, 102, 3])
    connection = { pid: -1, queries: 50 }
    table.rows = 4
    assert.deepEqual(await pool.apply(query, [1]), [true, 2, 103, 4])
    assert.deepEqual(await pool.map((_: number) => connection!.queries, [1, 2]), [2, 2])
    assert.equal(local, undefined)
    connection = undefined
  })

  it('that does nothing is as none', async () => {
    await using pool = new TestPool({ processes: 1, initializer: () => {} })
    assert.equal(await pool.apply(() => 5), 5)
  })
})

describe('maxTasksPerChild', () => {
  it('replaces a worker after so many tasks, and loses none', async () => {
    await using pool = new TestPool(2, { maxTasksPerChild: 5 })
    const pids = await Promise.all(Array.from({ length: 40 }, () => pool.apply(() => me())))
    const counts = new Map<number, number>()
    for (const pid of pids) counts.set(pid, (counts.get(pid) ?? 0) + 1)
    assert.ok(counts.size >= 8)
    assert.ok([...counts.values()].every((n) => n <= 5))
  })

  it('close() with more tasks than the workers may have finishes them all', async () => {
    const pool = new TestPool(1, { maxTasksPerChild: 3 })
    const work = Promise.all(Array.from({ length: 10 }, (_, i) => pool.apply((n: number) => n, [i])))
    pool.close()
    assert.equal((await work).length, 10)
    assert.equal(await pool.join(), true)
  })
})

describe('work never waits beside an idle worker', () => {
  it('what a worker holds behind a long task goes to another', async () => {
    await using pool = new TestPool(2)
    const gate = new Gate()
    const { folder } = gate
    const task = (n: number, dir: string) => {
      if (n === 500) {
        reach(dir, 'long-begun')
        hold(dir, 'go')
      }
      return n
    }
    // Short ones teach the pool to give a worker many at a time; then a long one comes among them.
    await Promise.all(Array.from({ length: 2000 }, () => pool.apply(task, [1, folder])))
    const all = Array.from({ length: 1000 }, (_, i) => pool.apply(task, [i, folder]))
    const others = Promise.all(all.filter((_, i) => i !== 500))
    await gate.reached('long-begun')
    assert.equal((await others).length, 999)
    assert.equal(pool.statistics().running, 1)
    gate.open('go')
    assert.equal(await all[500], 500)
    const { completed, failed } = pool.statistics()
    assert.deepEqual([completed, failed], [3000, 0])
  })

  it('each task runs once, however often it was taken back', async () => {
    await using pool = new TestPool(2)
    const gate = new Gate()
    const { folder } = gate
    const counted = (n: number, dir: string) => {
      reach(dir, `run-${n}-${me()}-${process.hrtime.bigint()}`)
      for (let end = performance.now() + (n % 17 === 0 ? 8 : 0); performance.now() < end;);
      return n
    }
    const results = await Promise.all(Array.from({ length: 300 }, (_, i) => pool.apply(counted, [i, folder])))
    assert.deepEqual(
      results,
      results.map((_, i) => i),
    )
    assert.equal(gate.count('run-'), 300)
  })
})

describe('an idle pool', () => {
  it('does not keep the event loop alive, a pending task does', async () => {
    const { spawnSync } = await import('node:child_process')
    const program = `
      import { Pool } from 'plait'
      const pool = new Pool(1)
      console.log(await pool.apply(() => 'done'))
    `
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 60_000,
      cwd: new URL('../../..', import.meta.url),
    })
    assert.deepEqual([status, stdout, stderr], [0, 'done\n', ''])
  })
})

describe('priority', () => {
  it('higher runs first, equal ones in order of submission', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const block = pool.apply(
      (dir: string) => {
        reach(dir, 'blocked')
        hold(dir, 'go')
      },
      [folder],
      // Nothing is given to the worker beside it.
      { timeout: 60_000 },
    )
    await gate.reached('blocked')
    const held = pool.apply(() => {})
    const order: number[] = []
    const work = [0, 5, -1, 5, 0, 9].map((priority, i) =>
      pool.apply((n: number) => n, [i], { priority }).then((n) => order.push(n)),
    )
    gate.open('go')
    await Promise.all([block, held, ...work])
    assert.deepEqual(order, [5, 1, 3, 0, 4, 2])
    assert.throws(() => pool.applyAsync(() => 1, [], { priority: NaN }), RangeError)
  })
})
