/**
 * The numbers that tasks have at their worker end somewhere: there the worker is replaced, and no task is
 * lost by it, be it done there, waiting, or taken back.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capture } from '#plait/closure/capture.js'
import { processes, threads } from '#plait/pool/bodies.js'
import { Dispatch } from '#plait/pool/dispatch.js'
import { REVOCABLE } from '#plait/pool/protocol.js'
import { Slab } from '#plait/pool/slab.js'
import { CallTask } from '#plait/pool/task.js'
import { Carried } from '#plait/codec/handles.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

for (const [what, body] of Object.entries({ processes, threads }))
  test(`${what} are replaced when their numbers end`, async () => {
    const dispatch = new Dispatch('numbered', {
      size: 1,
      prefix: 'Numbered',
      concurrency: 1,
      maxTasks: Infinity,
      lastNumber: 8,
      startTimeout: 60_000,
      initializer: null,
      env: undefined,
      execArgv: undefined,
      body,
      next: () => body.next('Numbered'),
      onDemand: false,
    })
    const slab = new Slab()
    const options = { what: 'arguments', carried: new Carried(true, body.inside) }
    const fn = (n: number): number => n + 1
    const payload = capture(fn, { what: 'a function' })
    const taken: CallTask[] = []
    const submit = async (n: number): Promise<unknown> =>
      await new Promise((resolve, reject) => {
        const image = dispatch.images.of(payload, fn)
        const args = slab.encode([n], options, payload)
        const task = new CallTask(image, args, REVOCABLE, undefined, 0, resolve, reject)
        if (n % 5 === 4) taken.push(task)
        dispatch.submit(task)
      })
    const reason = new Error('taken back')
    for (let round = 0; round < 4; round++) {
      const tasks = Array.from({ length: 10 }, async (_, n) => await submit(n))
      // At a worker or in the line: what has not begun takes a number with it, or none.
      for (const task of taken.splice(0)) dispatch.revoke(task, reason)
      const outcomes = await Promise.allSettled(tasks)
      for (const [n, outcome] of outcomes.entries())
        if (outcome.status === 'fulfilled') assert.equal(outcome.value, n + 1)
        else assert.ok(n % 5 === 4 && outcome.reason === reason)
    }
    const { restarts, completed, failed } = dispatch.statistics()
    assert.equal(completed + failed, 40)
    assert.ok(restarts >= 3, `${restarts} restarts`)
    const drained = dispatch.drain()
    dispatch.close()
    await dispatch.over
    drained()
  })
