/**
 * A module that starts workers when it is imported must not multiply: each worker that imports it would do so
 * again.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkLeaks } from '../leaks.js'

checkLeaks()

test('a pool at the top level of a module that its own workers import is an error that says so', () => {
  const main = fileURLToPath(new URL('../../../test/fixtures/nesting/main.mjs', import.meta.url))
  const output = execFileSync(process.execPath, [main], { encoding: 'utf8', timeout: 60_000 })
  const [message, after] = JSON.parse(output) as [string, string]
  assert.match(message, /cannot import .*job\.mjs.* imports starts it at its top level.* inside a function/s)
  assert.equal(after, 'goes on')
})
