/** Timeouts, signals, graces: what is rejected when, what is stopped, and what goes on. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { me, TestPool } from '../backend.js'
import { currentTask, TimeoutError } from 'plait'
import { Gate, hold, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

/** Ends when its signal aborts, and says by what. */
const cooperative = async (dir: string, name: string): Promise<string> => {
  const { signal } = currentTask()!
  reach(dir, `${name}-begun`)
  const alive = setInterval(() => {}, 1000)
  // On a busy machine its time is over before it begins to listen.
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
  clearInterval(alive)
  reach(dir, `${name}-${(signal.reason as Error).name}`)
  return 'too late'
}

const deaf = (dir: string, name: string): void => {
  reach(dir, `${name}-begun`)
  hold(dir, 'never')
}

describe('timeout', () => {
  it('counts from the start of the task, not from submit', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const first = pool.apply(deaf, [folder, 'go-between'], { timeout: 300, grace: 0 })
    // These wait longer than their own timeout before they start.
    const after = [1, 2, 3].map((n) => pool.apply((x: number) => x, [n], { timeout: 250 }))
    await assert.rejects(first, TimeoutError)
    assert.deepEqual(await Promise.all(after), [1, 2, 3])
  })

  it('aborts the signal of a task that listens, and its worker lives on', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const pid = await pool.apply(me)
    await assert.rejects(
      pool.apply(cooperative, [folder, 'one'], { timeout: 50, grace: 30_000 }),
      (e: unknown) => e instanceof TimeoutError && /50 ms/.test(e.message) && e.code === 'PLAIT_TIMEOUT',
    )
    await gate.reached('one-TimeoutError')
    assert.equal(await pool.apply(me), pid)
    assert.equal(pool.statistics().restarts, 0)
  })

  it('kills the worker of a task that does not listen, after the grace', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const pid = await pool.apply(me)
    await assert.rejects(pool.apply(deaf, [folder, 'a'], { timeout: 30, grace: 60 }), TimeoutError)
    assert.notEqual(await pool.apply(me), pid)
    const { restarts, completed, failed } = pool.statistics()
    assert.deepEqual([restarts, completed, failed], [1, 2, 1])
  })

  it('in a map: per item, and the map rejects', async () => {
    await using pool = new TestPool(2)
    const gate = new Gate()
    const { folder } = gate
    await assert.rejects(
      pool.map((n: number) => (n === 3 ? hold(folder, 'never') : n), [1, 2, 3, 4], {
        timeout: 100,
        grace: 0,
      }),
      TimeoutError,
    )
    assert.deepEqual(await pool.map((n: number) => n, [1, 2], { timeout: 60_000 }), [1, 2])
  })

  it('a task that ends in time is not touched', async () => {
    await using pool = new TestPool(2)
    const values = await pool.map(async (n: number) => n * 2, [1, 2, 3], { timeout: 60_000, grace: 0 })
    assert.deepEqual(values, [2, 4, 6])
    assert.equal(pool.statistics().restarts, 0)
  })

  it('also where the task waits for an import, or blocks at once', async () => {
    await using pool = new TestPool(1)
    for (let round = 0; round < 3; round++)
      await assert.rejects(
        pool.apply(
          () => {
            for (;;);
          },
          [],
          { timeout: 20, grace: 0 },
        ),
        TimeoutError,
      )
    assert.equal(await pool.apply(() => 1), 1)
  })
})

describe('signal', () => {
  it('aborted before: rejects with the reason, nothing runs', async () => {
    await using pool = new TestPool(1)
    const reason = new Error('not today')
    const signal = AbortSignal.abort(reason)
    await assert.rejects(
      pool.apply(() => 1, [], { signal }),
      (e) => e === reason,
    )
    await assert.rejects(
      pool.map((x: number) => x, [1], { signal }),
      (e) => e === reason,
    )
    const { completed, failed } = pool.statistics()
    assert.equal(completed + failed, 0)
  })

  it('drops what is queued or held, stops what runs', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const controller = new AbortController()
    const { signal } = controller
    const running = pool.apply(cooperative, [folder, 'run'], { signal, grace: 30_000 })
    const queued = [1, 2, 3].map((n) =>
      pool.apply((dir: string, x: number) => reach(dir, `ran-${x}`), [folder, n], { signal }),
    )
    const other = pool.apply(() => 'other')
    await gate.reached('run-begun')
    const all = Promise.allSettled([running, ...queued])
    const reason = new Error('changed my mind')
    controller.abort(reason)
    for (const outcome of await all) assert.ok(outcome.status === 'rejected' && outcome.reason === reason)
    assert.equal(await other, 'other')
    assert.equal(gate.count('ran-'), 0)
    assert.equal(gate.count('run-CancelledError'), 1)
    assert.equal(pool.statistics().restarts, 0)
  })

  it('drops what a blocked worker holds and has not begun', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    const block = pool.apply(
      (dir: string) => {
        reach(dir, 'block-begun')
        hold(dir, 'go')
      },
      [folder],
    )
    const controller = new AbortController()
    const held = pool.apply((dir: string) => reach(dir, 'ran'), [folder], { signal: controller.signal })
    const after = pool.apply(() => 'after')
    await gate.reached('block-begun')
    controller.abort()
    await assert.rejects(held, { name: 'AbortError' })
    gate.open('go')
    await block
    assert.equal(await after, 'after')
    assert.equal(gate.count('ran'), 0)
  })

  it('ends a map whose input never comes', async () => {
    await using pool = new TestPool(1)
    const controller = new AbortController()
    let closed = 0
    let pulled!: () => void
    const pulling = new Promise<void>((resolve) => (pulled = resolve))
    const input: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          pulled()
          return new Promise(() => {})
        },
        return: async () => {
          closed++
          return { done: true, value: undefined }
        },
      }),
    }
    const work = pool.map((x: number) => x, input, { signal: controller.signal })
    await pulling
    controller.abort()
    await assert.rejects(work, { name: 'AbortError' })
    assert.equal(closed, 1)
  })

  it('an aborted map stops its running chunks', async () => {
    await using pool = new TestPool(2)
    const gate = new Gate()
    const { folder } = gate
    const controller = new AbortController()
    const work = pool.map(
      (n: number) => deaf(folder, `chunk-${n}`),
      Array.from({ length: 40 }, (_, i) => i),
      {
        signal: controller.signal,
        chunksize: 1,
        grace: 0,
      },
    )
    await gate.reached('chunk-0-begun')
    controller.abort()
    await assert.rejects(work, { name: 'AbortError' })
    assert.equal(await pool.apply(() => 1), 1)
    assert.ok(gate.count('chunk-') <= 2)
  })
})

