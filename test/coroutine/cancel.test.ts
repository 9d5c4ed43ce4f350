/**
 * Cancelling a coroutine, wherever it stands: its finally blocks run, what it waited for is left as it was,
 * nothing that has arrived is lost, and whoever waits for it is told why.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CancelledError } from 'plait'
import { Channel, coroutine, ManualClock, Scheduler, sleep, type CoroutineTask } from 'plait/coroutine'
import { checkLeaks } from '../leaks.js'
import { turn } from './kit.js'

checkLeaks()

async function isCancelled(task: CoroutineTask<unknown>, cause?: unknown): Promise<void> {
  await assert.rejects(Promise.resolve(task), (error) => {
    assert.ok(error instanceof CancelledError)
    assert.equal(error.message, `${task.name} was cancelled`)
    assert.equal('cause' in error, cause !== undefined)
    assert.equal(error.cause, cause)
    return true
  })
  assert.ok(task.done)
}

/** Notes what it goes through; where it waits is up to `wait`. */
function* patient(log: string[], wait: () => unknown): Generator<unknown, string, unknown> {
  try {
    log.push('begun')
    log.push(`got ${String(yield wait())}`)
    yield
    log.push('further')
  } catch {
    log.push('caught')
  } finally {
    log.push('finally')
  }
  return 'done'
}

describe('cancel()', () => {
  const places: Readonly<Record<string, () => unknown>> = {
    'a plain yield': () => undefined,
    'a promise': () => new Promise(() => {}),
    'a sleep': () => sleep(2 ** 40),
    'an empty channel': () => new Channel().receive(),
    'a full channel': () => new Channel().send(1),
    'an inner generator': () => patient([], () => sleep(2 ** 40)),
    'an inner coroutine': () => coroutine(patient)([], () => new Promise(() => {})),
  }
  for (const [place, wait] of Object.entries(places))
    it(`ends what waits at ${place}`, async () => {
      const scheduler = new Scheduler()
      const log: string[] = []
      const task = scheduler.spawn(() => patient(log, wait))
      scheduler.step()
      scheduler.step()
      if (place === 'a plain yield') log.pop()
      assert.deepEqual(log, ['begun'])
      const reason = new Error('enough')
      assert.equal(task.cancel(reason), true)
      assert.equal(task.done, false, 'not before its turn')
      await scheduler.run()
      assert.deepEqual(log, ['begun', 'finally'])
      await isCancelled(task, reason)
      assert.equal(task.cancel(), false)
    })

  it('before the first turn: the body never runs', async () => {
    const scheduler = new Scheduler()
    const log: string[] = []
    const task = scheduler.spawn(patient(log, () => undefined))
    assert.equal(task.cancel(), true)
    await scheduler.run()
    assert.deepEqual(log, [])
    await isCancelled(task)
  })

  it('is no error of the run, and unwatched it is nothing at all', async () => {
    const scheduler = new Scheduler()
    const task = scheduler.spawn(patient([], () => sleep(2 ** 40)))
    const run = scheduler.run()
    task.cancel()
    await run
    await turn()
    assert.ok(task.done)
  })

  it('of a task that another waits for is thrown there', async () => {
    const scheduler = new Scheduler()
    const inner = scheduler.spawn(patient([], () => sleep(2 ** 40)))
    const outer = scheduler.spawn(function* () {
      try {
        yield inner
      } catch (error) {
        return error
      }
      return undefined
    })
    const run = scheduler.run()
    inner.cancel('why')
    await run
    const error = await outer
    assert.ok(error instanceof CancelledError)
    assert.equal(error.cause, 'why')
  })

  it('of one that waits for a task leaves the task alone, and its error to others', async () => {
    const scheduler = new Scheduler()
    const inner = scheduler.spawn(function* () {
      yield sleep(1)
      throw new Error('boom')
    })
    const outer = scheduler.spawn(function* () {
      yield inner
    })
    const run = scheduler.run()
    outer.cancel()
    await assert.rejects(run, /boom/, 'nobody waits for it any more')
    await isCancelled(outer)
  })

  it('by itself: at its next yield', async () => {
    for (const wait of Object.values(places)) {
      const scheduler = new Scheduler()
      const log: string[] = []
      const task: CoroutineTask<string> = scheduler.spawn(() =>
        patient(log, () => {
          assert.equal(task.cancel('me'), true)
          return wait()
        }),
      )
      await scheduler.run()
      assert.deepEqual(log, ['begun', 'finally'])
      await isCancelled(task, 'me')
    }
  })

  it('by itself, and then it returns or throws', async () => {
    const scheduler = new Scheduler()
    const returns: CoroutineTask<string> = scheduler.spawn(function* () {
      yield
      returns.cancel()
      return 'too late'
    })
    const throws: CoroutineTask<void> = scheduler.spawn(function* () {
      yield
      throws.cancel()
      throw new RangeError('its own')
    })
    const failed = assert.rejects(Promise.resolve(throws), /its own/)
    await scheduler.run()
    await isCancelled(returns)
    await failed
  })

  it('lets a finally block wait, and does not end it twice', async () => {
    const scheduler = new Scheduler()
    const log: unknown[] = []
    const channel = new Channel<string>()
    const task = scheduler.spawn(function* () {
      try {
        yield sleep(2 ** 40)
      } finally {
        log.push('cleaning')
        log.push(yield channel.receive())
        log.push(
          yield (function* (): Generator<unknown, unknown, unknown> {
            yield
            return yield channel.receive()
          })(),
        )
        log.push('cleaned')
      }
    })
    const run = scheduler.run()
    task.cancel('first')
    await channel.send('a')
    assert.equal(task.cancel('second'), true)
    await channel.send('b')
    await run
    assert.deepEqual(log, ['cleaning', 'a', 'b', 'cleaned'])
    await isCancelled(task, 'first')
  })

  it('unwinds generators from the inside out', async () => {
    const log: string[] = []
    function* level(n: number): Generator<unknown, void, unknown> {
      try {
        yield n === 0 ? sleep(2 ** 40) : level(n - 1)
        log.push('never')
      } finally {
        log.push(`out of ${n}`)
        yield cleanup(n)
        yield
      }
    }
    function* cleanup(n: number): Generator<unknown, void, unknown> {
      yield
      log.push(`cleaned ${n}`)
    }
    const scheduler = new Scheduler()
    const task = scheduler.spawn(level(2))
    const run = scheduler.run()
    task.cancel()
    await run
    assert.deepEqual(
      log,
      [0, 1, 2].flatMap((n) => [`out of ${n}`, `cleaned ${n}`]),
    )
    await isCancelled(task)
  })

  it('what a finally block throws is what the task rejects with, and an error of the run', async () => {
    const scheduler = new Scheduler()
    function fail(): never {
      throw new RangeError('in cleanup')
    }
    const task = scheduler.spawn(function* () {
      try {
        yield sleep(2 ** 40)
      } finally {
        fail()
      }
    })
    const run = scheduler.run()
    task.cancel()
    await assert.rejects(run, /in cleanup/)
    await assert.rejects(Promise.resolve(task), /in cleanup/)
  })

  it('a body that goes on all the same is cancelled at its end', async () => {
    const scheduler = new Scheduler()
    const log: number[] = []
    const task = scheduler.spawn(function* () {
      for (let n = 0; n < 3; n++)
        try {
          yield
        } finally {
          log.push(n)
          // oxlint-disable-next-line no-unsafe-finally -- that is what is tested
          continue
        }
      return 'finished'
    })
    scheduler.step()
    task.cancel()
    await scheduler.run()
    assert.deepEqual(log, [0, 1, 2])
    await isCancelled(task)
  })
})

