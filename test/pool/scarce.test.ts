/** A program that has no descriptor left, or no shared memory: its pools need neither, and go on. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { regionForProcess } from '#plait/memory/region.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

const skip = regionForProcess().fd === undefined && 'no memory between processes here'
const file = fileURLToPath(new URL('scarce-program.js', import.meta.url))

/** What the program has found, in a shell of its own that has few descriptors. */
async function program(mode: string): Promise<unknown> {
  // Workers that go over to the rings before their first task.
  const env = { ...process.env, PLAIT_TRANSPORT: 'mapped', NODE_TEST_CONTEXT: '' }
  const shell = ['-c', 'ulimit -n 128 && exec "$0" "$@"', process.execPath, file, mode]
  const { stdout } = await promisify(execFile)('/bin/sh', shell, { env })
  return JSON.parse(stdout)
}

test('no descriptor is left when a worker goes over to the rings: it works on', { skip }, async () => {
  assert.deepEqual(await program('descriptors'), {
    results: ['first', 'second', 'third'],
    restarts: 0,
  })
})

test('no descriptor is left when a thread ends: that is told all the same', { skip }, async () => {
  assert.deepEqual(await program('end'), { joined: true, result: 'told' })
})

test('the shared memory is full: a new pool works without', { skip }, async () => {
  assert.deepEqual(await program('memory'), { refusal: 'MemoryError', results: [2, 3, 4] })
})

test('a link whose rings have no room leaves nothing', { skip }, async () => {
  const errors = ['MemoryError', 'MemoryError']
  assert.deepEqual(await program('rings'), { refusal: 'MemoryError', errors, left: 0 })
})
