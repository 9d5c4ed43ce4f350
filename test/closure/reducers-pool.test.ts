/** Reducers through a pool: both ways, in map, and for classes that a worker only constructs. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Pool, Queue, registerReducer } from 'plait'
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

/** Does `before` whenever it is sent. */
class Eager {
  before: () => unknown
  constructor(before: () => unknown = () => {}) {
    this.before = before
  }
}
registerReducer(Eager, { reduce: (one) => (one.before(), null), revive: () => new Eager() })

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

for (const [what, inner] of [
  ['that travels', 1],
  ['that cannot travel', new WeakMap()],
] as const)
  test(`a reducer submits something ${what} to the very pool: each task keeps its own handles`, async () => {
    const queue = new Queue<string>()
    let nested: Promise<unknown> = Promise.resolve()
    const first = new Eager(() => (nested = pool.apply((x: unknown) => x, [inner]).catch(() => 'refused')))
    const second = new Eager(() => void pool.apply((x: unknown) => x, [inner]).catch(() => {}))
    const gate = new Queue<number>()
    const outer = pool.apply(
      (queue: Queue<string>, gate: Queue<number>, ..._: Eager[]) => [
        gate.getSync({ timeout: 10_000 }),
        queue.getSync({ timeout: 10_000 }),
      ],
      [queue, gate, first, second],
    )
    queue.putNowait('mine')
    queue.close()
    // Where the task has no share of its own the memory is another queue's by now.
    const others = Array.from({ length: 3 }, () => new Queue<string>())
    for (const other of others) other.putNowait('not yours')
    gate.putNowait(5)
    assert.deepEqual(await outer, [5, 'mine'])
    assert.equal(await nested, inner === 1 ? 1 : 'refused')
    for (const one of [gate, ...others]) one.close()
  })
