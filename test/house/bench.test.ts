/**
 * The benchmarks run: every program, with next to nothing to do, beside every rival. What they print means
 * nothing then; that they print it for all is what is asked here.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../bench/main.js', import.meta.url))

function bench(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
  return { status, out: stdout, err: stderr }
}

const subjects: Readonly<Record<string, readonly string[]>> = {
  tasks: ['Tasks one by one, all submitted at once', 'Tasks one by one, by 64 awaiting loops'],
  trip: ['Round trip of one task'],
  map: ['A map of a million numbers', 'A map of 200,000 small objects'],
  scaling: ['CPU-bound work'],
  start: ['Import, then a pool of two up to its first result', 'A process from start to join'],
  footprint: ['Memory of a waiting worker', 'CPU of a waiting pool, parent and workers together'],
  closure: ['A function with each call, one call at a time'],
  switch: ['A switch, one coroutine', 'A switch, a thousand coroutines in turns'],
  fetch: ['Pages fetched and read by 64 coroutines'],
  sync: [
    'Lock, nobody else there',
    'RLock, nobody else there',
    'Semaphore, nobody else there',
    'Lock, two processes at once',
    'A permit to a process that sleeps, and one back',
  ],
  where: ['CPU time a task'],
  long: ['Ten million tasks through one pool'],
  million: ['64 live coroutines'],
}
const rivals = ['plait', 'piscina', 'tinypool', 'workerpool']

for (const [name, titles] of Object.entries(subjects))
  test(`npm run bench -- ${name}`, () => {
    const { status, out, err } = bench(name, '--tiny')
    assert.equal(status, 0, out + err)
    assert.match(out, /^Node v\d+.* on \w+ \w+, \d+ × .+\npiscina \d.*, tinypool \d.*, workerpool \d/)
    const tables = out.split('\n\n').slice(1)
    assert.deepEqual(
      tables.map((table) => table.split('\n')[0]),
      titles,
    )
    if (!['tasks', 'trip', 'map'].includes(name)) return
    for (const table of tables)
      for (const rival of rivals) assert.match(table, new RegExp(`^  ${rival}\\b.* +\\d`, 'm'))
  })

test('an unknown benchmark is refused with a sentence', () => {
  const { status, err } = bench('nothing')
  assert.equal(status, 2)
  assert.match(err, /No benchmark is called nothing: there are tasks, trip, /)
})
