/**
 * What coroutines cost: a switch less than awaiting a promise that is resolved already, measured in turns in
 * one run, and so little memory that a million of them fit into a process. Runs alone, as it measures time.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Scheduler } from 'plait/coroutine'

const coroutines = 100
const turns = 3000
const resolved = Promise.resolve()

async function switches(): Promise<void> {
  const scheduler = new Scheduler()
  for (let i = 0; i < coroutines; i++)
    scheduler.spawn(function* () {
      for (let n = 0; n < turns; n++) yield
    })
  await scheduler.run()
}

async function awaits(): Promise<void> {
  const loops = Array.from({ length: coroutines }, () => async () => {
    for (let n = 0; n < turns; n++) await resolved
  })
  await Promise.all(loops.map((loop) => loop()))
}

async function time(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

test('a switch costs less than awaiting a resolved promise', async () => {
  const ratios: number[] = []
  for (let round = 0; round < 15; round++) ratios.push((await time(switches)) / (await time(awaits)))
  const median = ratios.slice(2).sort((a, b) => a - b)[6]
  assert.ok(
    median < 1,
    `a switch takes ${median.toFixed(2)} of an await: ${ratios.map((r) => r.toFixed(2)).join(' ')}`,
  )
})

test('a hundred thousand live coroutines take less than 2 kB each', () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
  const before = process.memoryUsage().heapUsed
  const scheduler = new Scheduler()
  for (let i = 0; i < 100_000; i++)
    scheduler.spawn(function* () {
      yield
      return i
    })
  for (let i = 0; i < 100_000; i++) scheduler.step()
  gc()
  const each = (process.memoryUsage().heapUsed - before) / 100_000
  assert.ok(each > 100 && each < 2000, `${each.toFixed(0)} bytes each`)
  assert.ok(scheduler.step())
})
