/** The last row of the table of failures: the program is killed, and none of its workers outlives it. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkLeaks } from '../leaks.js'
import { parentKilled } from './failures.js'
import { isDead, methods, states } from './failures-stage.js'

checkLeaks()

const program = fileURLToPath(new URL('failures-parent.js', import.meta.url))

for (const { name } of methods)
  describe(`${name}: ${parentKilled.what}`, () => {
    for (const state of states)
      it(state, async () => {
        const parent = fork(program, [name, state])
        const ended = once(parent, 'exit')
        const [pids] = (await Promise.race([once(parent, 'message'), ended])) as [number[]]
        assert.ok(Array.isArray(pids) && pids.length > 0, 'the program has workers')
        assert.equal(pids.some(isDead), false)
        parent.kill('SIGKILL')
        assert.deepEqual(await ended, [null, 'SIGKILL'])
        const deadline = performance.now() + 20_000
        while (!pids.every(isDead)) {
          assert.ok(performance.now() < deadline, `${pids.join()} outlive their parent`)
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      })
  })
