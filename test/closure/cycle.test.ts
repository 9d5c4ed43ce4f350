/**
 * Modules that import the entry back, which here is this very file: nothing of them travels by name. What a
 * worker would have twice is refused.
 */
// oxlint-disable import/no-cycle -- what is tested
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { capture, ownedVariables } from '#plait/closure/capture.js'
import { double } from './library.ts'
import * as hub from './cycle-hub.ts'
import { counted, connection, state } from './cycle-hub.ts'
import * as cycle from './cycle-library.ts'
import {
  address,
  back,
  bumped,
  connect,
  connected,
  count,
  increase,
  Meter,
  plusBase,
} from './cycle-library.ts'
import { Remote } from './remote.ts'

export const base = 7
export let mine = 1
export const bump = (): number => ++mine

const remote = new Remote()
after(() => remote[Symbol.dispose]())
const what = 'the value'

const way = /run the program again \(cycle\.test\.js → cycle-library\.js → cycle\.test\.js\): move what/

test('functions and classes of such a module travel by value, of others by name', async () => {
  assert.equal(capture(plusBase, { what }).templates.length, 1)
  assert.equal(capture(double, { what }).templates.length, 0)
  assert.equal(await remote.call(plusBase, 1), 8)
  assert.equal(await remote.call(() => plusBase(double(1))), 9)
  const meter = await remote.call((one: Meter) => new Meter(one.value), new Meter(1))
  assert.ok(meter instanceof Meter)
  assert.equal(meter.value, 15)
})

test('its variables are a snapshot', async () => {
  increase()
  assert.deepEqual([await remote.call(increase), await remote.call(() => increase())], [2, 2])
  assert.deepEqual([await remote.call(() => count), await remote.call(() => counted), count], [1, 1, 1])
})

test('an imported variable that its module assigns to in the same payload is refused', () => {
  const refused: [fn: () => unknown, path: string][] = [
    [() => [increase(), count], 'count'],
    [() => [increase(), counted], 'counted'],
    [() => [counted, increase()], 'counted'],
  ]
  for (const [fn, path] of refused)
    assert.throws(() => capture(fn, { what }), {
      path,
      message: /it is an import, and a function of the module that declares it assigns to it/,
      hint: 'Export a function of that module that reads `count`',
    })
  assert.throws(() => capture(bumped, { what }), { path: 'mine' })
})

test('objects are one, whoever imports them', async () => {
  const fn = (): boolean => {
    state.opened++
    return increase() > 0 && state.opened === 1
  }
  assert.equal(await remote.call(fn), true)
})

test('what an initializer assigns through such a module belongs to the worker', async () => {
  const initializer = (): void => connect('worker')
  const owned = ownedVariables(initializer)
  assert.notEqual(owned, null)
  const worker = new Remote({ owned: owned ?? undefined })
  after(() => worker[Symbol.dispose]())
  await worker.call(initializer)
  assert.deepEqual(await worker.call(() => [connected(), connection]), ['worker', 'worker'])
  assert.equal(connection, 'none')
})

test('the namespace of such a module is refused', () => {
  for (const fn of [() => cycle.increase(), () => hub.increase()])
    assert.throws(() => capture(fn, { what }), { hint: way, message: /Import its names one by one/ })
})

test('what it holds and cannot travel is refused, and the cycle is named', () => {
  assert.throws(() => capture(address, { what }), { path: 'server', hint: way, message: way })
})

test('importing it, or the entry, inside a function is refused', () => {
  assert.throws(() => capture(back, { what }), {
    hint: way,
    message: /it imports \.\/cycle\.test\.js, which/,
  })
  const fn = async (): Promise<number> => (await import('./cycle-library.ts')).count
  assert.throws(() => capture(fn, { what }), {
    hint: way,
    message: /it imports \.\/cycle-library\.js, which/,
  })
})
