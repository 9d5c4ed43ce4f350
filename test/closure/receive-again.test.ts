/**
 * Identity over more than one trip: classes at home, copies, recapture of what was revived.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { originOf } from '#plait/closure/walk/origins.js'
import { findTracked, homeId, idOf, isHomeOf, knownId } from '#plait/closure/tracker.js'
import { record, type Reference } from '#plait/closure/wire.js'
import { cell, payload, receive, script, trip, unit, type Plan } from './receive-kit.js'

type Fn = (...args: unknown[]) => unknown

test("a class that comes home is the home's own, and its state is left alone", async () => {
  class Account {
    static #rate = 1
    static rate(): number {
      return Account.#rate
    }
    static label = 'now'
    total(): number {
      return total
    }
  }
  let total = 5
  const bump = (): number => ++total
  const shared = cell('total', 1, { assigned: true })
  const id = idOf(Account)
  assert.ok(isHomeOf(id) && isHomeOf(id, homeId) && !isHomeOf(id, 'other'))
  assert.equal(idOf(Account), id)
  const [Back, again] = (await trip({
    groups: [[unit(Account, [shared], { line: 1 }), unit(bump, [shared], { line: 9 })]],
    root: [Account, bump],
    classes: [{ value: Account, id }],
    records: (encoder, number) => {
      encoder.writeUint(record.own)
      encoder.writeUint(number(Account))
      encoder.writeUint(1)
      encoder.write('label')
      encoder.writeUint(7)
      encoder.write('then')
      encoder.writeUint(record.statics)
      encoder.writeUint(number(Account))
      encoder.writeUint(1)
      encoder.writeString('#rate')
      encoder.write(99)
    },
  })) as [typeof Account, Fn]
  assert.equal(Back, Account)
  assert.equal(Account.label, 'now')
  assert.equal(Account.rate(), 1)
  assert.equal(new Account().total(), 5)
  assert.equal(again(), 2)
})

test('a copy keeps the id of its home, and a reference by id finds it', async () => {
  class Far {}
  const Copy = (await trip({
    groups: [[unit(Far)]],
    root: Far,
    classes: [{ value: Far, id: 'far:1' }],
  })) as typeof Far
  assert.equal(idOf(Copy), 'far:1')
  assert.equal(findTracked('far:1'), Copy)
  assert.equal(knownId(Far), undefined)
  assert.equal(await trip({ groups: [], root: 'found', references: [[7, 'far:1']] }), 'found')
  await assert.rejects(trip({ groups: [], root: 1, references: [[7, 'far:2']] }), /not here any more/)
})

test('a class in other company is still the same class', async () => {
  class Alone {
    count(): number {
      return count
    }
  }
  const count = 0
  const other = (): number => count
  const plan = (value: number, units: (shared: ReturnType<typeof cell>) => Plan['groups']): Plan => ({
    groups: units(cell('count', value, { assigned: true })),
    root: Alone,
    classes: [{ value: Alone, id: 'far:3' }],
  })
  const First = (await receive(payload(plan(1, (shared) => [[unit(Alone, [shared])]])))) as typeof Alone
  const company = plan(2, (shared) => [[unit(other, [shared], { line: 9 }), unit(Alone, [shared])]])
  const Second = (await receive(payload(company))) as typeof Alone
  assert.equal(First, Second)
  assert.equal(new First().count(), 2)
})

test('a class that nobody holds is forgotten, and made again', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  class Brief {}
  const bring = async (): Promise<WeakRef<object>> =>
    new WeakRef(
      (await trip({
        groups: [[unit(Brief)]],
        root: Brief,
        classes: [{ value: Brief, id: 'far:4' }],
      })) as object,
    )
  const first = await bring()
  for (let i = 0; i < 10 && first.deref() !== undefined; i++) {
    await new Promise(setImmediate)
    collectGarbage()
  }
  assert.equal(first.deref(), undefined)
  assert.notEqual((await bring()).deref(), undefined)
})

test('a revived function tells what it was captured as, and its variables as they are now', async () => {
  let n = 1
  const up = (): number => ++n + helper(n)
  const get = (): number => n
  const helper = (x: number): number => x
  const shared = cell('n', 5, { assigned: true })
  const by = cell('helper')
  const reference: Reference = [3, ['Math', 'abs']]
  const [up2, get2] = (await trip({
    groups: [[unit(up, [shared, by], { line: 3, column: 4 }), unit(get, [shared], { line: 4 })]],
    root: [up, get],
    references: [reference],
    early: new Map([[by, ['reference', 0]]]),
  })) as Fn[]
  up2()
  const origin = originOf(up2)!
  assert.equal(origin.value, up2)
  assert.equal(origin.text, String(up))
  assert.deepEqual(
    [origin.line, origin.column, origin.script.url, origin.script.kind],
    [3, 4, script.url, 'module'],
  )
  assert.equal(origin.analysis.free.get('n')?.assigned, true)
  const live = origin.cells.get('n')!
  assert.equal(live.value, 6)
  assert.equal(live.assigned, true)
  assert.equal(originOf(get2)!.cells.get('n'), live)
  up2()
  assert.equal(live.value, 7)
  assert.deepEqual(origin.cells.get('helper')!.reference, reference)
  assert.equal(origin.cells.get('helper')!.value, Math.abs)
  assert.equal(originOf(helper), undefined)
})

test('an edited text comes out as it was, three trips on', async () => {
  class Deep extends Object {
    static value = 1;
    [Symbol.for('k')]() {
      return import.meta.url
    }
    #x = [1]
    x(): unknown {
      return [this.#x, owned]
    }
  }
  const owned = 1
  let current = Deep as Function
  let unitNow = unit(Deep, [cell('owned', 1, { owned: 'k' })], { line: 7, column: 2 })
  const text = unitNow.text
  for (let trip3 = 0; trip3 < 3; trip3++) {
    const classes = [{ value: current, parent: ['reference', 0] as const, keys: [null] }]
    current = (await trip({
      groups: [[unitNow]],
      root: current,
      references: [[3, ['Object']]],
      classes,
    })) as Function
    unitNow = originOf(current) as typeof unitNow
    assert.equal(unitNow.text, text)
    assert.equal(unitNow.kind, 'class')
    assert.deepEqual([unitNow.line, unitNow.column], [7, 2])
    assert.equal(unitNow.cells.get('owned')!.owned, 'k')
  }
  const instance = new (current as new () => { x(): unknown[] })()
  assert.deepEqual(instance.x()[0], [1])
  assert.equal((instance as unknown as Record<symbol, Fn>)[Symbol.for('k')](), script.url)
})
