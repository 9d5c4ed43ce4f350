/** The example examples/seed/subprocess.ts, run as a user runs it, prints what its text says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from 'plait/subprocess'

const program = fileURLToPath(new URL('../../examples/seed/subprocess.js', import.meta.url))

test('the seed example about subprocess', async () => {
  const { stdout, stderr, returncode } = await run([process.execPath, program], {
    captureOutput: true,
    encoding: 'utf8',
    timeout: 60_000,
  })
  assert.equal(stderr, '')
  assert.deepEqual(stdout.split('\n'), [
    "pid is the program's own: true",
    "with a shell it is the shell's: true",
    'what runs in the shell has its own, usually the next one: true',
    'while it runs: null',
    'after a good end: 0',
    'after terminate(): -15',
    'pasted:   "notes.txt\\nyour files are gone\\n"',
    'passed:   "notes.txt; echo your files are gone\\n"',
    'with sh:  "notes.txt; echo your files are gone\\n"',
    '',
  ])
  assert.equal(returncode, 0)
})
