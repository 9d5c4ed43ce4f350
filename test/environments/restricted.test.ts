/**
 * Where closures cannot be looked into: capture falls back to the functions' text, and to what withDeps was
 * given.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixture, Folder, read } from './kit.ts'

const folder = new Folder()
const program = (): string => folder.program({ 'app.mjs': fixture('restricted.mjs') })

const same = {
  deps: [3, 6],
  nested: 4,
  globals: 2,
  passed: 6,
  thrown: ['RangeError', 'thrown'],
  process: [12, 0],
}

test('withDeps where there is an inspector', async () => {
  const { entries, results } = read(await folder.run(program()))
  assert.equal(entries, 1)
  assert.deepEqual(results, { ...same, refused: 3 })
})

const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission'

test('withDeps under the permission model, which forbids the inspector', async () => {
  const allowed = ['--allow-fs-read=*', '--allow-fs-write=*', '--allow-child-process']
  const { entries, results } = read(
    await folder.run(program(), [permission, ...allowed, '--no-warnings', 'app.mjs']),
  )
  assert.equal(entries, 1)
  const { refused, ...rest } = results
  assert.deepEqual(rest, same)
  const hint = 'Pass them with withDeps(scale, { factor })'
  assert.deepEqual(refused, [
    'PLAIT_SERIALIZATION',
    'cannot send the function given to pool.apply (`scale`): ' +
      `cannot read closures here (no inspector): it uses \`factor\`. ${hint}`,
    hint,
  ])
})
