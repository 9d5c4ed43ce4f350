/** Reducers through a pool: both ways, in map, and for classes that a worker only constructs. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Pool, registerReducer } from 'plait'
import { Price } from './money.ts'

class Money {
  readonly cents: number
  readonly live = new WeakMap<object, number>()
  constructor(cents: number) {
    this.cents = cents
  }
}
registerReducer(Money, { reduce: (one) => one.cents, revive: (cents) => new Money(cents) })
registerReducer(Price, { reduce: (one) => one.cents, revive: (cents) => new Price(cents) })

const pool = new Pool(1)
after(() => pool.terminate())

test('apply: there, back, and made there', async () => {
  for (const back of [
    await pool.apply((one: Money) => one, [new Money(5)]),
    await pool.apply(() => new Money(5)),
  ]) {
    assert.ok(back instanceof Money)
    assert.equal(back.cents, 5)
  }
})

test('map: every element', async () => {
  const given = Array.from({ length: 100 }, (_, cents) => new Money(cents))
  const back = await pool.map((one: Money) => one, given)
  assert.ok(back.every((one) => one instanceof Money))
  assert.deepEqual(
    back.map(({ cents }) => cents),
    given.map(({ cents }) => cents),
  )
  const made = await pool.map((cents: number) => new Money(cents), [1, 2])
  assert.ok(made.every((one) => one instanceof Money))
})

test('an imported class, registered by the entry alone', async () => {
  assert.ok((await pool.apply((one: Price) => one, [new Price(1)])) instanceof Price)
  const made = await pool.map((cents: number) => new Price(cents), [1, 2])
  assert.ok(made.every((one) => one instanceof Price))
})
