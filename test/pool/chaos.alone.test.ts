/**
 * Half a minute of chaos (chaos.ts) at most: 25,000 tasks. The seed is another one each time, and printed;
 * PLAIT_SEED=n runs it again.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLeaks } from '../leaks.js'
import { Chaos } from './chaos.js'

checkLeaks()

const seed = Number(process.env['PLAIT_SEED'] ?? Math.floor(Math.random() * 1e9))

test(`whatever happens to 25,000 tasks, each settles as it should (PLAIT_SEED=${seed})`, async () => {
  const chaos = new Chaos(seed, { tasks: 25_000, ms: 30_000 })
  await chaos.run()
  assert.ok(chaos.settled > 1000)
})
