/** docs/failures.md says what the tests walk, no more and no less. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { failures } from './failures.js'
import { page, pageText } from './failures-page.js'
import { states } from './failures-stage.js'

test('docs/failures.md is written from the table', () => {
  const advice = 'write it anew: node build/test/pool/failures-page.js'
  assert.equal(readFileSync(page, 'utf8'), pageText(), advice)
})

test('every failure is named once, and says something of every state', () => {
  assert.equal(new Set(failures.map(({ what }) => what)).size, failures.length)
  for (const { what, cells } of failures) {
    assert.deepEqual(Object.keys(cells).sort(), [...states].sort(), what)
    assert.ok(
      Object.values(cells).some((cell) => typeof cell === 'object'),
      what,
    )
  }
})
