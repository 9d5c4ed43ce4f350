/** Programs run by tasks: what the room gives out travels between processes, and constants stay the same. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Pool, SerializationError } from 'plait'
import {
  CalledProcessError,
  checkOutput,
  CompletedProcess,
  PIPE,
  Popen,
  run,
  runSync,
  sh,
  STDOUT,
  TimeoutExpired,
} from 'plait/subprocess'
import { checkLeaks } from '../leaks.js'
import { failure } from './kit.js'

let pool: Pool
after(() => pool[Symbol.asyncDispose]()) // first: checkLeaks() looks afterwards
checkLeaks()
before(() => {
  pool = new Pool(1)
})

test('a CompletedProcess comes back as one', async () => {
  const done = await pool.apply(() => run(['sh', '-c', 'echo out; exit 3'], { captureOutput: true }))
  assert.ok(done instanceof CompletedProcess)
  assert.deepEqual([done.returncode, done.stdout], [3, Buffer.from('out\n')])
  assert.throws(() => done.checkReturncode(), CalledProcessError)
})

test('errors come back as what they are', async () => {
  const args = ['sh', '-c', 'echo out; echo err >&2; exit 3']
  const error = await failure<CalledProcessError>(() =>
    pool.apply(() => run(args, { check: true, captureOutput: true, encoding: 'utf8' })),
  )
  assert.ok(error instanceof CalledProcessError)
  assert.deepEqual(
    [error.returncode, error.cmd, error.stdout, error.stderr, error.code],
    [3, args, 'out\n', 'err\n', 'PLAIT_CALLED_PROCESS'],
  )
  const late = await failure<TimeoutExpired>(() =>
    pool.apply(() => runSync(['sleep', '1000'], { timeout: 1, stdout: PIPE })),
  )
  assert.ok(late instanceof TimeoutExpired)
  assert.deepEqual([late.timeout, late.cmd, late.stdout], [1, ['sleep', '1000'], Buffer.alloc(0)])
  const missing = await failure<NodeJS.ErrnoException>(() => pool.apply(() => run(['no-such-tool'])))
  assert.deepEqual([missing.code, missing.path], ['ENOENT', 'no-such-tool'])
})

test('the constants can be given to a task', async () => {
  const options = { stdout: PIPE, stderr: STDOUT, encoding: 'utf8' } as const
  const { stdout } = await pool.apply(
    (args: string[], o: typeof options) => run(args, o),
    [['echo', 'x'], options],
  )
  assert.equal(stdout, 'x\n')
})

test('many programs by many tasks', async () => {
  const outputs = await pool.map(
    (n) => checkOutput(sh`echo ${n}`, { shell: true, encoding: 'utf8' }),
    [1, 2, 3, 4],
  )
  assert.deepEqual(outputs, ['1\n', '2\n', '3\n', '4\n'])
})

test('a running program does not travel', async () => {
  await using p = new Popen(['cat'], { stdin: PIPE })
  const error = await failure(() => pool.apply(() => p.pid))
  assert.ok(error instanceof SerializationError, error.stack)
})

test('in a thread, too', async () => {
  const program = `import { parentPort } from 'node:worker_threads'
    import { Popen, PIPE, run, runSync, STDOUT } from 'plait/subprocess'
    const p = new Popen(['cat'], { stdin: PIPE, stdout: PIPE, encoding: 'utf8' })
    const [echo] = await p.communicate({ input: 'a' })
    const text = { captureOutput: true, encoding: 'utf8' }
    const late = await run(['sleep', '1000'], { timeout: 5 }).catch((error) => error.name)
    const merged = { stdout: PIPE, stderr: STDOUT, encoding: 'utf8' }
    const both = await run('echo d; echo e >&2', { shell: true, ...merged })
    parentPort.postMessage([
      echo, (await run(['echo', 'b'], text)).stdout, runSync(['echo', 'c'], text).stdout, both.stdout, late,
    ])`
  // Beside this file, so that it finds plait.
  const url = new URL('thread.mjs', import.meta.url)
  writeFileSync(url, program)
  try {
    const worker = new Worker(url)
    const message = await once(worker, 'message')
    assert.deepEqual(message[0], ['a', 'b\n', 'c\n', 'd\ne\n', 'TimeoutExpired'])
    await worker.terminate()
  } finally {
    rmSync(url)
  }
})
