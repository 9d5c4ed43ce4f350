/**
 * Classes that come back from a payload, and their instances: heritage, statics, computed keys, #private
 * state.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Encoder } from '#plait/codec/encode.js'
import { privatesOf, staticsOf } from '#plait/closure/receive/instances.js'
import { node, record } from '#plait/closure/wire.js'
import { cell, payload, receive, trip, unit, type Plan } from './receive-kit.js'

type Class = new (...args: never[]) => Record<string, unknown>

const log: string[] = []
const made = (what: string): string => (log.push(what), what)

/** An instance as capture writes it; `privates` by class, topmost first. */
function instanceWriter(instances: ReadonlyMap<object, Function>): NonNullable<Plan['write']> {
  return (value, encoder) => {
    const type = instances.get(value as object)
    if (type === undefined) return false
    encoder.writeUint(node.instance)
    encoder.write(type)
    encoder.writeNative(value as object)
    return true
  }
}

function writePrivates(
  encoder: Encoder,
  instance: object,
  type: Function,
  values: readonly [string, unknown][],
): void {
  encoder.writeUint(record.privates)
  encoder.write(instance)
  encoder.write(type)
  encoder.writeUint(values.length)
  for (const [name, value] of values) {
    encoder.writeString(name)
    encoder.write(value)
  }
}

test('static values and blocks never run; their results are data', async () => {
  class Counter {
    static total = made('static field')
    static #hidden = made('private static')
    static {
      made('static block')
    }
    static peek(): string {
      return Counter.#hidden
    }
    value = made('instance field')
  }
  log.length = 0
  const Back = (await trip({
    groups: [[unit(Counter, [cell('made', made)])], [unit(made, [cell('log', log)])]],
    root: Counter,
    classes: [{ value: Counter }],
    records: (encoder, number) => {
      encoder.writeUint(record.own)
      encoder.writeUint(number(Counter))
      encoder.writeUint(1)
      encoder.write('total')
      encoder.writeUint(7)
      encoder.write('kept')
      encoder.writeUint(record.statics)
      encoder.writeUint(number(Counter))
      encoder.writeUint(1)
      encoder.writeString('#hidden')
      encoder.write('secret')
    },
  })) as typeof Counter
  assert.deepEqual(log, [])
  assert.equal(Back.total, 'kept')
  assert.equal(Back.peek(), 'secret')
  assert.deepEqual(staticsOf(Back), [['#hidden', 'secret']])
  assert.equal(new Back().value, 'instance field')
  assert.equal(Back.name, 'Counter')
})

test('heritage is handed in, however it is written', async () => {
  class Base {
    static kind = 'base'
    who(): string {
      return 'base'
    }
  }
  const mixin = (Parent: typeof Base): typeof Base =>
    class extends Parent /* { */ {
      override who(): string {
        return `mixed ${super.who()}`
      }
    }
  const Mixed = mixin(Base)
  class Leaf extends (made('never'), Mixed) {
    override who(): string {
      return `leaf ${super.who()}`
    }
    static tell(): string {
      return super.kind
    }
  }
  log.length = 0
  const back = (await trip({
    groups: [[unit(Base)], [unit(Mixed)], [unit(Leaf)]],
    root: [Leaf, Mixed, Base],
    classes: [{ value: Base }, { value: Mixed, parent: ['unit', 0] }, { value: Leaf, parent: ['unit', 1] }],
    records: (encoder, number) => {
      encoder.writeUint(record.own)
      encoder.writeUint(number(Base))
      encoder.writeUint(1)
      encoder.write('kind')
      encoder.writeUint(7)
      encoder.write('base')
    },
  })) as [typeof Leaf, typeof Base, typeof Base]
  assert.deepEqual(log, [])
  assert.equal(new back[0]().who(), 'leaf mixed base')
  assert.equal(back[0].tell(), 'base')
  assert.ok(new back[0]() instanceof back[2])
  assert.equal(Object.getPrototypeOf(back[0]), back[1])
  assert.equal(back[1].name, Mixed.name)
})

