/**
 * A TaskGroup that is stopped: by its own cancel(), by a signal, by what is around it; and that who merely
 * obeys has not failed. Sequenced by promises that the tests settle, never by time.
 */
import assert from 'node:assert/strict'
import { once, EventEmitter } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as nodeSleep } from 'node:timers/promises'
import { CancelledError } from 'plait'
import { sleep, TaskGroup, timeout } from 'plait/coroutine'
import { checkLeaks } from '../leaks.js'
import { failing, failuresOf, turn, untilStopped } from './kit.js'

checkLeaks()

describe('merely obeying', () => {
  const ways: Readonly<Record<string, (signal: AbortSignal) => unknown>> = {
    'sleep() with the signal': untilStopped,
    throwIfAborted: async (signal) => {
      while (true) {
        signal.throwIfAborted()
        await turn()
      }
    },
    'a timer of Node': (signal) => nodeSleep(2 ** 30, undefined, { signal }),
    'an event of Node': (signal) => once(new EventEmitter(), 'x', { signal }),
    'a group within': (signal) => TaskGroup.run((group) => void group.spawn(() => untilStopped(signal))),
    'a group within that has its own': () =>
      TaskGroup.run((group) => {
        void group.spawn(untilStopped)
        void group.spawn(untilStopped)
      }),
    'a timeout within': () => timeout(2 ** 30, untilStopped),
    'a CancelledError': (signal) =>
      untilStopped(signal).catch(() => {
        throw new CancelledError('as I was told')
      }),
    'all of several': (signal) => Promise.any([untilStopped(signal), nodeSleep(2 ** 30, 0, { signal })]),
    returning: (signal) => untilStopped(signal).catch(() => 'fine'),
  }
  for (const [way, obey] of Object.entries(ways))
    it(`by ${way} is no failure`, async () => {
      const error = new Error('the one')
      const errors = await failuresOf(
        TaskGroup.run(async (group) => {
          void group.spawn(obey)
          await turn()
          throw error
        }),
      )
      assert.deepEqual(errors, [error])
      assert.ok(!process.getActiveResourcesInfo().includes('Timeout'))
    })

  it('is not throwing something of one’s own', async () => {
    const [first, second] = [new Error('first'), new Error('in cleanup')]
    const errors = await failuresOf(
      TaskGroup.run((group) => {
        void group.spawn((signal) => untilStopped(signal).catch(failing(second)))
        void group.spawn(failing(first))
      }),
    )
    assert.deepEqual(errors, [first, second])
  })

  it('is not being cancelled by somebody else before', async () => {
    const own = new AbortController()
    const errors = await failuresOf(
      TaskGroup.run(async (group) => {
        void group.spawn(() => untilStopped(own.signal))
        await turn()
        own.abort()
      }),
    )
    assert.equal((errors[0] as Error).name, 'AbortError')
  })
})

describe('cancel()', () => {
  it('stops all, and that is no failure', async () => {
    const log: string[] = []
    const value = await TaskGroup.run(async (group) => {
      for (let i = 0; i < 3; i++)
        void group.spawn((signal) => untilStopped(signal).finally(() => log.push('stopped')))
      await turn()
      group.cancel()
      group.cancel('again')
      assert.equal((group.signal.reason as Error).message, 'the group was cancelled')
      return 'won'
    })
    assert.equal(value, 'won')
    assert.equal(log.length, 3)
  })

  it('with a reason: that is what the signal has, and what who obeys it throws', async () => {
    const reason = { why: 'enough' }
    const run = TaskGroup.run(async (group) => {
      group.cancel(reason)
      await untilStopped(group.signal)
    })
    await assert.rejects(run, (error) => error === reason)
  })

  it('nothing begins after it', async () => {
    const called: string[] = []
    const why = await TaskGroup.run(async (group) => {
      group.cancel('why')
      return await group.spawn(() => called.push('called')).catch((error: unknown) => error)
    })
    assert.deepEqual([why, called], ['why', []])
  })
})

describe('from outside', () => {
  it('a signal stops it, and run() rejects with its reason', async () => {
    const controller = new AbortController()
    const reason = new Error('from above')
    const log: unknown[] = []
    const run = TaskGroup.run(
      async (group) => {
        void group.spawn((signal) => untilStopped(signal).finally(() => log.push('child')))
        await turn()
        controller.abort(reason)
        log.push(group.signal.reason === reason)
        return 'ignored'
      },
      { signal: controller.signal },
    )
    await assert.rejects(run, (error) => error === reason)
    assert.deepEqual(log, [true, 'child'])
  })

  it('a signal that has aborted: nothing begins', async () => {
    const called: string[] = []
    const run = TaskGroup.run(() => called.push('called'), { signal: AbortSignal.abort('before') })
    await assert.rejects(run, (error) => error === 'before')
    assert.deepEqual(called, [])
  })

  it('failures go before the reason', async () => {
    const controller = new AbortController()
    const error = new Error('in cleanup')
    const run = TaskGroup.run(
      async (group) => {
        void group.spawn((signal) => untilStopped(signal).catch(failing(error)))
        await turn()
        controller.abort()
      },
      { signal: controller.signal },
    )
    assert.deepEqual(await failuresOf(run), [error])
  })

  it('the group around it stops it, however deep, and waits', async () => {
    const error = new Error('at the top')
    const log: string[] = []
    const nest = (depth: number): Promise<unknown> =>
      TaskGroup.run(async (group) => {
        void group.spawn(async (signal) => {
          await untilStopped(signal).catch(() => {})
          await turn()
          log.push(`depth ${depth}`)
        })
        if (depth < 3) await group.spawn(() => nest(depth + 1))
        else await new Promise((resolve) => group.signal.addEventListener('abort', resolve))
      })
    const errors = await failuresOf(
      TaskGroup.run(async (group) => {
        void group.spawn(() => nest(1))
        await turn()
        throw error
      }),
    )
    assert.deepEqual(errors, [error])
    assert.deepEqual(log.toSorted(), ['depth 1', 'depth 2', 'depth 3'])
  })

  it('a group within that fails is one failure, with its own inside', async () => {
    const error = new Error('deep')
    const [inner] = await failuresOf(
      TaskGroup.run((group) => {
        void group.spawn(() => TaskGroup.run((group) => group.spawn(failing(error))))
        void group.spawn(untilStopped)
      }),
    )
    assert.ok(inner instanceof AggregateError)
    assert.deepEqual(inner.errors, [error])
  })

  it('whatever has ended lets go of what is around it', async () => {
    const listened = (signal: AbortSignal): { count: number } => {
      const seen = { count: 0 }
      const add = signal.addEventListener.bind(signal)
      const remove = signal.removeEventListener.bind(signal)
      signal.addEventListener = (...args: Parameters<typeof add>): void => (seen.count++, add(...args))
      signal.removeEventListener = (...args: Parameters<typeof remove>): void => (
        seen.count--,
        remove(...args)
      )
      return seen
    }
    const { signal } = new AbortController()
    const outside = listened(signal)
    await TaskGroup.run((group) => group.spawn(turn), { signal })
    await TaskGroup.run((group) => group.spawn(failing(1)), { signal }).catch(() => {})
    await TaskGroup.run(failing(1), { signal }).catch(() => {})
    await sleep(1, { signal })
    assert.equal(outside.count, 0)
    await TaskGroup.run(async (group) => {
      const around = listened(group.signal)
      await TaskGroup.run((group) => group.spawn(turn))
      await timeout(60_000, turn)
      await timeout(60_000, failing(1)).catch(() => {})
      await timeout(1, untilStopped).catch(() => {})
      assert.equal(around.count, 0)
    })
  })
})
