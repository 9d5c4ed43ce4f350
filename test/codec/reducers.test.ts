/** Reducers and the extension: instances of classes, functions and symbols, cycles through all of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from '#plait/codec/encode.js'
import { decode } from '#plait/codec/decode.js'
import { findReducer, registerReducer } from '#plait/codec/reducers.js'
import { Writer } from '#plait/codec/writer.js'
import { bytesOf, Local, trip, valueOf } from './trip.ts'

class Money {
  #cents: number
  constructor(cents: number) {
    this.#cents = cents
  }
  get cents(): number {
    return this.#cents
  }
}
class Euro extends Money {}

registerReducer(Money, {
  reduce: (money) => ({ cents: money.cents }),
  revive: ({ cents }) => new Money(cents),
})

test('a registered reducer carries an instance, and its revive travels', () => {
  const one = new Money(5)
  const back = trip({ one, again: one, more: [new Money(7)] }, new Local())
  assert.ok(back.one instanceof Money)
  assert.equal(back.one.cents, 5)
  assert.equal(back.again, back.one)
  assert.equal(back.more[0].cents, 7)
})

test('exact class first, then the nearest ancestor', () => {
  assert.equal(findReducer(new Euro(1)), findReducer(new Money(1)))
  registerReducer(Euro, { reduce: (euro) => euro.cents, revive: (cents) => new Euro(cents) })
  assert.notEqual(findReducer(new Euro(1)), findReducer(new Money(1)))
  assert.ok(trip(new Euro(3), new Local()) instanceof Euro)
  assert.equal(findReducer({}), undefined)
})

test('a class may reduce itself', () => {
  class Point {
    readonly x: number
    readonly y: number
    constructor(x: number, y: number) {
      this.x = x
      this.y = y
    }
    static make(x: number, y: number): Point {
      return new Point(x, y)
    }
    [Symbol.for('plait.reduce')](): unknown {
      return [Point.make, [this.x, this.y]]
    }
  }
  const back = trip(new Point(1, 2), new Local())
  assert.ok(back instanceof Point)
  assert.deepEqual([back.x, back.y], [1, 2])
  class Wrong {
    [Symbol.for('plait.reduce')](): unknown {
      return 5
    }
  }
  assert.throws(() => trip({ a: new Wrong() }, new Local()), {
    path: 'a',
    message: /must return \[function, arguments\]/,
  })
})

test('a reducer that encodes on its own does not disturb the message around it', () => {
  class Sealed {
    readonly inner = { a: 1 }
  }
  registerReducer(Sealed, {
    reduce(value) {
      const writer = new Writer()
      encode(value.inner, writer)
      return writer.bytes.subarray(0, writer.pos)
    },
    revive(bytes) {
      const back = new Sealed()
      Object.assign(back.inner, decode(bytes, 0, bytes.length))
      return back
    },
  })
  const back = trip([{ a: 1 }, new Sealed(), { a: 2 }, new Sealed()], new Local())
  assert.deepEqual(back, [{ a: 1 }, new Sealed(), { a: 2 }, new Sealed()])
})

test('a reducer that throws is named, with its error as cause', () => {
  class Broken {}
  const cause = new Error('no')
  registerReducer(Broken, { reduce: () => assert.fail(cause), revive: () => new Broken() })
  assert.throws(() => trip({ x: [new Broken()] }, new Local()), {
    name: 'SerializationError',
    path: 'x[0]',
    cause,
    message: /its reducer failed: no/,
  })
})

test('an error of revive arrives as it was thrown', () => {
  class Late {}
  const thrown = new Error('late')
  registerReducer(Late, {
    reduce: () => 1,
    revive() {
      throw thrown
    },
  })
  const local = new Local()
  const bytes = bytesOf(new Late(), local)
  assert.throws(
    () => valueOf(bytes, local),
    (error) => error === thrown,
  )
})

test('a state that refers back to its instance is refused', () => {
  class Loop {
    self: unknown = [this]
  }
  registerReducer(Loop, { reduce: (loop) => loop.self, revive: () => new Loop() })
  assert.throws(() => trip({ loop: new Loop() }, new Local()), {
    path: 'loop[0]',
    message: /refers back to the instance/,
  })
})

test('checks at the door', () => {
  const register = registerReducer as (type: unknown, reducer: unknown) => void
  const good = { reduce: () => 1, revive: () => 1 }
  assert.throws(() => register(5, good), TypeError)
  assert.throws(() => register(() => 1, good), { name: 'TypeError', message: /no prototype/ })
  assert.throws(() => register(Object, good), TypeError)
  assert.throws(() => register(class {}, undefined), TypeError)
  assert.throws(() => register(class {}, { reduce: 1, revive: () => 1 }), {
    message: /reducer\.reduce must be a function/,
  })
  assert.throws(() => register(class {}, { reduce: () => 1 }), {
    message: /reducer\.revive must be a function/,
  })
})

test('the native part of user classes, without running their constructors', () => {
  let made = 0
  class Bag extends Map<string, unknown> {
    label = 'bag'
    constructor(entries?: [string, unknown][]) {
      super(entries)
      made++
    }
  }
  class List extends Array<unknown> {}
  class Bytes extends Uint8Array {}
  class Problem extends RangeError {
    readonly detail: unknown
    constructor(message: string, detail: unknown) {
      super(message)
      this.detail = detail
      made++
    }
  }
  class When extends Date {}
  class Plain {
    a = 1
    self = this as unknown
    set trap(_: unknown) {
      made += 1000
    }
  }
  const bag = new Bag([['k', 1]])
  bag.set('self', bag)
  const plain = Object.defineProperty(new Plain(), 'trap', {
    value: 'own',
    enumerable: true,
    writable: true,
    configurable: true,
  })
  const hidden = Object.freeze(Object.defineProperty(new Plain(), 'hidden', { value: [1] }))
  const value = {
    bag,
    list: List.from([1, 'x']),
    bytes: new Bytes([1, 2]),
    problem: new Problem('m', { d: 1 }),
    when: new When(5),
    plain,
    hidden,
  }
  const before = made
  const back = trip(value, new Local())
  assert.equal(made, before)
  assert.deepStrictEqual(back, value)
  assert.ok(back.bag instanceof Bag)
  assert.equal(back.bag.get('self'), back.bag)
  assert.ok(back.list instanceof List && Array.isArray(back.list) && back.list.length === 2)
  assert.ok(back.bytes instanceof Bytes)
  assert.ok(back.problem instanceof Problem)
  assert.equal(back.problem.stack, value.problem.stack)
  assert.equal(back.plain.self, back.plain)
  assert.equal((back.plain as { trap?: unknown }).trap, 'own')
  assert.deepEqual(
    Object.getOwnPropertyDescriptor(back.hidden, 'hidden'),
    Object.getOwnPropertyDescriptor(hidden, 'hidden'),
  )
  assert.ok(Object.isFrozen(back.hidden))
})

test('functions, unique symbols and accessors go through the extension', () => {
  const fn = (): number => 1
  const unique = Symbol('u')
  const value = {
    fn,
    again: fn,
    unique,
    [unique]: 1,
    get seven() {
      return 7
    },
  }
  const back = trip(value, new Local())
  assert.equal(back.fn, fn)
  assert.equal(back.unique, unique)
  assert.equal(back[unique], 1)
  assert.deepEqual(
    Object.getOwnPropertyDescriptor(back, 'seven'),
    Object.getOwnPropertyDescriptor(value, 'seven'),
  )
})

test('an extension may claim a plain object that is out of the ordinary', () => {
  class Claiming extends Local {
    claims(value: object): boolean {
      return value === Math
    }
    override encode(value: object | symbol, encoder: never): void {
      if (value === Math) super.encode(Math.abs, encoder)
      else super.encode(value, encoder)
    }
  }
  assert.equal(trip({ m: Math }, new Claiming() as never).m, Math.abs)
})
