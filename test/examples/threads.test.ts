/**
 * The programs of examples/seed/ about threads, run as a reader runs them: what they print, and that they
 * end.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cpuCount } from 'plait'
import { tasksIn, until } from '../tasks.js'

const fileOf = (name: string): string =>
  fileURLToPath(new URL(`../../examples/seed/${name}.js`, import.meta.url))

function run(name: string, ...args: string[]): { lines: string[]; pid: number } {
  const { status, stdout, stderr, pid } = spawnSync(process.execPath, [fileOf(name), ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  assert.equal(status, 0, stderr)
  assert.equal(stderr, '')
  return { lines: stdout.trimEnd().split('\n'), pid }
}

test('the thread pool: each greets once, and those on threads greet at the same time', () => {
  const { lines } = run('thread-pool', '1000')
  const hellos = ['hello: a', 'hello: b', 'hello: c']
  assert.deepEqual(lines.slice(0, 3), hellos)
  assert.deepEqual(lines.slice(4, 7).toSorted(), hellos)
  assert.deepEqual(lines.slice(8, 11).toSorted(), hellos)
  const times = [3, 7, 11].map((i) => Number(/^time\d: (\d+\.\d+)$/.exec(lines[i])?.[1]))
  assert.equal(lines.length, 12)
  assert.ok(times[0] >= 3 && times[1] >= 1 && times[2] >= 1, times.join())
  assert.ok(times[2] < times[0], times.join())
})

test('the loops: one for each core, all at once, and they can be ended', async () => {
  const child = spawn(process.execPath, [fileOf('gil-loop')], { stdio: 'inherit' })
  const ended = once(child, 'exit')
  // Whether each gets its core is for the machine to say, but none waits for another: twice in a row the same
  // ones run, or could.
  let [before, now]: number[][] = [[], []]
  await until('as many that run as there are loops', () => {
    ;[before, now] = [now, tasksIn('R', child.pid)]
    return now.filter((task) => before.includes(task)).length >= cpuCount()
  }).finally(() => child.kill('SIGINT'))
  assert.deepEqual(await ended, [null, 'SIGINT'])
  const { lines } = run('gil-loop', '1000')
  const [, threads, busy] = /^(\d+) threads, (\d+\.\d+) cores busy$/.exec(lines.join('\n')) ?? []
  assert.equal(Number(threads), cpuCount())
  assert.ok(Number(busy) > 0, busy)
})

test('the threads: one process, two names, every line', () => {
  const { lines, pid } = run('thread-names')
  assert.equal(lines.at(-1), 'MainThread ends')
  assert.equal(lines.filter((line) => line === `Process to write: ${pid}`).length, 2)
  for (const [i, values] of [
    [1, [1, 2, 3]],
    [2, [4, 5, 6]],
  ] as const)
    assert.deepEqual(
      lines.filter((line) => line.startsWith(`Thread-${i} (write) :`)),
      values.map((value) => `Thread-${i} (write) :Put ${value}`),
    )
})
