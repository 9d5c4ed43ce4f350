/** Classes by value and their instances, in another process and back. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { after, test } from 'node:test'
import { Point } from './library.ts'
import { Remote } from './remote.ts'

const remote = new Remote()
after(() => remote[Symbol.dispose]())

class Counter {
  static made = 0
  static #registry: string[] = ['first']
  #n = 0
  constructor(start = 0) {
    this.#n = start
    Counter.made++
  }
  add(): this {
    this.#n++
    return this
  }
  get value(): number {
    return this.#n
  }
  static registry(): string[] {
    return Counter.#registry
  }
  #hidden(): string {
    return `n=${this.#n}`
  }
  show(): string {
    return this.#hidden()
  }
}

class Named extends Counter {
  static override made = 40
  name = 'none'
  constructor(name: string, start: number) {
    super(start)
    this.name = name
  }
  override show(): string {
    return `${this.name} ${super.show()}`
  }
}

test('a class is made there with its statics, and its constructor runs only for new instances', async () => {
  Counter.made = 5
  const fn = (): unknown[] => [Counter.made, new Counter(3).add().value, Counter.made, Counter.registry()]
  assert.deepEqual(await remote.call(fn), [5, 4, 6, ['first']])
})

test('instances arrive with public and #private state, superclasses and methods', async () => {
  const fn = (one: Named): unknown[] => [
    one instanceof Named,
    one instanceof Counter,
    one.add().show(),
    one.value,
  ]
  assert.deepEqual(await remote.call(fn, new Named('seven', 7)), [true, true, 'seven n=8', 8])
})

test('an instance that comes home is one of the class here', async () => {
  class Plain {
    x = 1
    bump(): this {
      this.x++
      return this
    }
  }
  const back = await remote.call((one: Plain) => one.bump(), new Plain())
  assert.ok(back instanceof Plain)
  assert.deepEqual([back.x, back.bump().x], [2, 3])
})

test('a class keeps one identity over many calls', async () => {
  class Thing {}
  const keep = (type: Function): boolean => {
    const seen = (globalThis as Record<string, unknown>)['seenClass']
    ;(globalThis as Record<string, unknown>)['seenClass'] = type
    return seen === type
  }
  assert.equal(await remote.call(keep, Thing), false)
  assert.equal(await remote.call(keep, Thing), true)
})

test('computed keys, accessors, symbols, static methods, iterators', async () => {
  const key = Symbol('key')
  const word = { said: 'hello' }
  class Odd {
    [Symbol.toStringTag] = 'field';
    [key](): number {
      return 1
    }
    [`${word.said}World`](): string {
      return 'computed'
    }
    static [Symbol.hasInstance](value: unknown): boolean {
      return value === 'odd'
    }
    *[Symbol.iterator](): Iterator<number> {
      yield* [1, 2]
    }
    static get version(): number {
      return 3
    }
  }
  const fn = (one: Odd, symbol: typeof key): unknown[] => [
    Odd[Symbol.hasInstance]('odd'),
    [...one],
    (one as never as Record<string, unknown>)['helloWorld'] !== undefined,
    Odd.version,
    one[symbol](),
    Object.prototype.toString.call(new Odd()),
  ]
  assert.deepEqual(await remote.call(fn, new Odd(), key), [true, [1, 2], true, 3, 1, '[object field]'])
})

test('mixins and classes of builtin classes', async () => {
  const Loud = <T extends new (...args: any[]) => object>(Base: T) =>
    class extends Base {
      shout(): string {
        return 'HEY'
      }
    }
  class Bag extends Map<string, number> {
    sum(): number {
      return [...this.values()].reduce((a, b) => a + b, 0)
    }
  }
  class Problem extends Error {
    readonly code = 42
  }
  class Bus extends EventEmitter {
    readonly name = 'bus'
  }
  const LoudBag = Loud(Bag)
  const bag = new LoudBag([
    ['a', 1],
    ['b', 2],
  ])
  const fn = (one: InstanceType<typeof LoudBag>, problem: Problem, bus: Bus): unknown[] => [
    one.shout(),
    one.sum(),
    one instanceof Map,
    problem instanceof Error,
    problem.code,
    problem.message,
    bus.emit('none'),
    bus.name,
  ]
  assert.deepEqual(await remote.call(fn, bag, new Problem('bad'), new Bus()), [
    'HEY',
    3,
    true,
    true,
    42,
    'bad',
    false,
    'bus',
  ])
})

test('an error of a class of the caller is one of that class when it comes back', async () => {
  class Refused extends Error {
    readonly why: string
    constructor(why: string) {
      super(`refused: ${why}`)
      this.why = why
    }
  }
  const failing = (): never => {
    throw new Refused('no money')
  }
  await assert.rejects(remote.call(failing), (error: Refused) => {
    assert.ok(error instanceof Refused)
    assert.equal(error.why, 'no money')
    assert.match(error.stack ?? '', /capture-classes\.test\.js:\d+:\d+/)
    return true
  })
})

test('instances of a class that each process imports', async () => {
  assert.equal(await remote.call((one: Point) => one.length, new Point(3, 4)), 5)
  const back = await remote.call((x: number) => new Point(x, 0), 2)
  assert.ok(back instanceof Point)
})

test('methods replaced on a prototype, and statics that hold functions and classes', async () => {
  class Base {
    static readonly Inner = class {
      deep = 'deep'
    }
    static helper = (x: number): number => x + 1
    greet(): string {
      return 'original'
    }
  }
  Base.prototype.greet = function () {
    return 'patched'
  }
  const fn = (): unknown[] => [new Base().greet(), new Base.Inner().deep, Base.helper(1)]
  assert.deepEqual(await remote.call(fn), ['patched', 'deep', 2])
})

test('#private state comes home', async () => {
  class Purse {
    #coins = 1
    add(): this {
      this.#coins++
      return this
    }
    get coins(): number {
      return this.#coins
    }
  }
  const back = await remote.call((one: Purse) => one.add(), new Purse())
  assert.ok(back instanceof Purse)
  assert.equal(back.coins, 2)
})

/** Texts as people write them; the compiler would put semicolons into these. */
const unpunctuated: Record<string, string> = {
  'a generator behind a static field': `class A { y = 1
    static z = 2;
    *gen() { yield this.y } }
    (() => [...new A().gen()])`,
  'a generator behind a static block': `class A { items = [1, 2]
    static { A.made = true }
    *[Symbol.iterator]() { yield* this.items } }
    (() => [...new A()])`,
  'a computed method behind a static block': `class A { items = [1, 2]
    static { A.made = true }
    [Symbol.toPrimitive]() { return this.items.length } }
    (() => [+new A()])`,
  'a computed field behind a static field': `class A { table = ['a', 'b']
    static count = 0;
    [0] = 'zero' }
    (() => Object.entries(new A()))`,
  'a bare field before a static one': `class A { size
    static count = 0;
    ['a' + 1]() { return 5 } }
    (() => [new A().a1()])`,
  'a static #field on two lines': `class A { n = 1
    static #i
      = 2; static read() { return A.#i }
    ['m']() { return this.n } }
    (() => [A.read(), new A().m()])`,
  'a last field before the hooks of a static #field': `class A { static #i = 1; n = 0 }
    (() => [new A().n])`,
  'a last static #field': `class A { y = 2; static #s }
    (() => [new A().y])`,
  'a last field before the hooks of #fields': `class A { #x = 1; y = 2 }
    (() => [new A().y])`,
  'fields called static and get': `class A { #p = 1; static }; class B { #p = 1; get
    }
    (() => [Object.keys(new A()), Object.keys(new B())])`,
}

