/** What becomes of a pool while its program stays in one turn of the event loop. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Pool } from 'plait'
import { checkLeaks } from '../leaks.js'

checkLeaks()

/** More results than the kernel keeps for one who does not read. */
const many = 30_000
/** So many tasks last longer than workers need for `many`, on the busiest machine. */
const forEver = 500_000

test('workers go on while tasks are submitted, and nobody is called before the turn is over', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plait-turn-'))
  const flag = join(folder, 'reached')
  await using pool = new Pool(2)
  const task = (n: number): number => {
    if (n === 30_000) writeFileSync(flag, '')
    return n
  }
  // The pool learns how short these tasks are.
  await Promise.all(Array.from({ length: 1_000 }, () => pool.apply(task, [0])))

  const called: number[] = []
  const results: PromiseLike<number>[] = []
  // One turn: it ends when the workers have come as far as they could not without being heard.
  while (results.length <= many || (results.length % 100 === 0 && !existsSync(flag))) {
    assert.ok(results.length < forEver, `no worker came to task ${many}`)
    for (let i = 0; i < 100; i++) {
      const n = results.length
      results.push(pool.applyAsync(task, [n], { callback: (value) => called.push(value) }))
    }
    assert.deepEqual(called, [])
  }
  assert.deepEqual(
    await Promise.all(results),
    results.map((_, n) => n),
  )
  assert.equal(called.length, results.length)
  rmSync(folder, { recursive: true })
})

test('a worker that dies unheard takes only what it ran along', async () => {
  await using pool = new Pool(1)
  const task = (n: number): number => {
    if (n === 4_000) process.kill(process.pid, 'SIGKILL')
    return n
  }
  await Promise.all(Array.from({ length: 1_000 }, () => pool.apply(task, [0])))
  const results: Promise<number>[] = []
  for (let n = 0; n < 20_000; n++) results.push(pool.apply(task, [n]))
  const outcomes = await Promise.allSettled(results)
  const lost = outcomes.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))
  assert.deepEqual(lost, [4_000])
})
