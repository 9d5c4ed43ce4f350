/**
 * Which captured variables are one variable: seen in the templates, which hold together what shares a
 * variable.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capture } from '#plait/closure/capture.js'
import { Reviver } from '#plait/closure/revive.js'

const what = 'the value'

function trip<T>(value: T): { value: T; templates: number } {
  const { templates, bytes } = capture(value, { what })
  const reviver = new Reviver()
  for (const template of templates) reviver.addTemplate(template.bytes)
  return { value: reviver.revive(bytes, 0, bytes.length) as T, templates: templates.length }
}

function makeCounter(n: number): { add(): number; get(): number } {
  return { add: () => ++n, get: () => n }
}

let shared = 0
const bump = (): number => ++shared
const read = (): number => shared

test('functions without a common assigned variable stand alone, whatever their company', () => {
  const fixed = 5
  const one = (): number => fixed + 1
  const two = (): number => fixed + 2
  const alone = capture(one, { what }).templates[0]?.id
  const { templates } = capture([one, two], { what })
  assert.equal(templates.length, 2)
  assert.ok(templates.some(({ id }) => id === alone))
})

test('module-level variables are one, whoever captures them', () => {
  shared = 10
  const { value, templates } = trip([bump, read, () => read()])
  assert.equal(templates, 2)
  assert.deepEqual([value[0](), value[1](), value[2](), shared], [11, 11, 11, 10])
})

test('siblings of one nested scope share it, two instances with different values do not', () => {
  const { value } = trip([makeCounter(1), makeCounter(5)])
  assert.deepEqual([value[0].add(), value[0].get(), value[1].get(), value[1].add()], [2, 2, 5, 6])
})

test('two instances that look the same are refused', () => {
  assert.throws(() => capture([makeCounter(1), makeCounter(1)], { what }), {
    path: 'n',
    hint: 'Put `n` in an object or class',
  })
})

test('a nested scope deeper than its siblings, through blocks and loops', () => {
  const makers: (() => number)[] = []
  for (let i = 0; i < 2; i++) {
    let last = i * 10
    makers.push(() => ++last + i)
  }
  const { value } = trip(makers)
  assert.deepEqual([value[0](), value[0](), value[1]()], [1, 2, 12])
})

test('two payloads are two snapshots', () => {
  const counter = makeCounter(1)
  const first = trip(counter).value
  const second = trip(counter).value
  assert.deepEqual([first.add(), first.add(), second.add(), counter.get()], [2, 3, 2, 1])
})

test('the same template for the same code, whatever the values', () => {
  const make =
    (n: number): (() => number) =>
    () =>
      n
  const ids = [1, 2].map((n) => capture(make(n), { what }).templates[0]?.id)
  assert.equal(ids[0], ids[1])
})
