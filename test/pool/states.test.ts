/** What Pool refuses at the door, and its states: running, closed, terminated; statistics. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TestPool } from '../backend.js'
import { InvalidStateError, PoolClosedError, PoolTerminatedError, SerializationError } from 'plait'
import { hold, reach, Gate } from '../gate.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

describe('at the door', () => {
  it('bad arguments are errors of the caller, and nothing is started', async () => {
    for (const processes of [0, -1, 1.5, NaN]) assert.throws(() => new TestPool(processes), RangeError)
    assert.throws(() => new TestPool('2' as never), TypeError)
    assert.throws(() => new TestPool(1, { initializer: 5 as never }), TypeError)
    assert.throws(() => new TestPool(1, { maxTasksPerChild: 0 }), RangeError)
    assert.throws(() => new TestPool({ processes: 1, retries: -1 }), RangeError)
    await using pool = new TestPool(1)
    await assert.rejects(pool.apply('f' as never), TypeError)
    await assert.rejects(
      pool.apply((x: number) => x, 5 as never),
      TypeError,
    )
    await assert.rejects(
      pool.map((x: number) => x, 5 as never),
      TypeError,
    )
    await assert.rejects(
      pool.map((x: number) => x, [1], { chunksize: 0 }),
      RangeError,
    )
    await assert.rejects(
      pool.apply(() => 1, [], { timeout: -1 }),
      RangeError,
    )
    assert.throws(() => pool.applyAsync('f' as never), TypeError)
    assert.throws(() => pool.mapAsync((x: number) => x, [1], { timeout: NaN }), RangeError)
    const { queued, running, completed, failed } = pool.statistics()
    assert.deepEqual([queued, running, completed, failed], [0, 0, 0, 0])
  })

  it('what cannot travel is refused at submit, with its path', async () => {
    await using pool = new TestPool(1)
    const db = { pool: [new WeakMap()] }
    await assert.rejects(
      pool.apply(() => db),
      (e: unknown) => e instanceof SerializationError && e.path === 'db.pool[0]' && e.hint !== '',
    )
    assert.throws(() => pool.applyAsync((x: unknown) => x, [{ a: new WeakMap() }]), SerializationError)
    await assert.rejects(
      pool.map((x: unknown) => x, [1, 2, 3, { bad: Promise.resolve() }], { chunksize: 2 }),
      (e: unknown) => e instanceof SerializationError && e.path === '[3].bad',
    )
    assert.equal(await pool.apply(() => 1), 1)
  })
})

describe('states', () => {
  it('close finishes what was submitted, then join resolves', async () => {
    const pool = new TestPool(2)
    await assert.rejects(pool.join(), InvalidStateError)
    const work = pool.map((x: number) => x + 1, [1, 2, 3], { chunksize: 1 })
    const late = pool.map(
      (x: number) => x,
      (async function* () {
        await work
        yield 1
      })(),
    )
    pool.close()
    pool.close()
    await assert.rejects(
      pool.apply(() => 1),
      PoolClosedError,
    )
    assert.throws(() => pool.applyAsync(() => 1), PoolClosedError)
    assert.deepEqual(await work, [2, 3, 4])
    assert.deepEqual(await late, [1])
    assert.equal(await pool.join(), true)
    assert.equal(await pool.join({ timeout: 0 }), true)
    assert.equal(pool.statistics().state, 'closed')
    pool.terminate()
  })

  it('terminate rejects all that is pending, at once', async () => {
    const pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const running = pool.apply(
      (dir: string) => {
        reach(dir, 'running')
        hold(dir, 'never')
      },
      [folder],
    )
    const queued = pool.map((x: number) => x, [1, 2, 3])
    const feeding = pool.map(
      (x: number) => x,
      (async function* () {
        yield 1
        await new Promise(() => {})
      })(),
    )
    const all = Promise.allSettled([running, queued, feeding])
    await gate.reached('running')
    pool.terminate()
    for (const outcome of await all)
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof PoolTerminatedError)
    await assert.rejects(
      pool.apply(() => 1),
      PoolClosedError,
    )
    assert.equal(await pool.join({ timeout: 30_000 }), true)
  })

  it('tasks begin in the order of their submission, also beside a long one', async () => {
    await using pool = new TestPool(2)
    const gate = new Gate()
    const { folder } = gate
    const first = pool.apply((dir: string) => hold(dir, 'the long one'), [folder])
    const began = ['1', '2', '3'].map((name) =>
      pool.apply((name: string) => [name, performance.timeOrigin + performance.now()] as const, [name]),
    )
    const order = (await Promise.all(began)).toSorted(([, a], [, b]) => a - b).map(([name]) => name)
    assert.deepEqual(order, ['1', '2', '3'])
    gate.open('the long one')
    await first
  })

  it('statistics add up', async () => {
    await using pool = new TestPool(2)
    const gate = new Gate()
    const { folder } = gate
    const block = (name: string) => {
      reach(folder, name)
      hold(folder, 'go')
    }
    const work = [pool.apply(block, ['a']), pool.apply(block, ['b'])]
    await Promise.all([gate.reached('a'), gate.reached('b')])
    const more = Promise.allSettled([1, 2, 3].map((n) => pool.apply((x: number) => x, [n])))
    const failing = pool.apply(() => {
      throw new Error('x')
    })
    let now = pool.statistics()
    assert.deepEqual([now.queued, now.running, now.completed, now.failed], [4, 2, 0, 0])
    assert.deepEqual(
      now.workers.map((w) => w.state),
      ['busy', 'busy'],
    )
    gate.open('go')
    await Promise.allSettled([...work, more, failing])
    now = pool.statistics()
    assert.deepEqual([now.queued, now.running, now.completed, now.failed], [0, 0, 5, 1])
    assert.equal(
      now.workers.reduce((sum, w) => sum + w.tasks, 0),
      6,
    )
    assert.ok(Object.isFrozen(now))
  })
})
