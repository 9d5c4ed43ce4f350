/**
 * TaskGroup: nothing outlives it, the first failure stops the rest and waits for them, and all failures
 * arrive. Sequenced by promises that the tests settle, never by time.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { CancelledError, InvalidStateError } from 'plait'
import { TaskGroup } from 'plait/coroutine'
import { checkLeaks } from '../leaks.js'
import { failing, failuresOf, gate, turn, untilStopped } from './kit.js'

checkLeaks()

describe('a group', () => {
  it('waits for all that was spawned in it, and gives what its body gives', async () => {
    const gates = [gate(), gate()]
    const log: string[] = []
    let done = false
    const run = TaskGroup.run(async (group) => {
      for (const [i, { promise }] of gates.entries())
        void group.spawn(async () => {
          await promise
          log.push(`child ${i}`)
        })
      await Promise.resolve()
      log.push('body')
      return 5
    })
    void run.then(() => (done = true))
    await turn()
    assert.deepEqual([log, done], [['body'], false])
    gates[1].open()
    await turn()
    assert.equal(done, false)
    gates[0].open()
    assert.equal(await run, 5)
    assert.deepEqual(log, ['body', 'child 1', 'child 0'])
  })

  it('starts a child at once; its promise is what becomes of it', async () => {
    const seen = await TaskGroup.run(async (group) => {
      const log: string[] = []
      const child = group.spawn(async (signal) => {
        log.push(`begun ${signal === group.signal}`)
        await Promise.resolve()
        return 'value'
      })
      log.push('after spawn')
      const sync = group.spawn(() => 7)
      return [...log, await child, await sync]
    })
    assert.deepEqual(seen, ['begun true', 'after spawn', 'value', 7])
  })

  it('waits for children of children, spawned at any time before its end', async () => {
    const log: number[] = []
    await TaskGroup.run((group) => {
      const grow = async (n: number): Promise<void> => {
        await turn()
        log.push(n)
        if (n < 5) void group.spawn(() => grow(n + 1))
      }
      void group.spawn(() => grow(0))
    })
    assert.deepEqual(log, [0, 1, 2, 3, 4, 5])
  })

  it('with nothing in it ends with its body', async () => {
    assert.equal(await TaskGroup.run(() => 'x'), 'x')
    await using _group = new TaskGroup()
  })

  it('keeps listening children quiet however many they are', async () => {
    const warnings: Error[] = []
    const note = (warning: Error): unknown => warnings.push(warning)
    process.on('warning', note)
    await TaskGroup.run(async (group) => {
      for (let i = 0; i < 50; i++)
        void group.spawn((signal) => new Promise((resolve) => signal.addEventListener('abort', resolve)))
      await turn()
      group.cancel()
    })
    await turn()
    process.off('warning', note)
    assert.deepEqual(warnings, [])
  })
})

describe('the first failure', () => {
  it('stops the others and waits for them, also for those that do not listen', async () => {
    const deaf = gate()
    const log: string[] = []
    const error = new RangeError('first')
    const run = TaskGroup.run((group) => {
      void group.spawn(async (signal) => {
        await untilStopped(signal).finally(() => log.push('listener stopped'))
      })
      void group.spawn(async () => {
        await deaf.promise
        log.push('deaf one ended')
      })
      void group.spawn(async () => {
        await turn()
        throw error
      })
    })
    const failed = failuresOf(run).then((errors) => (log.push('group ended'), errors))
    await turn()
    await turn()
    assert.deepEqual(log, ['listener stopped'])
    deaf.open()
    assert.deepEqual(await failed, [error])
    assert.deepEqual(log, ['listener stopped', 'deaf one ended', 'group ended'])
  })

  it('is the cause of the reason that the signal has', async () => {
    const error = new RangeError('no such page')
    let reason: unknown
    const errors = await failuresOf(
      TaskGroup.run(async (group) => {
        void group.spawn(failing(error))
        reason = group.signal.reason
        assert.ok(group.signal.aborted)
      }),
    )
    assert.deepEqual(errors, [error])
    assert.ok(reason instanceof CancelledError)
    assert.equal(reason.message, 'a sibling in the group has failed: no such page')
    assert.equal(reason.cause, error)
  })

  it('may be of the body: the children are stopped too', async () => {
    const log: string[] = []
    const error = new Error('in the body')
    const errors = await failuresOf(
      TaskGroup.run((group) => {
        void group.spawn((signal) => untilStopped(signal).finally(() => log.push('stopped')))
        throw error
      }),
    )
    assert.deepEqual([errors, log], [[error], ['stopped']])
  })

  it('is one failure, though whoever awaits the child throws it again', async () => {
    const error = new Error('x')
    const errors = await failuresOf(
      TaskGroup.run(async (group) => {
        const child = group.spawn(failing(error))
        void group.spawn(() => child)
        await child
      }),
    )
    assert.deepEqual(errors, [error])
  })

  it('that the body catches is a failure all the same', async () => {
    const errors = await failuresOf(
      TaskGroup.run(async (group) => {
        await group.spawn(failing('text')).catch(() => {})
        return 5
      }),
    )
    assert.deepEqual(errors, ['text'])
  })

  it('comes with the others, in their order', async () => {
    const errors = [new Error('a'), new Error('b'), 'c', undefined]
    const gates = errors.map(() => gate())
    const run = TaskGroup.run((group) => {
      for (const { promise } of gates) void group.spawn(() => promise)
    })
    const failed = run.catch((error: unknown) => error)
    for (const [i, error] of errors.entries()) {
      gates[i].fail(error)
      await turn()
    }
    const error = (await failed) as AggregateError
    assert.deepEqual(error.errors, errors)
    assert.equal(error.message, '4 failures in the group: a; b; c; undefined')
  })
})

describe('await using', () => {
  it('waits for all at the end of the block', async () => {
    const log: string[] = []
    {
      await using group = new TaskGroup()
      void group.spawn(() => turn().then(() => log.push('child')))
      log.push('block')
    }
    assert.deepEqual(log, ['block', 'child'])
  })

  it('throws the failures there', async () => {
    const errors = await failuresOf(
      (async () => {
        await using group = new TaskGroup()
        void group.spawn(failing(1))
        void group.spawn(untilStopped)
      })(),
    )
    assert.deepEqual(errors, [1])
  })

  it('a second disposal waits and is quiet', async () => {
    const group = new TaskGroup()
    const { promise, fail } = gate()
    void group.spawn(() => promise)
    const [first, second] = [group[Symbol.asyncDispose](), group[Symbol.asyncDispose]()]
    fail('x')
    await assert.rejects(first, AggregateError)
    await second
    await group[Symbol.asyncDispose]()
  })

  it('a group that was cancelled is disposed quietly', async () => {
    await using group = new TaskGroup()
    void group.spawn(untilStopped)
    group.cancel()
  })

  it('a group may end with a signal of its own', async () => {
    const controller = new AbortController()
    await using group = new TaskGroup({ signal: controller.signal })
    void group.spawn(untilStopped)
    controller.abort('enough')
    assert.equal(group.signal.reason, 'enough')
  })
})

describe('misuse', () => {
  it('spawn() after the end rejects with InvalidStateError, and harms nobody', async () => {
    let kept!: TaskGroup
    await TaskGroup.run((group) => {
      kept = group
    })
    await assert.rejects(
      kept.spawn(() => 1),
      (error) => error instanceof InvalidStateError && /the group has ended/.test(error.message),
    )
    void kept.spawn(() => 1)
    kept.cancel()
    assert.equal(kept.signal.aborted, false)
    await turn()
  })

  it('what is no function, no signal, no options is a TypeError', async () => {
    await assert.rejects(TaskGroup.run(5 as never), TypeError)
    await assert.rejects(
      TaskGroup.run(() => 1, { signal: 5 } as never),
      TypeError,
    )
    assert.throws(() => new TaskGroup(5 as never), TypeError)
    await TaskGroup.run(async (group) => {
      await assert.rejects(group.spawn(5 as never), TypeError)
    })
  })

  it('promises that nobody looks at are no unhandled rejections', async () => {
    const unhandled: unknown[] = []
    const note = (error: unknown): unknown => unhandled.push(error)
    process.on('unhandledRejection', note)
    const group = new TaskGroup()
    void group.spawn(failing(1))
    void group.spawn(untilStopped)
    await group[Symbol.asyncDispose]().catch(() => {})
    await turn()
    process.off('unhandledRejection', note)
    assert.deepEqual(unhandled, [])
  })
})

it('whatever the children do: none is alive at the end, and every failure is there once', async () => {
  const child = fc.record({
    turns: fc.nat(4),
    end: fc.constantFrom('returns', 'throws', 'obeys', 'ignores and throws', 'spawns'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(child, { maxLength: 8 }), fc.option(fc.nat(4)), async (children, cancelAt) => {
      let alive = 0
      const thrown = new Set<unknown>()
      const fail = (): never => {
        const error = new Error(`failure ${thrown.size}`)
        thrown.add(error)
        throw error
      }
      const run = TaskGroup.run(async (group) => {
        const live = async (turns: number, end: string, signal: AbortSignal): Promise<void> => {
          alive++
          try {
            for (let n = 0; n < turns; n++) {
              await turn()
              if (end === 'obeys' || end === 'throws') signal.throwIfAborted()
            }
            if (end === 'obeys') await untilStopped(signal)
            if (end === 'throws' || end === 'ignores and throws') fail()
            if (end === 'spawns') void group.spawn((signal) => live(turns, 'returns', signal))
          } finally {
            await turn()
            alive--
          }
        }
        for (const { turns, end } of children) void group.spawn((signal) => live(turns, end, signal))
        for (let n = 0; n < (cancelAt ?? 6); n++) await turn()
        group.cancel()
      })
      const error: unknown = await run.catch((error: unknown) => error)
      assert.equal(alive, 0)
      const errors = error instanceof AggregateError ? error.errors : []
      assert.deepEqual(new Set(errors), thrown)
      assert.equal(errors.length, thrown.size)
    }),
    { numRuns: 100 },
  )
})
