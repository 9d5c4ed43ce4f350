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

/** For each scenario: 20 seconds for all of them. */
const milliseconds = 600
/** A flaw that is there is found long before. */
const patience = 60_000

for (const { url, name, title, scenario } of await programs([])) {
  test(`${title}: every order ends well`, async (t) => {
    const { failure, orders, interruptions } = await explore(url, name, { milliseconds })
    t.diagnostic(`${orders} orders, up to ${interruptions} interruptions`)
    assert.equal(failure, undefined)
    assert.ok(orders > 1 && interruptions >= 0, `${orders} orders`)
  })
  for (const [flaw, change] of Object.entries(scenario.flaws ?? {}))
    test(`${title}: ${flaw}, and it is found`, async () => {
      const { failure } = await explore(url, name, { milliseconds: patience, flaw: change })
      assert.notEqual(failure, undefined, 'the checker did not see it')
    })
}