for (const [name, text] of Object.entries(unpunctuated))
  test(`without semicolons: ${name}`, async () => {
    const fn = (0, eval)(`(() => { ${text.replace(/\n *\(\(\) =>/, '\nreturn (() =>')} })()`) as () => unknown
    assert.deepEqual(await remote.call(fn), fn())
  })

test('what was put on a class and taken off again does not stay on its copy', async () => {
  class Service {
    [key: string]: unknown
    static extra?: number
    static by(): string {
      return 'original'
    }
    run(): string {
      return 'original'
    }
  }
  const use = (): unknown[] => [
    Service.by(),
    new Service().run(),
    Service.extra,
    new Service()['added'],
    (Service as { local?: number }).local,
  ]
  assert.deepEqual(await remote.call(use), use())
  const { by } = Service
  const { run } = Service.prototype
  Service.by = Service.prototype.run = () => 'mock'
  Service.extra = 1
  Service.prototype['added'] = 2
  assert.deepEqual(await remote.call(use), ['mock', 'mock', 1, 2, undefined])
  await remote.call(() => void ((Service as { local?: number }).local = 3))
  Service.by = by
  Service.prototype.run = run
  delete Service.extra
  delete Service.prototype['added']
  // What a task put there itself stays.
  assert.deepEqual(await remote.call(use), ['original', 'original', undefined, undefined, 3])
})

test('another superclass, set by hand', async () => {
  class First {
    name(): string {
      return 'first'
    }
  }
  class Second {
    name(): string {
      return 'second'
    }
  }
  class Heir extends First {}
  const use = (): string => new Heir().name()
  assert.equal(await remote.call(use), 'first')
  Object.setPrototypeOf(Heir, Second)
  Object.setPrototypeOf(Heir.prototype, Second.prototype)
  assert.equal(await remote.call(use), 'second')
})

test('a function that became a class of the old style after it was captured', async () => {
  function Old(): void {}
  const use = (): unknown => new (Old as unknown as new () => { m?: () => number })().m?.()
  for (let n = 0; n < 3; n++) assert.equal(await remote.call(use), undefined)
  Old.prototype.m = () => 1
  assert.equal(await remote.call(use), 1)
})

let hits = 0
let seen = 0
class HitCounter {
  hit(): number {
    return ++hits
  }
}
class Reader {
  read(): number[] {
    return [hits, seen]
  }
}

test('a class that came alone shares its variables with functions that come later', async () => {
  using fresh = new Remote()
  const both = (): number[] => {
    hits = 10
    return [new HitCounter().hit(), hits]
  }
  const all = (): unknown[] => {
    hits += 5
    seen++
    return [new HitCounter().hit(), new Reader().read(), hits]
  }
  assert.equal(await fresh.call(() => new HitCounter().hit()), 1)
  assert.deepEqual(await fresh.call(() => new Reader().read()), [0, 0])
  assert.deepEqual(await fresh.call(both), [11, 11])
  assert.deepEqual(await fresh.call(all), [6, [6, 1], 6])
  assert.deepEqual(await fresh.call(both), [11, 11])
  hits = 100
  assert.deepEqual(await fresh.call(all), [106, [106, 1], 106])
  const call = (): number => {
    const { hit } = new HitCounter()
    hits = 1
    return hit()
  }
  assert.equal(await fresh.call(call), 2)
})

test('a boxed variable that is called is not called as a method', async () => {
  let ask = function (this: unknown): boolean {
    return this === undefined
  }
  class Asker {
    ask(): unknown[] {
      return [ask(), { ask }.ask === ask]
    }
  }
  const change = (): void => {
    ask = () => false
  }
  assert.deepEqual(await remote.call(() => new Asker().ask()), [true, true])
  assert.deepEqual(await remote.call(() => (change(), new Asker().ask())), [false, true])
})
