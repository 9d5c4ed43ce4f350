/**
 * Registered reducers travel with the classes they are for: instances that the other side makes or holds can
 * travel on, and home, where the home's own registration counts.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { registerReducer } from '#plait/codec/reducers.js'
import { capture } from '#plait/closure/capture.js'
import * as money from './money.ts'
import { Discount, Price } from './money.ts'
import { Remote } from './remote.ts'

const remote = new Remote()
after(() => remote[Symbol.dispose]())

async function fresh<R>(use: (other: Remote) => Promise<R>): Promise<R> {
  const other = new Remote()
  try {
    return await use(other)
  } finally {
    other[Symbol.dispose]()
  }
}

let reduced = 0
let revived = 0

class Money {
  readonly cents: number
  readonly live = new WeakMap<object, number>()
  constructor(cents: number) {
    this.cents = cents
  }
}
registerReducer(Money, {
  reduce(one) {
    reduced++
    return one.cents
  },
  revive: (cents) => {
    revived++
    return new Money(cents)
  },
})
registerReducer(Price, { reduce: (one) => one.cents, revive: (cents) => new Price(cents) })

test('a value with a reducer comes home, made by the registration of its home', async () => {
  const [seen, done] = [reduced, revived]
  const back = await remote.call(
    (one: Money) => [one, one.live instanceof WeakMap, one] as const,
    new Money(5),
  )
  assert.ok(back[0] instanceof Money)
  assert.equal(back[0].cents, 5)
  assert.equal(back[1], true)
  assert.equal(back[2], back[0])
  // Once each: what the other side counts is its own copy of these variables.
  assert.deepEqual([reduced - seen, revived - done], [1, 1])
})

test('a class that is only constructed there', async () => {
  const back = await remote.call(() => [new Money(3), new Money(4)])
  assert.ok(back[0] instanceof Money)
  assert.deepEqual([back[0].cents, back[1].cents], [3, 4])
})

test('a subclass goes by the reducer of its ancestor', async () => {
  class Coin extends Money {
    readonly kind = 'coin'
  }
  const back = await remote.call(() => new Coin(1))
  assert.equal(back.constructor, Money)
  assert.equal(back.cents, 1)
})

test('an imported class, where only the entry has registered', async () => {
  const price = new Price(7)
  // Each in a process of its own, which knows no reducer from the call before.
  const held = await fresh((other) => other.call((one: Price) => one, price))
  const made = await fresh((other) => other.call(() => new Price(8)))
  const inherited = await fresh((other) => other.call(() => new Discount(9)))
  assert.ok(held instanceof Price && made instanceof Price && inherited instanceof Price)
  assert.deepEqual([held.cents, made.cents, inherited.cents], [7, 8, 9])
})

test('an imported class that is reached through the namespace of its module', async () => {
  const back = await fresh((other) => other.call(() => new money.Price(2)))
  assert.ok(back instanceof Price)
  assert.equal(back.cents, 2)
})

test('a later registration goes with functions that were captured before', async () => {
  class Late {
    readonly live = new WeakMap<object, number>()
  }
  const make = (): Late => new Late()
  await assert.rejects(remote.call(make), { name: 'SerializationError', path: 'live' })
  registerReducer(Late, { reduce: () => 0, revive: () => new Late() })
  assert.ok((await remote.call(make)) instanceof Late)
})

test('a reducer whose functions belong here goes one way, and says so on the way back', async () => {
  const table = new WeakMap<object, number>()
  class Handle {
    readonly live = new WeakMap<object, number>()
    readonly id: number
    constructor(id: number) {
      this.id = id
    }
  }
  registerReducer(Handle, {
    reduce: (one) => {
      table.set(one, one.id)
      return one.id
    },
    revive: (id) => new Handle(id),
  })
  assert.equal(await remote.call((one: Handle) => one.id, new Handle(6)), 6)
  await assert.rejects(
    remote.call(() => new Handle(1)),
    (error: Error) => /the reducer of Handle could not come along.*`table`.*WeakMap/.test(error.message),
  )
})

test('what a reducer keeps a list of may hold the very instance that is sent', async () => {
  const all = new Map<number, unknown>()
  class Listed {
    readonly id: number
    constructor(id: number) {
      this.id = id
    }
  }
  registerReducer(Listed, {
    reduce: (one) => {
      all.set(one.id, one)
      return one.id
    },
    revive: (id) => new Listed(id),
  })
  const one = new Listed(4)
  const back = await remote.call((first: Listed) => [first, new Listed(5)], one)
  assert.deepEqual(
    back.map(({ id }) => id),
    [4, 5],
  )
  assert.ok(back[0] instanceof Listed)
})

test('functions that meet no class with a reducer carry none', () => {
  const plain = capture((x: number) => x + 1, { what: 'it' })
  assert.ok(!plain.bytes.includes('reduce') && plain.templates.every(({ bytes }) => !bytes.includes('cents')))
})
