/**
 * A pool over rings in memory that is killed in full flight: a death costs what was running and nothing else,
 * whatever byte of a record the worker was at, and nothing is left in the memory of the program. The seed is
 * another one each time, and printed; PLAIT_SEED=n runs it again.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WorkerLostError } from '#plait/core/errors.js'
import { usage } from '#plait/memory/heap.js'
import { regionForProcess } from '#plait/memory/region.js'
import { Pool } from '#plait/pool/pool.js'
import { ThreadPool } from '#plait/pool/thread-pool.js'
import { backend, die, fromOutside, itInProcesses } from '../backend.js'
import { checkLeaks } from '../leaks.js'
import { random } from './chaos-plan.js'

checkLeaks()

const seed = Number(process.env['PLAIT_SEED'] ?? Math.floor(Math.random() * 1e9))
const TestPool = backend === 'thread' ? ThreadPool : Pool
const skip =
  backend === 'process' && regionForProcess().fd === undefined && 'no memory between processes here'
/** Workers that go over to the rings before their first task. */
const env = { ...process.env, PLAIT_TRANSPORT: 'mapped' }

const rounds = 14

/** Small, large, and larger than the ring. */
const answer = (n: number): string => `${n} `.repeat(n % 97 === 0 ? 60_000 : n % 31 === 0 ? 2_000 : 1)

const title = `a worker that is killed loses one task at most (PLAIT_SEED=${seed})`
itInProcesses(fromOutside, title, async (t) => {
  if (skip !== false) return t.skip(skip)
  const next = random(seed)
  await using pool = new TestPool({ processes: 2, env })
  let kills = 0
  let lost = 0
  for (let round = 0; round < rounds; round++) {
    const tasks = Array.from({ length: 1500 }, (_, i) => pool.apply(answer, [round * 1500 + i]))
    const victims = pool.statistics().workers.filter(({ state }) => state === 'busy' || state === 'idle')
    await new Promise((resolve) => setTimeout(resolve, next() * 20))
    for (const { pid } of victims.slice(0, 1 + (round % 2)))
      try {
        process.kill(pid, 'SIGKILL')
        kills++
      } catch {
        // it has ended by itself meanwhile
      }
    const outcomes = await Promise.allSettled(tasks)
    for (const [i, outcome] of outcomes.entries())
      if (outcome.status === 'fulfilled') assert.equal(outcome.value, answer(round * 1500 + i))
      else if (outcome.reason instanceof WorkerLostError) lost++
      else throw outcome.reason
  }
  assert.ok(kills > rounds / 2, `${kills} kills`)
  assert.ok(lost <= kills, `${lost} tasks were lost with ${kills} workers`)
  const { completed, failed } = pool.statistics()
  assert.deepEqual([completed, failed], [1500 * rounds - lost, lost])
})

test('results that a worker had written are not lost, however it ends', { skip }, async () => {
  for (const how of ['kill', 'exit'] as const) {
    await using pool = new TestPool({ processes: 1, env })
    await pool.apply(answer, [1])
    const last = 700
    const act = (n: number, way: typeof how): number => {
      if (n < last) return n
      if (way === 'kill') die()
      process.exit(3)
    }
    const outcomes = await Promise.allSettled(
      Array.from({ length: last + 20 }, (_, i) => pool.apply(act, [i <= last ? i : 0, how])),
    )
    for (const [i, outcome] of outcomes.entries())
      if (i === last) assert.ok(outcome.status === 'rejected' && outcome.reason instanceof WorkerLostError)
      else assert.deepEqual(outcome, { status: 'fulfilled', value: i < last ? i : 0 }, `${how}, task ${i}`)
  }
})

test('a pool leaves nothing in the memory of the program', { skip }, async () => {
  const before = usage()
  const pool = new TestPool({ processes: 3, env })
  // One that is killed before it comes to its link, one in a task, one that is dismissed.
  if (backend === 'process') process.kill(pool.statistics().workers[0].pid, 'SIGKILL')
  await Promise.allSettled([pool.apply(die), pool.apply(() => 1)])
  assert.ok(usage().blocks > before.blocks)
  pool.close()
  await pool.join()
  const after = usage()
  assert.deepEqual([after.blocks, after.bytes], [before.blocks, before.bytes])
})
