/**
 * The model checker over all scenarios: every order of their atomic steps with as many interruptions as the
 * time allows, and a death before every write. And the proof that it looks: each flaw that a scenario names
 * is put into a copy of the library, and must be found.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLeaks } from '../leaks.ts'
import { explore } from './explore.ts'
import { programs } from './programs.ts'

checkLeaks()

/** For each scenario, with deaths and without. */
const milliseconds = 200
/** A flaw that is there is found long before. */
const patience = 15_000

for (const { url, name, title, scenario } of await programs([])) {
  for (const immortal of scenario.mortal === undefined ? [true] : [true, false])
    test(`${title}: every order ends well${immortal ? '' : ', and every death'}`, async (t) => {
      const { failure, orders, interruptions } = await explore(url, name, { milliseconds, immortal })
      t.diagnostic(`${orders} orders, up to ${interruptions} interruptions`)
      assert.equal(failure, undefined)
      assert.ok(interruptions >= 0 && orders > (immortal ? 0 : 10), `${orders} orders`)
    })
  for (const [flaw, change] of Object.entries(scenario.flaws ?? {}))
    test(`${title}: ${flaw}, and it is found`, async () => {
      const limits = { milliseconds: patience, flaw: change, immortal: change.deadly !== true }
      const { failure } = await explore(url, name, limits)
      assert.notEqual(failure, undefined, 'the checker did not see it')
    })
}
