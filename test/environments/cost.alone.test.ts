/**
 * What closures cost, end to end and with nothing else running: medians, and ratios measured side by side.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInThisContext } from 'node:vm'
import { capture, prewarm } from '#plait/closure/capture.js'
import { Pool } from 'plait'
import { count } from './hot.ts'

const what = 'the function'

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1]
}

/** The median of `runs`; of three attempts, since the machine may be busy elsewhere, the best. */
function measure(runs: number, fn: (run: number) => void): number {
  const attempts = [1, 2, 3].map(() => {
    const times: number[] = []
    for (let run = 0; run < runs; run++) {
      const start = performance.now()
      fn(run)
      times.push(performance.now() - start)
    }
    return median(times)
  })
  return Math.min(...attempts)
}

const settings = { factor: 1 }
const fixed = 7
let moving = 1

test('a small closure with changing values is captured in 0.4 ms, again and again', () => {
  prewarm()
  const cost = measure(500, (run) => {
    settings.factor = run
    moving = run
    capture((x: number) => x * settings.factor + moving, { what })
  })
  assert.ok(cost < 0.4, `${(cost * 1000).toFixed(0)} µs`)
})

test('a function that captures nothing that can change is captured in 5 µs', () => {
  const fn = (x: number): number => x * fixed
  const cost = measure(500, () => {
    for (let i = 0; i < 20; i++) capture(fn, { what })
  })
  assert.ok(cost / 20 < 0.005, `${((cost / 20) * 1000).toFixed(1)} µs`)
})

const settled = Promise.resolve()

async function awaits(): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < 20_000; i++) await settled
  return performance.now() - start
}

test('awaiting is as fast after captures as before: no debugger is left on', async () => {
  await awaits()
  const before: number[] = []
  const after: number[] = []
  for (let round = 0; round < 15; round++) {
    before.push(await awaits())
    // A script that was not there before: its name can only be had from the Debugger domain.
    const fn = runInThisContext(`(() => { const n = ${round}; return () => n })()`) as () => number
    capture(() => [fn, settings], { what })
    after.push(await awaits())
  }
  const ratio = median(after) / median(before)
  assert.ok(ratio < 2, `${ratio.toFixed(2)} times as slow`)
})

/** The same text as in hot.ts; this file is the entry, so it travels by value. */
function countHere(n: number): number {
  let total = 0
  for (let i = 0; i < n; i++) total = (total + i * 3) % 1_000_003
  return total
}

test('a revived loop runs at the speed of one that the worker imports', async () => {
  await using pool = new Pool(1)
  const measureBoth = (): number => {
    const revived: number[] = []
    const imported: number[] = []
    const time = (fn: (n: number) => number): number => {
      const start = performance.now()
      fn(2_000_000)
      return performance.now() - start
    }
    for (let round = 0; round < 15; round++) {
      revived.push(time(countHere))
      imported.push(time(count))
    }
    const middle = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1]
    return middle(revived) / middle(imported)
  }
  // The machine may be busy elsewhere: the best of three attempts counts.
  const ratios = await pool.map(measureBoth, [1, 2, 3])
  assert.ok(Math.min(...ratios) < 1.25, `${ratios.join()} times as slow`)
})
