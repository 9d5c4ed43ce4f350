/**
 * Instances with #private state that come home, where their class is the original and has no hooks; and
 * functions that have to work while a payload is still being read.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Remote } from './remote.ts'

const remote = new Remote()
after(() => remote[Symbol.dispose]())

const effects: string[] = []

class Account {
  static #opened = 0
  static opened = 0
  readonly #id = ++Account.#opened
  #log: string[] = []
  owner: string
  constructor(owner: string, { limit = 0, tags: [first] = ['x'] }: { limit?: number; tags?: string[] } = {}) {
    if (typeof owner !== 'string') throw new TypeError('owner')
    Account.opened++
    this.owner = owner
    this.#log = [`${owner} ${limit} ${first}`]
    this.#log.push('opened')
  }
  note(text: string): this {
    this.#log.push(text)
    return this
  }
  #joined(): string {
    return this.#log.join()
  }
  tell(): string {
    return `${this.#id}: ${this.#joined()}`
  }
  same(other: Account): boolean {
    return this.#id === other.#id
  }
  static get count(): number {
    return Account.#opened
  }
}

class Savings extends Account {
  #rate = new Map([['now', 1]])
  constructor(owner = 'nobody', rate = 2) {
    super(owner)
    this.#rate.set('now', rate)
  }
  get rate(): number | undefined {
    return this.#rate.get('now')
  }
}

test('an instance that comes home has its state, and nobody noticed how', async () => {
  const account = new Account('ann')
  const before = [Account.count, Account.opened]
  const back = await remote.call((one: Account) => one.note('away'), account)
  assert.deepEqual([Account.count, Account.opened], before)
  assert.ok(back instanceof Account)
  assert.notEqual(back, account)
  assert.equal(back.tell(), '1: ann 0 x,opened,away')
  assert.ok(back.same(account))
  assert.deepEqual(Object.keys(back), ['owner'])
  assert.equal(back.owner, 'ann')
})

test('derived classes, and one made there', async () => {
  const back = await remote.call((rate: number) => new Savings('bob', rate), 7)
  assert.ok(back instanceof Savings)
  assert.equal(back.rate, 7)
  assert.match(back.tell(), /bob/)
  const again = await remote.call((one: Savings) => one.note('x'), back)
  assert.equal(again.tell(), `${back.tell()},x`)
})

test('a class of the other side that extends one of ours', async () => {
  const back = await remote.call((type: typeof Savings) => {
    class Local extends type {
      #more = ['more']
      get more(): string[] {
        return this.#more
      }
    }
    const made = new Local('eve', 3)
    made.more.push('still')
    return made
  }, Savings)
  assert.ok(back instanceof Savings)
  assert.deepEqual(back.more, ['more', 'still'])
  assert.equal(back.rate, 3)
})

test('subclasses of builtins', async () => {
  class Failure extends Error {
    #code = 1
    constructor(code: number) {
      super(`code ${code}`)
      this.#code = code
    }
    get code(): number {
      return this.#code
    }
  }
  class Bag extends Map<string, unknown> {
    #seen = 0
    see(): this {
      this.#seen++
      return this
    }
    get seen(): number {
      return this.#seen
    }
  }
  const [failure, bag] = await remote.call(
    (type: typeof Failure, one: Bag) => {
      one.see().set('self', one)
      return [new type(5), one] as const
    },
    Failure,
    new Bag([['a', 1]]),
  )
  assert.deepEqual([failure.code, failure.message, failure instanceof Failure], [5, 'code 5', true])
  assert.deepEqual([bag.seen, bag.get('a'), bag.get('self') === bag], [1, 1, true])
})

test('a constructor that reaches beyond the object is never run: an error says what to do', async () => {
  class Noisy {
    #x = 1
    constructor() {
      effects.push('constructed')
    }
    get x(): number {
      return this.#x
    }
  }
  const noisy = new Noisy()
  effects.length = 0
  await assert.rejects(
    remote.call((one: Noisy) => one, noisy),
    (error: Error & { hint: string }) => {
      assert.equal(error.name, 'SerializationError')
      assert.match(error.message, /an instance of Noisy came back.*does more than set fields/)
      assert.match(error.hint, /plait\.reduce/)
      return true
    },
  )
  assert.deepEqual(effects, [])
})

test('so does one that hands out a function, or calls one of its own', async () => {
  class Handing {
    #x: number[]
    constructor(items: number[]) {
      this.#x = Array.from(items, (item) => effects.push(String(item)))
    }
    get x(): number[] {
      return this.#x
    }
  }
  class Calling {
    #x = 1
    constructor() {
      const tell = (): number => effects.push('told')
      this.#x = tell()
    }
    get x(): number {
      return this.#x
    }
  }
  for (const one of [new Handing([1]), new Calling()]) {
    effects.length = 0
    await assert.rejects(
      remote.call((same: unknown) => same, one),
      /does more than set fields/,
    )
    assert.deepEqual(effects, [])
  }
})

test('setters and getters of the class count as reaching beyond', async () => {
  class Guarded {
    #x = 1
    constructor() {
      this.y = 2
    }
    set y(value: number) {
      effects.push(`set ${value}`)
      this.#x = value
    }
    get y(): number {
      return this.#x
    }
  }
  const guarded = new Guarded()
  effects.length = 0
  await assert.rejects(
    remote.call((one: Guarded) => one, guarded),
    /does more than set fields/,
  )
  assert.deepEqual(effects, [])
})

test('a #name that a class and its superclass share cannot be told apart', async () => {
  class Upper {
    #x = 1
    upper(): number {
      return this.#x
    }
  }
  class Lower extends Upper {
    #x = 2
    lower(): number {
      return this.#x
    }
  }
  assert.deepEqual(await remote.call((one: Lower) => [one.upper(), one.lower()], new Lower()), [1, 2])
  await assert.rejects(
    remote.call((one: Lower) => one, new Lower()),
    /must not use the same #name|cannot be set here/,
  )
})

test('many at once', async () => {
  const many = Array.from({ length: 3_000 }, (_, i) => new Account(`a${i}`))
  const back = await remote.call((all: Account[]) => all.map((one) => one.note('!')), many)
  assert.ok(back.every((one, i) => one.tell() === `${many[i].tell()},!`))
})

test('classes of the old style are classes', async () => {
  type Old = { x: number; up(): number }
  const Parent = function (this: Old, x: number) {
    this.x = x
  } as unknown as new (x: number) => Old
  Parent.prototype.up = function (this: Old) {
    return ++this.x
  }
  const Child = function (this: Old, x: number) {
    Reflect.apply(Parent, this, [x])
  } as unknown as new (x: number) => Old
  Child.prototype = Object.create(Parent.prototype as object, {
    constructor: { value: Child, writable: true, configurable: true },
  })
  const back = await remote.call(
    (one: Old) => [one, one.up(), new Child(9), new Parent(3)] as const,
    new Child(1),
  )
  assert.ok(back[0] instanceof Child && back[2] instanceof Child && back[3] instanceof Parent)
  assert.ok(!(back[3] instanceof Child))
  assert.deepEqual([back[0].x, back[0].up(), back[2].up()], [2, 3, 10])
})

test('an object whose prototype stands between it and its class', async () => {
  class Brand {
    #x = 1
    x(): number {
      return this.#x
    }
  }
  const between = Object.setPrototypeOf(
    new Brand(),
    Object.create(Brand.prototype, { note: { value: 'n' } }),
  ) as Brand
  const seen = await remote.call((one: Brand & { note?: string }) => [one.x(), one.note, one], between)
  assert.deepEqual(seen.slice(0, 2), [1, 'n'])
  assert.equal((seen[2] as Brand).x(), 1)
})

test("a reducer's function may use its variables while the payload is read", async () => {
  const table = { euro: { sign: '€', rates: [1, 2] } }
  class Money {
    readonly amount: number
    readonly sign: string
    constructor(amount: number, sign: string) {
      this.amount = amount
      this.sign = sign
    }
    [Symbol.for('plait.reduce')](): unknown {
      return [make, [this.amount, () => table]]
    }
  }
  const make = (amount: number, find: () => typeof table): Money =>
    new Money(amount * table.euro.rates[0], find().euro.sign)
  const data = { list: [new Money(1, '€'), new Money(2, '€')], make, table }
  const back = await remote.call(
    (all: typeof data) => [all.list, all.make(3, () => all.table), all.table === table],
    data,
  )
  const [list, third, same] = back as [Money[], Money, boolean]
  assert.deepEqual(
    list.map(({ amount, sign }) => [amount, sign]),
    [
      [1, '€'],
      [2, '€'],
    ],
  )
  assert.ok(list[0] instanceof Money && third instanceof Money)
  assert.equal(same, true)
})
