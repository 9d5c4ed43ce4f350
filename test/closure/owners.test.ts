/** What belongs to something else: methods and field arrows to their instance, keys to their symbol. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { registerReducer } from '#plait/codec/reducers.js'
import { Remote } from './remote.ts'

const remote = new Remote()
after(() => remote[Symbol.dispose]())

class Meter {
  value = 1
  read = (): number => this.value
  method(): number {
    return this.value + this.read()
  }
}

test('a bound method brings the fields of its instance, arrows among them', async () => {
  const meter = new Meter()
  meter.value = 4
  assert.equal(await remote.call(meter.method.bind(meter)), 8)
  const twice = meter.method.bind(meter).bind(null)
  assert.equal(await remote.call(twice), 8)
  const one = new Meter()
  assert.equal(await remote.call((a: Meter, b: Meter) => a.read() + b.value, meter, one), 5)
})

test('a bound method of an object literal finds its super', async () => {
  const object = {
    name: 'mine',
    tell() {
      return super.toString === Object.prototype.toString && this.name
    },
  }
  assert.equal(await remote.call(object.tell.bind(object)), 'mine')
})

test('a field arrow works where its instance is in the payload, first seen elsewhere or not', async () => {
  const meter = new Meter()
  meter.value = 7
  const { read } = meter
  assert.equal(await remote.call((first: () => number, _: Meter) => first(), read, meter), 7)
  const held = { read, inner: { meter } }
  assert.equal(await remote.call((all: typeof held) => all.read() + all.inner.meter.read(), held), 14)
})

test('a field arrow of an instance inside what a reducer returns', async () => {
  class Wrapped {
    readonly meter: Meter
    constructor(meter: Meter) {
      this.meter = meter
    }
  }
  registerReducer(Wrapped, {
    reduce: () => ({ meter: new Meter() }),
    revive: ({ meter }) => new Wrapped(meter),
  })
  assert.equal(await remote.call((one: Wrapped) => one.meter.read(), new Wrapped(new Meter())), 1)
})

test('a unique symbol comes home as itself: as a key, as a value, and again after a collection', async () => {
  const unique = Symbol('unique')
  for (let round = 0; round < 3; round++) {
    const back = await remote.call(() => ({ [unique]: 1, value: unique, all: new Map([[unique, [unique]]]) }))
    assert.equal(back[unique], 1)
    assert.equal(back.value, unique)
    assert.deepEqual(back.all.get(unique), [unique])
    globalThis.gc?.()
  }
})
