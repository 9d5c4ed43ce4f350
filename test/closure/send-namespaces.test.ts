/**
 * Modules met as values: a namespace has to arrive as the one it was, never as one that shares a function
 * with it.
 */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, test } from 'node:test'
import { capture } from '#plait/closure/capture.js'
import { Remote } from './remote.ts'

const what = 'the value'
const require = createRequire(import.meta.url)
const remote = new Remote()
after(() => remote[Symbol.dispose]())

test('one whose module defines all that it exports travels by name', async () => {
  const library = await import('./library.ts')
  assert.equal(capture(library, { what }).templates.length, 0)
  assert.deepEqual(await remote.call(() => Object.keys(library)), Object.keys(library))
})

test('one whose exports come from other modules is refused', async () => {
  const others = await import('./reexports.ts')
  assert.throws(
    () => capture(() => others, { what }),
    /`others` .*it is the namespace of a module\. Import it where/,
  )
})

test('one that was required travels by name, whatever its exports are', async () => {
  const plait = require('plait') as typeof import('plait')
  const names = await remote.call(() => [Object.keys(plait), plait.currentProcess().name])
  assert.deepEqual(names, [Object.keys(plait), 'MainProcess'])
})
