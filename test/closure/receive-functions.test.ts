/**
 * Functions that come back from a payload: variables, names, forms, `super`, and what hangs on them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { node, record } from '#plait/closure/wire.js'
import { cell, payload, receive, script, trip, unit } from './receive-kit.js'

type Fn = (...args: unknown[]) => unknown

test('a function keeps its text, name, length and captured value', async () => {
  const n = 5
  const addN = (x: number, y = 0): number => x + n + y
  const one = unit(addN, [cell('n', n)])
  const back = (await trip({ groups: [[one]], root: addN })) as typeof addN
  assert.notEqual(back, addN)
  assert.equal(back(3), 8)
  assert.equal(back.name, 'addN')
  assert.equal(back.length, 1)
  assert.equal(String(back), String(addN))
})

test('each payload has variables of its own; one payload shares them', async () => {
  let count = 0
  const up = (): number => ++count
  const get = (): number => count
  const shared = cell('count', 7, { assigned: true })
  const made = payload({
    groups: [[unit(up, [shared], { line: 1 }), unit(get, [shared], { line: 2 })]],
    root: [up, get],
  })
  const [up1, get1] = (await receive(made)) as Fn[]
  const [up2, get2] = (await receive(made)) as Fn[]
  assert.deepEqual([up1(), up1(), get1()], [8, 9, 9])
  assert.deepEqual([get2(), up2(), get1()], [7, 8, 9])
})

test('units of different groups reach each other, in cycles too', async () => {
  const even = (n: number): boolean => (n === 0 ? true : odd(n - 1))
  const odd = (n: number): boolean => (n === 0 ? false : even(n - 1))
  const box: { even?: unknown } = { even }
  const units = [[unit(even, [cell('odd', odd)])], [unit(odd, [cell('even', even)])]]
  const back = (await trip({ groups: units, root: { box, even } })) as { box: { even: Fn }; even: Fn }
  assert.equal(back.box.even, back.even)
  assert.equal(back.even(10), true)
  assert.equal(back.even(7), false)
})

test('two variables of one name stay two, and a global of that name stays the global', async () => {
  const first: Fn = () => 1
  const second: Fn = () => 2
  const third: Fn = () => 3
  const units = [
    unit(first, [cell('value', 1)], { text: 'function () { return value }', line: 1 }),
    unit(second, [cell('value', 2)], { text: 'function () { return [value, { value }, value] }', line: 2 }),
    unit(third, [], { text: 'function () { return typeof value }', line: 3 }),
  ]
  const back = (await trip({ groups: [units], root: [first, second, third] })) as Fn[]
  assert.equal(back[0](), 1)
  assert.deepEqual(back[1](), [2, { value: 2 }, 2])
  assert.equal(back[2](), 'undefined')
})

test('texts that use the names of the glue are left alone', async () => {
  const fn = ((x: number) => x) as Fn
  const text = '($_, $_o) => { const $_0_ = $_v; return [$_, $_o, $_0_, $_c0] }'
  const back = (await trip({
    groups: [[unit(fn, [cell('$_v', 1), cell('$_c0', 2)], { text })]],
    root: fn,
  })) as Fn
  assert.deepEqual(back('a', 'b'), ['a', 'b', 1, 2])
})

test('every kind of function is of its kind', async () => {
  const kinds = {
    arrow: () => 1,
    async asynchronous() {
      return 1
    },
    *generator() {
      yield 1
    },
    async *both() {
      yield 1
    },
    get accessor() {
      return 1
    },
  }
  const getter = Object.getOwnPropertyDescriptor(kinds, 'accessor')!.get!
  const originals = [
    kinds.arrow,
    kinds.asynchronous,
    kinds.generator,
    kinds.both,
    getter,
    function plain() {},
  ]
  const back = (await trip({ groups: originals.map((fn) => [unit(fn)]), root: originals })) as Function[]
  for (const [index, fn] of back.entries()) {
    const original = originals[index]
    assert.equal(Object.getPrototypeOf(fn), Object.getPrototypeOf(original))
    assert.equal(fn.name, original.name)
    assert.equal(String(fn), String(original))
    assert.equal(Object.hasOwn(fn, 'prototype'), Object.hasOwn(original, 'prototype'))
  }
})

test('a method with a computed key comes without evaluating the key', async () => {
  const key = Symbol('where')
  const holder = {
    async [key](x: number) {
      return x
    },
    *[`${String(1)}]`]() {
      yield 2
    },
  }
  const methods = [holder[key], holder['1]'] as Function]
  const back = (await trip({ groups: methods.map((fn) => [unit(fn)]), root: methods })) as Function[]
  assert.deepEqual(
    back.map((fn) => fn.name),
    ['[where]', '1]'],
  )
  assert.equal(await back[0](4), 4)
  assert.deepEqual([...back[1]()], [2])
})

test('super in a method is what its home says', async () => {
  const base = { hi: () => 'base' }
  const home = {
    __proto__: base,
    hi() {
      return `${super.hi()} and own`
    },
  }
  const units = [[unit(home.hi)], [unit(base.hi)]]
  const back = (await trip({
    groups: units,
    root: [home.hi, base.hi],
    write: (value, encoder) => {
      if (value !== home) return false
      encoder.writeUint(node.object)
      encoder.write(base)
      encoder.writeNative(home)
      return true
    },
    records: (encoder, number) => {
      encoder.writeUint(record.home)
      encoder.writeUint(number(home.hi))
      encoder.write(home)
    },
  })) as Fn[]
  assert.equal(back[0](), 'base and own')
})

test('sloppy stays sloppy, strict stays strict', async () => {
  const loose: Fn = () => 0
  const text = 'function () { return this === undefined }'
  const sloppy = unit(loose, [], { text, script: { ...script, id: '2', kind: 'commonjs', strict: false } })
  assert.equal(((await trip({ groups: [[sloppy]], root: loose })) as Fn)(), false)
  assert.equal(((await trip({ groups: [[unit(loose, [], { text })]], root: loose })) as Fn)(), true)
})

test("owned variables are the process's own, in every way of writing them", async () => {
  const set = (async () => {}) as Fn
  const use = (() => {}) as Fn
  const db = cell('db', undefined, { owned: 'main.js:db' })
  const setText = '(v) => { [db] = [v]; ({ db } = { db: db.concat(1) }); }'
  const useText = '(x) => [db, { db }, db?.length, typeof db, `${db}`]'
  const callText = '() => {\n  let a = 1\n  db\n  db()\n  return db()\n}'
  const call = (() => {}) as Fn
  const units = [
    unit(set, [db], { text: setText, line: 1 }),
    unit(use, [db], { text: useText, line: 2 }),
    unit(call, [db], { text: callText, line: 3 }),
  ]
  const [set1] = (await trip({ groups: [units], root: [set] })) as Fn[]
  const [use2, call2] = (await trip({ groups: [units], root: [use, call] })) as Fn[]
  set1([0])
  assert.deepEqual(use2(), [[0, 1], { db: [0, 1] }, 2, 'object', '0,1'])
  const [set3] = (await trip({
    groups: [[unit(set, [db], { text: '(v) => { db = v }' })]],
    root: [set],
  })) as Fn[]
  set3(function (this: unknown) {
    return this
  })
  assert.equal(call2(), undefined)
})

test('bound functions and own properties, accessors and flags included', async () => {
  const add = Object.assign((a: number, b: number) => a + b, { note: 1 })
  const bound = add.bind(null, 2)
  const getter = (): string => 'got'
  const back = (await trip({
    groups: [[unit(add)], [unit(getter)]],
    root: [bound, add],
    write: (value, encoder) => {
      if (value !== bound) return false
      encoder.writeUint(node.bound)
      for (const part of [add, null]) encoder.write(part)
      encoder.writeUint(1)
      encoder.write(2)
      return true
    },
    records: (encoder, number) => {
      encoder.writeUint(record.own)
      encoder.writeUint(number(add))
      encoder.writeUint(2)
      encoder.write('note')
      encoder.writeUint(1)
      encoder.write('hello')
      encoder.write('lazy')
      encoder.writeUint(8 | 2)
      encoder.write(getter)
      encoder.write(undefined)
    },
  })) as (Fn & Record<string, unknown>)[]
  assert.equal(back[0](5), 7)
  assert.deepEqual(Object.getOwnPropertyDescriptor(back[1], 'note'), {
    value: 'hello',
    enumerable: true,
    configurable: false,
    writable: false,
  })
  assert.equal(back[1].lazy, 'got')
})