describe('the first error of a map', () => {
  it('rejects at once, and drops what has not begun', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    await assert.rejects(
      pool.map(
        (n: number) => {
          reach(folder, `item-${n}`)
          if (n === 2) throw new RangeError('two')
          if (n > 2) hold(folder, 'never')
        },
        Array.from({ length: 1000 }, (_, i) => i),
        { chunksize: 1, grace: 0 },
      ),
      RangeError,
    )
    assert.equal(await pool.apply(() => 1), 1)
    assert.ok(gate.count('item-') <= 5)
    const { queued, running, completed, failed } = pool.statistics()
    assert.deepEqual([queued, running, completed + failed], [0, 0, 1001])
  })
})

describe('a task that cleans up after its abort, in a pool that is closed,', () => {
  for (const leaves of ['nothing', 'an exit handler that does not end'])
    it(`has its whole grace, and leaves ${leaves}`, async (t) => {
      const pool = new TestPool(1)
      const gate = new Gate()
      const controller = new AbortController()
      const work = pool.apply(
        (dir: string, stay: boolean) => {
          if (stay) process.on('exit', () => hold(dir, 'never'))
          reach(dir, 'begun')
          hold(dir, 'go')
          reach(dir, 'cleaned')
        },
        [gate.folder, leaves !== 'nothing'],
        { signal: controller.signal, grace: 60_000 },
      )
      await gate.reached('begun')
      controller.abort()
      await assert.rejects(work, { name: 'AbortError' })
      // The seconds that an idle worker has to end are over at once.
      const { setTimeout } = globalThis
      t.mock.method(globalThis, 'setTimeout', (fn: () => void, ms: number) =>
        setTimeout(fn, ms === 5000 ? 0 : ms),
      )
      pool.close()
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
      gate.open('go')
      assert.equal(await pool.join({ timeout: 30_000 }), true)
      assert.equal(gate.count('cleaned'), 1)
    })
})

describe('a worker that is held by what a task left behind', () => {
  const leavesALoop = (dir: string): void => {
    setImmediate(() => {
      reach(dir, 'looping')
      hold(dir, 'end of the loop')
    })
  }

  it('gets no more work: others do what it held', async () => {
    await using pool = new TestPool(2)
    const gate = new Gate()
    const { folder } = gate
    await pool.apply(leavesALoop, [folder])
    await gate.reached('looping')
    const calls = Array.from({ length: 20 }, (_, i) => pool.apply((x: number) => x, [i], { timeout: 60_000 }))
    assert.deepEqual(await Promise.all(calls), Array.from(calls.keys()))
    assert.equal(pool.statistics().restarts, 0)
    gate.open('end of the loop')
  })

  it('gets work again when it shows that it lives', async () => {
    await using pool = new TestPool(1)
    const gate = new Gate()
    const { folder } = gate
    await pool.apply(leavesALoop, [folder])
    await gate.reached('looping')
    const call = pool.apply(() => 'done')
    // Taken back: the worker holds nothing, though there is work.
    const isBusy = (): boolean => pool.statistics().workers[0]?.state === 'busy'
    while (isBusy()) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(pool.statistics().queued, 1)
    gate.open('end of the loop')
    assert.equal(await call, 'done')
    assert.equal(pool.statistics().restarts, 0)
  })

  it('is killed when it shows no life for long', async () => {
    await using pool = new TestPool(1, { startTimeout: 2000 })
    const gate = new Gate()
    const { folder } = gate
    const pid = await pool.apply(me)
    await pool.apply(leavesALoop, [folder])
    await gate.reached('looping')
    assert.notEqual(await pool.apply(me, [], { timeout: 60_000 }), pid)
  })
})
