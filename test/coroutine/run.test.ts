/**
 * How a run of the Scheduler goes and ends: whom an error reaches, what it says, who may ask meanwhile, and
 * in whose async context coroutines run.
 */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, it } from 'node:test'
import { InvalidStateError } from 'plait'
import { Channel, Scheduler, sleep } from 'plait/coroutine'
import { checkLeaks } from '../leaks.js'
import { counter, turn } from './kit.js'

checkLeaks()

describe('errors', () => {
  const boom = (message = 'boom') =>
    function* failing() {
      yield
      throw new RangeError(message)
    }

  it('reach whoever yields the task, and not run()', async () => {
    const scheduler = new Scheduler()
    const seen: unknown[] = []
    const bad = scheduler.spawn(boom())
    scheduler.spawn(function* () {
      try {
        yield bad
      } catch (error) {
        seen.push((error as Error).message)
      }
    })
    await scheduler.run()
    assert.deepEqual(seen, ['boom'])
  })

  it('reach whoever awaits the task, before or just after', async () => {
    const scheduler = new Scheduler()
    const before = assert.rejects(Promise.resolve(scheduler.spawn(boom())), /boom/)
    await scheduler.run()
    await before
    const task = scheduler.spawn(boom())
    const run = scheduler.run()
    await assert.rejects(Promise.resolve(task), /boom/)
    await run
  })

  it('stop the run where nobody waits: the others are cancelled, and the first one is thrown', async () => {
    const scheduler = new Scheduler()
    const log: string[] = []
    const asleep = scheduler.spawn(function* () {
      try {
        yield sleep(2 ** 31)
      } finally {
        log.push('cleaning')
        yield sleep(1)
        log.push('cleaned')
      }
    })
    scheduler.spawn(function* () {
      for (;;) yield
    })
    scheduler.spawn(boom('first'))
    scheduler.spawn(boom('second'))
    await assert.rejects(scheduler.run(), { name: 'RangeError', message: 'first' })
    assert.deepEqual(log, ['cleaning', 'cleaned'])
    await assert.rejects(Promise.resolve(asleep), (error: Error) => {
      assert.equal(error.name, 'CancelledError')
      assert.equal((error.cause as Error).message, 'first')
      return true
    })
    // It is over, and can begin again.
    const log2: string[] = []
    scheduler.spawn(counter(log2, 'z', 2))
    await scheduler.run()
    assert.deepEqual(log2, ['z1', 'z2'])
  })

  it('that nobody waited for while step() was called come out of run()', async () => {
    const scheduler = new Scheduler()
    const task = scheduler.spawn(boom())
    while (scheduler.step());
    assert.ok(task.done)
    await assert.rejects(scheduler.run(), /boom/)
    await scheduler.run()
  })

  it('stop the run also where more and more of them come', async () => {
    const scheduler = new Scheduler()
    let spawned = 0
    scheduler.spawn(function* () {
      for (;;) {
        scheduler.spawn(boom(`${spawned++}`))
        yield
      }
    })
    await assert.rejects(scheduler.run(), { message: '0' })
  })

  it('that somebody asks for a turn later are his', async () => {
    const scheduler = new Scheduler()
    const seen: unknown[] = []
    const bad = scheduler.spawn(boom('early'))
    scheduler.spawn(function* () {
      for (let n = 0; n < 4; n++) yield
      const also = scheduler.spawn(boom('late'))
      yield
      for (const task of [bad, also])
        try {
          yield task
        } catch (error) {
          seen.push((error as Error).message)
        }
    })
    await scheduler.run()
    assert.deepEqual(seen, ['early', 'late'])
  })

  it('wait for whoever stands in line, however long a round takes', async () => {
    const scheduler = new Scheduler()
    const seen: unknown[] = []
    const bad = scheduler.spawn(boom('early'))
    for (let i = 0; i < 1000; i++)
      scheduler.spawn(function* () {
        // Longer than the event loop is kept waiting.
        yield
        if (i % 100 === 0) for (const end = performance.now() + 5; performance.now() < end;);
      })
    scheduler.spawn(function* () {
      yield
      try {
        yield bad
      } catch (error) {
        seen.push((error as Error).message)
      }
    })
    await scheduler.run()
    assert.deepEqual(seen, ['early'])
  })

  it('that are no errors arrive as they are', async () => {
    for (const value of [undefined, 'text', 5, null]) {
      const scheduler = new Scheduler()
      scheduler.spawn(function* () {
        yield
        // oxlint-disable-next-line no-throw-literal -- that is what is tested
        throw value
      })
      let thrown: unknown = 'nothing'
      await scheduler.run().catch((error: unknown) => (thrown = error))
      assert.equal(thrown, value)
    }
  })

  it('say through which coroutines they came, and who ran them', async () => {
    const scheduler = new Scheduler()
    const child = scheduler.spawn(boom())
    scheduler.spawn(
      function* () {
        yield child
      },
      { name: 'parent' },
    )
    async function main(): Promise<void> {
      await scheduler.run()
    }
    const error = (await main().catch((error: unknown) => error)) as Error
    const lines = error.stack!.split('\n').map((line) => line.trim().replace(/ \(.*/, ''))
    assert.equal(lines[0], 'RangeError: boom')
    assert.equal(lines[1], 'at failing')
    const named = lines.filter((line) => line.startsWith('at coroutine'))
    assert.deepEqual(named, ['at coroutine Coroutine-1', 'at coroutine parent'])
    assert.match(error.stack!, /at coroutine Coroutine-1 \(failing\)\n/)
    assert.ok(lines.includes('at async main'), error.stack)
    assert.doesNotMatch(error.stack!, /dist\//)
  })

  it('that are frozen arrive all the same', async () => {
    const scheduler = new Scheduler()
    const error = Object.freeze(new Error('cold'))
    scheduler.spawn(function* () {
      yield
      throw error
    })
    await assert.rejects(scheduler.run(), (thrown) => thrown === error)
  })
})

describe('run()', () => {
  it('with nothing to do is done', async () => {
    await new Scheduler().run()
  })

  it('is one for all who ask meanwhile', async () => {
    const scheduler = new Scheduler()
    const task = scheduler.spawn(function* () {
      yield sleep(1)
    })
    await Promise.all([scheduler.run(), scheduler.run()])
    assert.ok(task.done)
  })

  it('waits for what is added while all others wait', async () => {
    const scheduler = new Scheduler()
    const channel = new Channel<string>()
    const seen: string[] = []
    scheduler.spawn(function* () {
      seen.push(yield channel.receive())
    })
    const run = scheduler.run()
    await turn()
    scheduler.spawn(function* () {
      yield channel.send('late')
    })
    await run
    assert.deepEqual(seen, ['late'])
  })

  it('and step() cannot be called by its coroutines', async () => {
    const scheduler = new Scheduler()
    scheduler.spawn(function* () {
      assert.throws(() => scheduler.step(), InvalidStateError)
      yield assert.rejects(scheduler.run(), InvalidStateError)
    })
    await scheduler.run()
  })

  it('step() beside it takes a turn from it', async () => {
    const scheduler = new Scheduler()
    const log: string[] = []
    scheduler.spawn(counter(log, 'a', 200))
    const run = scheduler.run()
    while (scheduler.step());
    assert.equal(log.length, 200)
    await run
  })

  it("gives the coroutines its caller's async context, whoever wakes them", async () => {
    const storage = new AsyncLocalStorage<string>()
    const scheduler = new Scheduler()
    const channel = new Channel<number>()
    const seen: unknown[] = []
    storage.run('spawner', () =>
      scheduler.spawn(function* () {
        for (let n = 0; n < 3; n++) {
          yield n === 0 ? undefined : n === 1 ? sleep(1) : channel.receive()
          seen.push(storage.getStore())
        }
      }),
    )
    const run = storage.run('runner', () => scheduler.run())
    await turn()
    storage.run('adder', () =>
      scheduler.spawn(function* () {
        seen.push(storage.getStore())
        yield
      }),
    )
    await storage.run('waker', () => channel.send(1))
    await run
    assert.deepEqual(seen, ['runner', 'runner', 'runner', 'runner'])
  })
})
