/**
 * What reviving costs: as ratios within this process where it can be, and what it must never load.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { Reviver } from '#plait/closure/revive.js'
import { cell, payload, receive, unit } from './receive-kit.js'

const table = [1, 2, 3, 4]
const factor = 3
let calls = 0
const mix = (x: number): number => {
  calls++
  return (x ^ 5) + table[x & 3]
}
const hot = (n: number): number => {
  let sum = 0
  for (let i = 0; i < n; i++) sum = (sum + mix(i) * factor) % 1_000_003
  return sum
}

const made = payload({
  groups: [
    [unit(hot, [cell('factor', factor), cell('mix', mix)])],
    [unit(mix, [cell('calls', 0, { assigned: true }), cell('table', table)])],
  ],
  root: hot,
})

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]
}

function time(fn: () => unknown): number {
  const start = performance.now()
  fn()
  return performance.now() - start
}

test('a revived hot loop runs at the speed of the original', async () => {
  const one = (await receive(made)) as typeof hot
  const other = (await receive(made)) as typeof hot
  assert.equal(one(1000), hot(1000))
  assert.equal(calls, 1000)
  // The machine may be busy elsewhere: three attempts, the best counts.
  const ratios = Array.from({ length: 3 }, () => {
    const original: number[] = []
    const revived: number[] = []
    for (let i = 0; i < 9; i++) {
      original.push(time(() => hot(400_000)))
      revived.push(time(() => (i % 2 === 0 ? one : other)(400_000)))
    }
    return median(revived) / median(original)
  })
  assert.ok(Math.min(...ratios) < 1.25, `ratios ${ratios.join()}`)
})

test('reviving again what was revived before takes far less than 0.2 ms', () => {
  const reviver = new Reviver()
  for (const template of made.templates) reviver.addTemplate(template)
  const times = Array.from({ length: 200 }, () =>
    time(() => {
      void reviver.prepare(made.bytes, 0, made.bytes.length)
      reviver.revive(made.bytes, 0, made.bytes.length)
    }),
  )
  assert.ok(median(times) < 0.2, `${median(times)} ms`)
})

test('the receiving half loads neither parser nor inspector', () => {
  const script = `
    await import(${JSON.stringify(import.meta.resolve('#plait/closure/revive.js'))})
    const { createRequire } = await import('node:module')
    const loaded = Object.keys(createRequire(import.meta.url).cache).concat(process.moduleLoadList)
    const unwanted = /acorn|es-module-lexer|NativeModule inspector$/
    console.log(JSON.stringify(loaded.filter((name) => unwanted.test(name))))`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  assert.deepEqual(JSON.parse(output), [])
})