test('extends null, builtins as superclass', async () => {
  class Nothing extends (null as unknown as ObjectConstructor) {
    static yes(): number {
      return 1
    }
  }
  class Names extends Map<string, number> {
    sum(): number {
      return [...this.values()].reduce((a, b) => a + b, 0)
    }
  }
  const names = new Names([
    ['a', 1],
    ['b', 2],
  ])
  const back = (await trip({
    groups: [[unit(Nothing)], [unit(Names)]],
    root: [Nothing, Names, names],
    references: [[3, ['Map']]],
    classes: [
      { value: Nothing, parent: ['value', null] },
      { value: Names, parent: ['reference', 0] },
    ],
    write: instanceWriter(new Map([[names, Names]])),
  })) as [typeof Nothing, typeof Names, Names]
  assert.equal(back[0].yes(), 1)
  assert.equal(Object.getPrototypeOf(back[0].prototype), null)
  assert.ok(back[2] instanceof back[1])
  assert.equal(back[2].sum(), 3)
})

test('computed keys: given, or evaluated over early cells', async () => {
  const key = 'dynamic'
  const field = 'spot'
  class Keyed {
    [key](): string {
      return 'method'
    }
    static get [`${key}Static`](): string {
      return 'static'
    }
    get [Symbol.toStringTag](): string {
      return 'tag'
    }
    [field] = 'value'
  }
  const keyCell = cell('key', undefined)
  const fieldCell = cell('field', field)
  const Back = (await trip({
    groups: [[unit(Keyed, [keyCell, fieldCell])]],
    root: Keyed,
    early: new Map([[fieldCell, ['value', field]]]),
    classes: [
      {
        value: Keyed,
        keys: [['value', 'dynamic'], ['value', 'dynamicStatic'], ['value', Symbol.toStringTag], null],
      },
    ],
  })) as typeof Keyed
  const instance = new Back()
  assert.equal(instance.dynamic(), 'method')
  assert.equal(instance.spot, 'value')
  assert.equal((Back as unknown as { dynamicStatic: string }).dynamicStatic, 'static')
  assert.equal(Object.prototype.toString.call(instance), '[object tag]')
})

test('#private state returns without any user code running', async () => {
  class Base {
    #id: number
    label = made('label')
    readonly made = made
    constructor({ id }: { id: number }) {
      made('Base constructor')
      this.#id = id
    }
    id(): number {
      return this.#next(0)
    }
    #next(by: number): number {
      return this.#id + by
    }
    static is(value: object): boolean {
      return #id in value
    }
  }
  class Derived extends Base {
    #items: string[] = [made('items')]
    #own = () => 'arrow'
    extra = made('extra')
    constructor({ id } = { id: Number(made('default')) }, ...[first = made('inner default')]: string[]) {
      made('Derived before super')
      super({ id })
      this.#items.push(first)
    }
    get items(): string[] {
      return this.#items
    }
    get #secret(): string {
      return this.#own()
    }
    secret(): string {
      return this.#secret
    }
  }
  const derived = new Derived({ id: 4 }, 'x')
  const base = new Base({ id: 9 })
  const own = (): string => 'restored'
  log.length = 0
  const plan: Plan = {
    groups: [
      [unit(Base, [cell('made', made)])],
      [unit(Derived, [cell('made', made)])],
      [unit(made, [cell('log', log)])],
      [unit(own)],
    ],
    root: [derived, base, Derived, Base],
    classes: [{ value: Base }, { value: Derived, parent: ['unit', 0] }],
    write: instanceWriter(
      new Map<object, Function>([
        [derived, Derived],
        [base, Base],
      ]),
    ),
    records: (encoder) => {
      writePrivates(encoder, derived, Base, [['#id', 4]])
      writePrivates(encoder, derived, Derived, [
        ['#items', ['a', derived]],
        ['#own', own],
      ])
      writePrivates(encoder, base, Base, [['#id', 9]])
    },
  }
  const [d, b, D, B] = (await trip(plan)) as [Derived, Base, typeof Derived, typeof Base]
  assert.deepEqual(log, [])
  assert.ok(d instanceof D && d instanceof B && b instanceof B && B.is(d) && B.is(b))
  assert.deepEqual([d.id(), b.id()], [4, 9])
  assert.equal(d.items[0], 'a')
  assert.equal<unknown>(d.items[1], d)
  assert.equal(d.secret(), 'restored')
  assert.deepEqual(Object.keys(d), Object.keys(derived))
  assert.deepEqual(privatesOf(B, d), [['#id', 4]])
  assert.equal(privatesOf(D, b), undefined)
  const fresh = new D({ id: 1 }, 'y')
  assert.deepEqual(
    [fresh.id(), fresh.items, fresh.secret(), fresh.extra],
    [1, ['items', 'y'], 'arrow', 'extra'],
  )
  assert.equal(D.length, Derived.length)
})