describe('what a cancelled coroutine waited for', () => {
  it('a timer is gone', async () => {
    const clock = new ManualClock()
    const scheduler = new Scheduler({ clock })
    const shared: Promise<void>[] = []
    const task = scheduler.spawn(function* () {
      shared.push(sleep(1000))
      yield shared[0]
    })
    const run = scheduler.run()
    task.cancel()
    await run
    await assert.rejects(shared[0], CancelledError, 'who else waits for it is told')
    const before = process.getActiveResourcesInfo().length
    const real = new Scheduler()
    const asleep = real.spawn(patient([], () => sleep(2 ** 40)))
    const other = real.run()
    assert.ok(process.getActiveResourcesInfo().length > before)
    asleep.cancel()
    await other
    assert.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, 0)
  })

  it('a channel keeps what it had: nothing is taken, nothing is sent', async () => {
    const scheduler = new Scheduler()
    const channel = new Channel<number>(1)
    const receiver = scheduler.spawn(patient([], () => channel.receive()))
    scheduler.step()
    receiver.cancel()
    await scheduler.run()
    await channel.send(1)
    const sender = scheduler.spawn(patient([], () => channel.send(2)))
    scheduler.step()
    sender.cancel()
    await scheduler.run()
    assert.equal(await channel.receive(), 1)
    await assert.rejects(channel.receive({ timeout: 0 }), { name: 'TimeoutError' })
  })

  it('what has arrived is seen first: no value is lost', async () => {
    for (const when of ['before its turn', 'as it settles'] as const) {
      const scheduler = new Scheduler()
      const channel = new Channel<string>()
      const log: string[] = []
      const task = scheduler.spawn(patient(log, () => channel.receive()))
      scheduler.step()
      const sent = channel.send('value')
      if (when === 'before its turn') await sent
      task.cancel()
      await scheduler.run()
      assert.deepEqual(log, ['begun', 'got value', 'finally'], when)
      await isCancelled(task)
    }
  })

  it('a promise that settles later changes nothing', async () => {
    for (const settle of ['resolve', 'reject'] as const) {
      const scheduler = new Scheduler()
      const ends: Record<string, (value: unknown) => void> = {}
      const log: string[] = []
      const task = scheduler.spawn(
        patient(log, () => new Promise((resolve, reject) => Object.assign(ends, { resolve, reject }))),
      )
      const run = scheduler.run()
      task.cancel()
      await run
      ends[settle](new Error('late'))
      await turn()
      assert.deepEqual(log, ['begun', 'finally'])
      await isCancelled(task)
    }
  })
})
