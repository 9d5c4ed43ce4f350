/**
 * sleep, timeout and the clock that a test moves. Where real timers are needed, only their order counts.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CancelledError, TimeoutError } from 'plait'
import { Channel, gather, ManualClock, Scheduler, sleep, TaskGroup, timeout } from 'plait/coroutine'
import { checkLeaks } from '../leaks.js'
import { turn } from './kit.js'

checkLeaks()

describe('sleep', () => {
  it('takes its time', async () => {
    const order: string[] = []
    const start = performance.now()
    // The shorter one first: this process may lose its core between the two.
    await Promise.all([sleep(5).then(() => order.push('5')), sleep(20).then(() => order.push('20'))])
    assert.deepEqual(order, ['5', '20'])
    await sleep(0)
    assert.ok(performance.now() - start >= 19)
  })

  it('rejects with the reason of its signal, and leaves no timer', async () => {
    const reason = new Error('up')
    const controller = new AbortController()
    const asleep = sleep(1000, { signal: controller.signal })
    controller.abort(reason)
    await assert.rejects(asleep, (error) => error === reason)
    await assert.rejects(sleep(1000, { signal: controller.signal }), (error) => error === reason)
    await assert.rejects(sleep(0, { signal: AbortSignal.abort() }), { name: 'AbortError' })
    assert.ok(!process.getActiveResourcesInfo().includes('Timeout'))
  })

  it('longer than any timer of Node is no shorter', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const naps = [2 ** 31, 2 ** 40, Infinity].map((ms) => sleep(ms, { signal }))
    const first = await Promise.race([...naps, sleep(10).then(() => 'the short one')])
    assert.equal(first, 'the short one')
    controller.abort()
    await Promise.allSettled(naps)
  })

  it('refuses what is no time by a rejection', async () => {
    for (const ms of [-1, NaN, -Infinity]) await assert.rejects(sleep(ms), RangeError)
    for (const ms of [undefined, null, '5', 5n]) await assert.rejects(sleep(ms as never), TypeError)
    await assert.rejects(sleep(1, { signal: 5 } as never), TypeError)
    assert.ok(!process.getActiveResourcesInfo().includes('Timeout'))
  })
})

describe('timeout', () => {
  it('gives what fn gives, and what it throws', async () => {
    assert.equal(await timeout(60_000, () => 5), 5)
    assert.equal(await timeout(60_000, async () => 'x'), 'x')
    assert.equal(await timeout(Infinity, async () => 'x'), 'x')
    const error = new RangeError('its own')
    const rejects = timeout(60_000, async () => Promise.reject(error))
    await assert.rejects(rejects, (thrown) => thrown === error)
    const throws = timeout(60_000, () => {
      throw error
    })
    await assert.rejects(throws, (thrown) => thrown === error)
    assert.ok(!process.getActiveResourcesInfo().includes('Timeout'))
  })

  it('aborts, waits for the end of fn, then throws TimeoutError', async () => {
    const clock = new ManualClock()
    const log: unknown[] = []
    const work = clock.run(() =>
      timeout(100, async (signal) => {
        await sleep(1000, { signal }).catch((error: Error) => log.push(error.name, signal.reason === error))
        await sleep(50)
        log.push(`cleaned at ${clock.now()}`)
        return 'ignored'
      }),
    )
    const ended = work.catch((error: Error) => log.push(error.name, error.message, error.cause))
    await clock.advance(149)
    assert.deepEqual(log, ['TimeoutError', true])
    await clock.advance(1)
    await ended
    assert.deepEqual(log.slice(2), [
      'cleaned at 150',
      'TimeoutError',
      'it was not done within 100 ms',
      undefined,
    ])
    await assert.rejects(work, (error) => error instanceof TimeoutError)
  })

  it('keeps an error that fn threw meanwhile as the cause', async () => {
    const own = new RangeError('in cleanup')
    const work = timeout(1, async (signal) => {
      await sleep(60_000, { signal }).catch(() => {})
      throw own
    })
    await assert.rejects(work, (error: Error) => {
      assert.ok(error instanceof TimeoutError)
      assert.equal(error.cause, own)
      return true
    })
  })

  it('says who waited', async () => {
    async function caller(): Promise<void> {
      await timeout(1, (signal) => sleep(60_000, { signal }))
    }
    const error = (await caller().catch((error: unknown) => error)) as Error
    assert.match(error.stack!, /^TimeoutError: it was not done within 1 ms\n.*at async caller/s)
  })

  it('nests: each ends its own', async () => {
    const clock = new ManualClock()
    const work = clock.run(() =>
      timeout(100, async (outer) => {
        const inner = await timeout(10, (signal) => sleep(1000, { signal })).catch((error: Error) => error)
        assert.ok(inner instanceof TimeoutError && !outer.aborted)
        await timeout(1000, (signal) => sleep(5000, { signal }))
      }),
    )
    work.catch(() => {})
    await clock.advance(100)
    await assert.rejects(work, /not done within 100 ms/)
  })

  it('in a task group ends with it', async () => {
    const group = TaskGroup.run(async (group) => {
      void group.spawn(() => timeout(60_000, (signal) => sleep(60_000, { signal })))
      await turn()
      group.cancel()
    })
    await group
    assert.ok(!process.getActiveResourcesInfo().includes('Timeout'))
  })

  it('refuses bad arguments by a rejection', async () => {
    await assert.rejects(
      timeout(-1, () => 1),
      RangeError,
    )
    await assert.rejects(timeout(1, 5 as never), TypeError)
    await assert.rejects(
      timeout(undefined as never, () => 1),
      TypeError,
    )
  })
})

describe('gather', () => {
  it('gives results in order, of whatever kind; of nothing, none', async () => {
    const scheduler = new Scheduler()
    const task = scheduler.spawn(function* () {
      yield
      return 'task'
    })
    const gathered = gather(
      sleep(3).then(() => 1),
      'plain',
      task,
      Promise.resolve(null),
    )
    await scheduler.run()
    assert.deepEqual(await gathered, [1, 'plain', 'task', null])
    assert.deepEqual(await gather(), [])
  })

  it('rejects with the first error; the others go on, and harm nobody', async () => {
    const log: string[] = []
    const first = gather(
      sleep(5).then(() => log.push('went on')),
      Promise.reject(new Error('first')),
      sleep(2).then(() => Promise.reject(new Error('second'))),
    )
    await assert.rejects(first, /first/)
    assert.deepEqual(log, [])
    await sleep(10)
    assert.deepEqual(log, ['went on'])
  })
})

describe('a manual clock', () => {
  it('wakes in order of time, equal ones in order of setting', async () => {
    const clock = new ManualClock()
    const scheduler = new Scheduler({ clock })
    const log: string[] = []
    for (const [name, ms] of [
      ['c', 30],
      ['a', 10],
      ['b', 10],
      ['d', 30],
    ] as const)
      scheduler.spawn(function* () {
        yield sleep(ms)
        log.push(`${name} at ${clock.now()}`)
      })
    const run = scheduler.run()
    await clock.advance(9)
    assert.deepEqual(log, [])
    await clock.advance(1)
    assert.deepEqual(log, ['a at 10', 'b at 10'])
    await clock.advance(100)
    assert.deepEqual(log.slice(2), ['c at 30', 'd at 30'])
    assert.equal(clock.now(), 110)
    await run
  })

  it('reaches what coroutines await: async functions, groups, channels', async () => {
    const clock = new ManualClock()
    const scheduler = new Scheduler({ clock })
    const log: unknown[] = []
    scheduler.spawn(function* () {
      yield (async () => {
        await sleep(10)
        await sleep(10)
        log.push(clock.now())
      })()
      yield TaskGroup.run((group) => {
        void group.spawn(() => sleep(5))
        void group.spawn(() => sleep(7))
      })
      log.push(clock.now())
      try {
        yield new Channel().receive({ timeout: 3 })
      } catch (error) {
        log.push((error as Error).name, clock.now())
      }
    })
    const run = scheduler.run()
    await clock.advance(1000)
    await run
    assert.deepEqual(log, [20, 27, 'TimeoutError', 30])
  })

  it('is nothing to those outside of it', async () => {
    const clock = new ManualClock()
    const inside = clock.run(() => sleep(1))
    await sleep(2)
    let woken = false
    void inside.then(() => (woken = true))
    await turn()
    assert.equal(woken, false)
    await clock.advance(1)
    assert.ok(woken)
  })

  it('moves by one caller after the other', async () => {
    const clock = new ManualClock()
    const log: number[] = []
    const naps = clock.run(() => [5, 10, 15].map((ms) => sleep(ms).then(() => log.push(clock.now()))))
    const moves = [clock.advance(7), clock.advance(7)]
    await moves[0]
    assert.deepEqual([clock.now(), log], [7, [5]])
    await moves[1]
    assert.deepEqual([clock.now(), log], [14, [5, 10]])
    await clock.advance(1)
    await Promise.all(naps)
    await assert.rejects(clock.advance(-1), RangeError)
    assert.equal(clock.now(), 15)
  })

  it('waits for coroutines that need more than a turn of the event loop', async () => {
    const clock = new ManualClock()
    const scheduler = new Scheduler({ clock })
    const log: number[] = []
    scheduler.spawn(function* () {
      for (let n = 0; n < 3; n++) {
        for (const end = performance.now() + 5; performance.now() < end;) yield
        yield sleep(10)
        log.push(clock.now())
      }
    })
    const run = scheduler.run()
    await clock.advance(30)
    assert.deepEqual(log, [10, 20, 30])
    await run
  })

  it('forgets what is cancelled', async () => {
    const clock = new ManualClock()
    const scheduler = new Scheduler({ clock })
    const task = scheduler.spawn(function* () {
      yield sleep(10)
    })
    const run = scheduler.run()
    task.cancel()
    await run
    await clock.advance(10)
    await assert.rejects(Promise.resolve(task), CancelledError)
  })
})
