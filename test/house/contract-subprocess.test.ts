/**
 * The public types of `plait/subprocess`, as programs: the compiler is the test, as in contract.test.ts.
 * Nothing in `uses` is ever called.
 */
import assert from 'node:assert/strict'
import type { Readable, Writable } from 'node:stream'
import { test } from 'node:test'
import type { PlaitError } from 'plait'
import * as subprocess from 'plait/subprocess'
import {
  call,
  CalledProcessError,
  checkCall,
  checkOutput,
  CompletedProcess,
  DEVNULL,
  PIPE,
  Popen,
  run,
  runSync,
  sh,
  STDOUT,
  SubprocessError,
  TimeoutExpired,
  type PopenOptions,
  type RunOptions,
} from 'plait/subprocess'
import { exactly } from './exactly.js'

export const uses = {
  async popen() {
    const p = new Popen(['ls'], {
      stdin: PIPE,
      stdout: DEVNULL,
      stderr: STDOUT,
      cwd: '/',
      env: { A: 'b' },
      group: true,
    })
    exactly<Writable | null>()(p.stdin)
    exactly<Readable | null>()(p.stdout)
    exactly<number>()(p.pid)
    exactly<number | null>()(p.poll())
    exactly<number | null>()(p.returncode)
    exactly<number>()(await p.wait({ timeout: 1, signal: new AbortController().signal }))
    exactly<[stdout: string | Buffer | null, stderr: string | Buffer | null]>()(
      await p.communicate({ input: 'x' }),
    )
    exactly<Promise<void>>()(p[Symbol.asyncDispose]())
    p.sendSignal('SIGUSR1')
    p.sendSignal(9)
    const text = new Popen('ls', { encoding: 'utf8', shell: '/bin/bash', stdout: 1, stderr: process.stderr })
    exactly<[stdout: string | null, stderr: string | null]>()(await text.communicate())
    const any: Popen = text
    const options: PopenOptions = { env: process.env, encoding: 'latin1' }
    exactly<Popen>()(new Popen(['ls'], options))
    // @ts-expect-error only stderr may be STDOUT
    new Popen(['ls'], { stdout: STDOUT })
    // @ts-expect-error no such option
    new Popen(['ls'], { stdoot: PIPE })
    return any
  },
  async run() {
    exactly<CompletedProcess<Buffer | null>>()(await run(['ls']))
    exactly<CompletedProcess<string | null>>()(await run(['ls'], { encoding: 'utf8', stdout: PIPE }))
    exactly<CompletedProcess<string>>()(
      await run('ls', { captureOutput: true, encoding: 'utf8', timeout: 1 }),
    )
    exactly<CompletedProcess<Buffer>>()(await run(['ls'], { captureOutput: true, input: Buffer.of(1) }))
    exactly<CompletedProcess<string>>()(
      runSync(['ls'], { captureOutput: true, encoding: 'utf8', check: true }),
    )
    exactly<CompletedProcess<Buffer | null>>()(runSync('ls'))
    const options: RunOptions = { captureOutput: true, signal: new AbortController().signal }
    const done: CompletedProcess = await run(['ls'], options)
    exactly<CompletedProcess>()(await run(['ls'], options))
    exactly<string | Buffer | null>()(done.stdout)
    exactly<void>()(done.checkReturncode())
    exactly<Promise<number>>()(call(['ls'], options))
    exactly<Promise<0>>()(checkCall(['ls'], { env: { A: 'x' } }))
    exactly<Promise<string>>()(checkOutput(['ls'], { encoding: 'utf8' }))
    exactly<Promise<Buffer>>()(checkOutput(sh`ls ${'x'}`, { shell: true, stderr: STDOUT }))
    // @ts-expect-error no such option
    void run(['ls'], { captureOuput: true })
    // @ts-expect-error nothing can abort it
    runSync(['ls'], { signal: new AbortController().signal })
  },
  subprocessErrors(error: unknown) {
    if (error instanceof CalledProcessError) exactly<number>()(error.returncode)
    if (error instanceof TimeoutExpired) exactly<number>()(error.timeout)
    if (error instanceof TimeoutExpired) exactly<readonly string[] | string>()(error.cmd)
    if (error instanceof CalledProcessError) exactly<string | Buffer | null>()(error.stderr)
    const base: PlaitError | undefined = error instanceof SubprocessError ? error : undefined
    return base
  },
}

test('the names that plait/subprocess exports', () => {
  assert.deepEqual(Object.keys(subprocess).sort(), [
    'CalledProcessError',
    'CompletedProcess',
    'DEVNULL',
    'PIPE',
    'Popen',
    'STDOUT',
    'SubprocessError',
    'TimeoutExpired',
    'call',
    'checkCall',
    'checkOutput',
    'join',
    'quote',
    'run',
    'runSync',
    'sh',
    'split',
  ])
})