test('#private state on instances of builtins, arrays and frozen ones', async () => {
  class Ledger extends Array<number> {
    #owner = 'nobody'
    length2 = 0
    owner(): string {
      return this.#owner
    }
  }
  class Failure extends Error {
    override readonly message = made('message')
    #code = 0
    code(): number {
      return this.#code
    }
  }
  const ledger = Object.freeze(Ledger.of(1, 2, 3)) as Ledger
  const failure = new Failure('boom')
  log.length = 0
  const back = (await trip({
    groups: [[unit(Ledger)], [unit(Failure, [cell('made', made)])], [unit(made, [cell('log', log)])]],
    root: [ledger, failure],
    references: [
      [3, ['Array']],
      [3, ['Error']],
    ],
    classes: [
      { value: Ledger, parent: ['reference', 0] },
      { value: Failure, parent: ['reference', 1] },
    ],
    write: instanceWriter(
      new Map<object, Function>([
        [ledger, Ledger],
        [failure, Failure],
      ]),
    ),
    records: (encoder) => {
      writePrivates(encoder, ledger, Ledger, [['#owner', 'ann']])
      writePrivates(encoder, failure, Failure, [['#code', 7]])
    },
  })) as [Ledger, Failure]
  assert.deepEqual(log, [])
  assert.deepEqual(
    [back[0].owner(), back[0].length, [...back[0]], Object.isFrozen(back[0])],
    ['ann', 3, [1, 2, 3], true],
  )
  assert.deepEqual([back[1].code(), back[1].message, back[1].name], [7, 'message', 'Error'])
  assert.equal(back[1].stack, failure.stack)
})

test('a class that only has private methods is branded', async () => {
  class Quiet {
    #speak(): string {
      return 'psst'
    }
    say(): string {
      return this.#speak()
    }
  }
  const quiet = new Quiet()
  const back = (await trip({
    groups: [[unit(Quiet)]],
    root: quiet,
    classes: [{ value: Quiet }],
    write: instanceWriter(new Map([[quiet, Quiet]])),
  })) as Quiet
  assert.equal(back.say(), 'psst')
})

test('classes on one line without semicolons, as minifiers write them', async () => {
  const text = 'class{static a=1;static#b=2;#c=[3,4];w=4;static{this.d=1}get(){return this.#c}}'
  const Tight: Class = class {} as Class
  const instance = Object.create(Tight.prototype) as object
  const [back, T] = (await trip({
    groups: [[unit(Tight, [], { text })]],
    root: [instance, Tight],
    classes: [{ value: Tight }],
    write: instanceWriter(new Map([[instance, Tight]])),
    records: (encoder) => writePrivates(encoder, instance, Tight, [['#c', [9]]]),
  })) as [{ get(): unknown }, Class]
  assert.deepEqual(back.get(), [9])
  assert.deepEqual(new T(), Object.assign(Object.create(T.prototype) as object, { w: 4 }))
  assert.deepEqual((new T() as unknown as { get(): unknown }).get(), [3, 4])
})

test('a second payload finds the same class and brings its variables up to date', async () => {
  class Tally {
    static note = ''
    count(): number {
      return total
    }
  }
  const total = 0
  const plan = (value: number, note: string): Plan => ({
    groups: [[unit(Tally, [cell('total', value)])]],
    root: Tally,
    classes: [{ value: Tally, id: 'elsewhere:1' }],
    records: (encoder, number) => {
      encoder.writeUint(record.own)
      encoder.writeUint(number(Tally))
      encoder.writeUint(1)
      encoder.write('note')
      encoder.writeUint(7)
      encoder.write(note)
    },
  })
  const First = (await receive(payload(plan(1, 'one')))) as typeof Tally
  const instance = new First()
  const Second = (await receive(payload(plan(2, 'two')))) as typeof Tally
  assert.equal(First, Second)
  assert.equal(instance.count(), 2)
  assert.equal(First.note, 'two')
})
