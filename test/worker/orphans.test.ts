/**
 * Children and grandchildren of a program that is SIGKILLed: gone within a second, whatever they are doing.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'

const program = resolve('test/fixtures/worker/parent.js')

/**
 * Runs the fixture until its worker is busy, ends it by `end`, and waits for the pipe that all of them hold
 * as stdout to close: then all are gone. Returns the milliseconds between.
 */
async function msUntilAllGone(
  command: unknown,
  end: (parent: ChildProcess) => unknown,
  then = '',
  answers = 1,
): Promise<number> {
  const parent = spawn(process.execPath, [program, JSON.stringify(command), then], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ANSWERS: String(answers) },
  })
  let output = ''
  for await (const chunk of parent.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    output += chunk
    if (output.endsWith('ready\n')) break
  }
  assert.match(output, /ready\n$/)
  await end(parent)
  const began = performance.now()
  parent.stdout.resume()
  if (!parent.stdout.closed) await once(parent.stdout, 'close', { signal: AbortSignal.timeout(10_000) })
  return performance.now() - began
}

const kill = (parent: ChildProcess): boolean => parent.kill('SIGKILL')

/** The shells that watch over the children of `parent`, without those that were killed. */
function shellsOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        const [state, ppid] = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/.*\) /s, '').split(' ')
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
        return Number(ppid) === parent && state !== 'Z' && command.startsWith('/bin/sh\0-c\0')
      } catch {
        return false // it has ended meanwhile
      }
    })
    .map(Number)
}

test('a killed parent takes along a child that waits', async () => {
  assert.ok((await msUntilAllGone(['identity'], kill)) < 1000)
})

test('a killed parent takes along a child that spins, within a second', async () => {
  assert.ok((await msUntilAllGone(['spin'], kill)) < 1000)
})

test('a killed parent takes along a grandchild that spins', async () => {
  assert.ok((await msUntilAllGone(['nest', ['spin']], kill, '', 2)) < 1000)
})

test('a parent that exits takes along a child that spins', async () => {
  assert.ok((await msUntilAllGone(['spin'], () => {}, 'exit')) < 1000)
})

test('a killed parent that was blocked since its start takes along a child that spins', async () => {
  assert.ok((await msUntilAllGone(['spinLoudly'], kill, 'block')) < 1000)
})

test(
  'the shell that watches over the children is replaced',
  { skip: process.platform !== 'linux' },
  async () => {
    const ms = await msUntilAllGone(['spin'], async (parent) => {
      for (let times = 0; times < 2; times++) {
        const [before, ...more] = shellsOf(parent.pid!)
        assert.ok(before !== undefined && more.length === 0)
        process.kill(before, 'SIGKILL')
        const until = performance.now() + 10_000
        while (!shellsOf(parent.pid!).some((pid) => pid !== before)) {
          assert.ok(performance.now() < until, 'no other shell came')
          await new Promise(setImmediate)
        }
        const idle = once(parent.stdout!, 'data') // until then the shell may know nothing yet
        parent.kill('SIGUSR2')
        assert.equal(String(await idle), 'idle\n')
      }
      kill(parent)
    })
    assert.ok(ms < 1000)
  },
)
