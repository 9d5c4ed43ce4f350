/**
 * Functions of every kind and with everything they may capture, called in another process.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Remote } from './remote.ts'

const remote = new Remote()
after(() => remote[Symbol.dispose]())

const base = 10
let total = 0
const settings = { factor: 3, list: [1, 2, 3] }

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1)
}
function isEven(n: number): boolean {
  return n === 0 || isOdd(n - 1)
}
function isOdd(n: number): boolean {
  return n !== 0 && isEven(n - 1)
}

test('captured variables travel as a snapshot', async () => {
  const local = 5
  assert.equal(await remote.call((x: number) => x + base + local, 1), 16)
  total = 7
  const pending = remote.call(() => ++total)
  total = 100
  assert.equal(await pending, 8)
  assert.equal(total, 100)
})

test('functions call functions: recursion, mutual recursion, helpers', async () => {
  assert.equal(await remote.call(factorial, 10), 3_628_800)
  assert.equal(await remote.call(isEven, 11), false)
  assert.deepEqual(
    await remote.call(() => settings.list.map((x) => factorial(x) * settings.factor)),
    [3, 6, 18],
  )
})

test('parameters: defaults, destructuring, rest, shadowing', async () => {
  const fallback = 4
  const fn = ({ a, b: [c] = [fallback] }: { a: number; b?: number[] }, ...more: number[]): number[] => {
    const settings = { factor: c }
    return [a, settings.factor, ...more]
  }
  assert.deepEqual(await remote.call(fn, { a: 1 }, 2, 3), [1, 4, 2, 3])
})

test('every kind of function', async () => {
  const factor = 2
  const kinds = {
    arrow: (x: number) => x * factor,
    async asyncMethod(x: number) {
      return (await Promise.resolve(x)) * factor
    },
    *generator(x: number) {
      yield x
      yield x * factor
    },
    async *asyncGenerator(x: number) {
      yield x * factor
    },
    get accessor() {
      return factor
    },
    [`comp${factor}uted`](x: number) {
      return x + factor
    },
    plain: function (x: number) {
      return arguments.length + x * factor
    },
  }
  const fn = async (all: typeof kinds): Promise<unknown[]> => {
    const late: number[] = []
    for await (const x of all.asyncGenerator(3)) late.push(x)
    return [
      all.arrow(3),
      await all.asyncMethod(3),
      [...all.generator(3)],
      late,
      all.accessor,
      (all as never as Record<string, (x: number) => number>)['comp2uted'](3),
      all.plain(3),
    ]
  }
  assert.deepEqual(await remote.call(fn, kinds), [6, 6, [3, 6], [6], 2, 5, 7])
})

test('methods keep their object when it travels; super in object methods finds its prototype', async () => {
  const parent = { hello: (name: string) => `hello ${name}` }
  // As JavaScript has it: TypeScript does not know what __proto__ does to super.
  const make = '(parent) => ({ __proto__: parent, hello(name) { return super.hello(name) + "!" } })'
  const child = ((0, eval)(make) as (parent: object) => typeof parent)(parent) as typeof parent
  assert.equal(await remote.call((one: typeof parent) => one.hello('you'), child), 'hello you!')
})

test('own properties, cycles between functions and objects', async () => {
  type Self = { (): unknown; note: string; box: { self?: Self } }
  const fn = (() => [fn.note, fn.box.self === fn]) as Self
  fn.note = 'kept'
  fn.box = {}
  fn.box.self = fn
  assert.deepEqual(await remote.call(fn), ['kept', true])
})

test('bound functions, bound twice, with rich arguments', async () => {
  function join(this: { sep: string }, ...parts: unknown[]): string {
    return parts.map(String).join(this.sep)
  }
  const bound = join.bind({ sep: '-' }, new Date(0).toISOString().slice(0, 4)).bind(null, 'b')
  assert.equal(await remote.call(bound as (x: string) => string, 'c'), '1970-b-c')
})

test('old-style constructors with prototype methods', async () => {
  function Shape(this: { name: string }, name: string): void {
    this.name = name
  }
  Shape.prototype.describe = function (this: { name: string }) {
    return `a ${this.name}`
  }
  const fn = (Type: typeof Shape, one: object): unknown[] => {
    const made = new (Type as never as new (name: string) => { describe(): string })('cube')
    return [made.describe(), one instanceof Type, (one as typeof made).describe()]
  }
  const ball: object = new (Shape as never as new (name: string) => object)('ball')
  assert.deepEqual(await remote.call(fn, Shape, ball), ['a cube', true, 'a ball'])
})

test('prototypes that were replaced, inherited by hand, and objects made from objects', async () => {
  function Animal(this: { sound: string }): void {
    this.sound = 'none'
  }
  Animal.prototype = {
    speak(this: { sound: string }) {
      return this.sound
    },
  }
  function Dog(this: { sound: string }): void {
    this.sound = 'woof'
  }
  Dog.prototype = Object.create(Animal.prototype) as object
  Object.defineProperty(Dog.prototype, 'constructor', { value: Dog, configurable: true, writable: true })
  const plain = Object.create({ greet: () => 'hi' }, { own: { value: 1, enumerable: true } }) as {
    greet(): string
    own: number
  }
  const fn = (types: Function[], dog: { speak(): string }, thing: typeof plain): unknown[] => [
    dog.speak(),
    dog instanceof types[0],
    dog instanceof types[1],
    thing.greet(),
    thing.own,
    Object.keys(thing),
    new (types[1] as never as new () => { speak(): string })().speak(),
  ]
  const dog = new (Dog as never as new () => { speak(): string })()
  assert.deepEqual(await remote.call(fn, [Animal, Dog], dog, plain), [
    'woof',
    true,
    true,
    'hi',
    1,
    ['own'],
    'woof',
  ])
})

test('a function that replaces itself', async () => {
  function once(): string {
    const result = 'first'
    // @ts-expect-error a declared function may be assigned to
    once = () => 'later' // oxlint-disable-line no-func-assign
    return result
  }
  assert.deepEqual(await remote.call((fn: () => string) => [fn(), once()], once), ['first', 'later'])
})

test('siblings that share an assigned variable share it there too', async () => {
  const counter = (): { add: () => number; get: () => number } => {
    let n = 0
    return { add: () => ++n, get: () => n }
  }
  const fn = (one: ReturnType<typeof counter>): number[] => [one.add(), one.add(), one.get()]
  assert.deepEqual(await remote.call(fn, counter()), [1, 2, 2])
})

test('name, length and source are those of the original', async () => {
  const named = (a: number, b: number): number => a + b
  const fn = (one: Function): unknown[] => [one.name, one.length, one.toString()]
  assert.deepEqual(await remote.call(fn, named), ['named', 2, named.toString()])
})

test('a name that exists nowhere behaves as it does here', async () => {
  const fn = (): string => typeof (globalThis as never as { nowhere: unknown }).nowhere + typeof notDeclared
  assert.equal(await remote.call(fn), 'undefinedundefined')
  await assert.rejects(
    remote.call(() => notDeclared),
    { name: 'ReferenceError', message: 'notDeclared is not defined' },
  )
})
declare const notDeclared: unknown

test('globals that the program added travel by value', async () => {
  ;(globalThis as Record<string, unknown>)['addedByTest'] = { deep: [1] }
  const fn = (): unknown => addedByTest.deep[0]
  assert.equal(await remote.call(fn), 1)
})
declare const addedByTest: { deep: number[] }

test('import.meta, dynamic import and its resolution are those of the original file', async () => {
  assert.equal(await remote.call(() => import.meta.url), import.meta.url)
  const fn = async (): Promise<number> => (await import('./library.ts')).double(21)
  assert.equal(await remote.call(fn), 42)
})

test('this at module level is undefined, and a field of an instance keeps its owner', async () => {
  const fn = (0, eval)('() => 1') as () => number
  assert.equal(await remote.call(fn), 1)
  class Button {
    label = 'go'
    press = (): string => this.label
  }
  const swap = (one: Button): string => {
    one.label = 'stop'
    return one.press()
  }
  assert.equal(await remote.call(swap, new Button()), 'stop')
})

test('a result that is a function comes back, with its variables', async () => {
  const make =
    (n: number): (() => number) =>
    () =>
      ++n
  const back = await remote.call(make, 5)
  assert.deepEqual([back(), back()], [6, 7])
})

test('what was revived is captured again, on to a third process', async () => {
  const make =
    (n: number): (() => number[]) =>
    () => [n++, base]
  const back = await remote.call(make, 5)
  assert.deepEqual(
    [back(), await remote.call(back), back()],
    [
      [5, 10],
      [6, 10],
      [6, 10],
    ],
  )
})

test('large data in a closure', async () => {
  const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, name: `row ${id}` }))
  assert.equal(await remote.call(() => rows.reduce((sum, { id }) => sum + id, 0)), 199_990_000)
})
