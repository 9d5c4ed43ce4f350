/**
 * What a text tells: free names with their places and roles, forms, and what arrows take from around them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { analyse } from '#plait/closure/text/parse.js'
import type { Analysis } from '#plait/closure/unit.js'

/** Free names in the order of their first use. */
function free(text: string, strict = true): string[] {
  return [...analyse(text, strict).free.keys()]
}

test('free names of one-liners', () => {
  const table: [text: string, names: string][] = [
    ['x => x * x', ''],
    ['x => x + y', 'y'],
    ['(a = b) => { var b; return a + b }', 'b'],
    ['({ a, b: { c = d }, ...rest }) => [a, c, rest]', 'd'],
    ['([a, , b = a]) => a + b', ''],
    ['function f(n) { return n ? f(n - 1) : g }', 'g'],
    ['() => { let a = 1; { let b = a; var c = b } return [a, b, c] }', 'b'],
    ['() => { for (const k of list) use(k); return k }', 'list use k'],
    ['() => { for (k in o) ; }', 'k o'],
    ['() => { try { risky() } catch ({ message }) { log(message) } return message }', 'risky log message'],
    ['() => { switch (v) { case A: let z = 1; default: return z } }', 'v A'],
    ['() => { class C extends B { static x = y; [k] = z; m() { return C } } return C }', 'B y k z'],
    ['() => { label: for (;;) break label }', ''],
    ['() => o.p.q[r]', 'o r'],
    ['() => ({ a: b, c, [d]: 1, get e() { return f } })', 'b c d f'],
    ['() => { ({ a, b: c.d, ...e } = f) }', 'a c e f'],
    ['() => { [a, b = c] = d }', 'a c d b'],
    ['() => `${a} ${b}` + tag`x`', 'a b tag'],
    ['async () => { for await (const x of y) await z(x) }', 'y z'],
    ['function* g() { yield* other(); const g = 1 }', 'other'],
    ['() => { function inner() { return hoisted } var hoisted }', ''],
    ['() => a?.b?.(c)', 'a c'],
    ['() => { const x = () => y; const y = 1; return x }', ''],
    ['() => typeof a', 'a'],
    ['(x) => { x: while (true) { continue x } }', ''],
    ['() => /re/.test(s) && 1n', 's'],
    ['() => undefined', 'undefined'],
  ]
  for (const [text, names] of table)
    assert.deepEqual(free(text).sort(), names.split(' ').filter(Boolean).sort(), text)
})

test('functions in blocks are hoisted in sloppy code alone', () => {
  const text = '() => { { function f() {} } return f }'
  assert.deepEqual(free(text, true), ['f'])
  assert.deepEqual(free(text, false), [])
  assert.deepEqual(free("() => { 'use strict'; { function f() {} } return f }", false), ['f'])
})

test('forms', () => {
  const table: [text: string, form: Analysis['form'], kind: Analysis['kind']][] = [
    ['x => x', 'expression', 'function'],
    ['async x => x', 'expression', 'function'],
    ['function () {}', 'expression', 'function'],
    ['class { }', 'expression', 'class'],
    ['m() { return super.m() }', 'method', 'function'],
    ['async *m() {}', 'method', 'function'],
    ['get x() { return 1 }', 'method', 'function'],
    ["['a' + b]() {}", 'method', 'function'],
    ['#p() { return this.#p }', 'class', 'function'],
    ['constructor() {}', 'method', 'function'],
    ['static() {}', 'method', 'function'],
  ]
  for (const [text, form, kind] of table) {
    const analysis = analyse(text)
    assert.deepEqual([analysis.form, analysis.kind], [form, kind], text)
    assert.equal(text.slice(analysis.node.end + analysis.shift), '', text)
  }
  assert.deepEqual(free("['a' + b]() { return c }"), ['c'])
  assert.throws(() => analyse('x =>'), { name: 'SerializationError', message: /cannot be parsed: x =>/ })
})

test('uses: where, and how a replacement has to be written', () => {
  const text = 'x => { f(x); o = { a, b: a }; ({ a } = o); a++; return f`t` + typeof a + (f)(1) }'
  const uses = [...analyse(text).free.values()].flatMap(({ name, uses }) =>
    uses.map(({ start, end, role }) => {
      assert.equal(text.slice(start, end), name)
      return `${name} ${role}`
    }),
  )
  assert.deepEqual(uses, [
    'f callee',
    'f callee',
    'f callee',
    'o plain',
    'o plain',
    'a shorthand',
    'a plain',
    'a shorthand',
    'a plain',
    'a plain',
  ])
  const { assigned, onlyTypeof } = analyse(text).free.get('a') ?? assert.fail()
  assert.deepEqual([assigned, onlyTypeof], [true, false])
  assert.equal(analyse('() => typeof a').free.get('a')?.onlyTypeof, true)
  assert.equal(analyse(text).free.get('f')?.assigned, false)
})

test('what an arrow takes from around it', () => {
  const table: [text: string, flags: string][] = [
    ['() => this', 'this'],
    ['() => () => this', 'this'],
    ['() => arguments', 'arguments'],
    ['() => super.x', 'super'],
    ['() => new.target', 'newTarget'],
    ['() => eval("x")', 'directEval'],
    ['() => (0, eval)("x")', ''],
    ['(eval) => eval("x")', ''],
    ['() => eval?.("x")', ''],
    ['function () { return [this, arguments, new.target, () => this] }', ''],
    ['m() { return () => super.x }', ''],
    ['() => class { a = this; static b = this; static { this.c } m() { return super.m } }', ''],
    ['() => class { [this.key] = 1 }', 'this'],
    ['class { a = this.b; static { this.c } }', ''],
    ['class { #x; has(o) { return #x in o } }', ''],
  ]
  for (const [text, flags] of table) {
    const { outer } = analyse(text, !text.startsWith('(eval)'))
    const found = Object.entries(outer).filter(([, value]) => value === true)
    assert.deepEqual(
      found.map(([name]) => name),
      flags.split(' ').filter(Boolean),
      text,
    )
  }
  assert.deepEqual(analyse('x => #v in x').outer.privateNames, ['v'])
  assert.equal(analyse('function (o) { with (o) return x }', false).outer.with, true)
  assert.deepEqual(free('() => this.a'), ['this'])
})

test('import.meta and import()', () => {
  const text = 'async () => [import.meta.url, await import("x"), await import(y, { with: {} })]'
  const { metas, imports } = analyse(text)
  assert.deepEqual(
    metas.map(({ start, end }) => text.slice(start, end)),
    ['import.meta'],
  )
  assert.deepEqual(
    imports.map(({ start, end }) => text.slice(start, end)),
    ['import', 'import'],
  )
})

test('of a class, what runs only once does not count', () => {
  const statics = 'static a = once; static { more() } static [k1] = 1'
  const text = `class extends Base { ${statics}; [k2] = init; [k3]() { return body } }`
  const analysis = analyse(text)
  assert.deepEqual([...analysis.free.keys()], ['init', 'body'])
  assert.deepEqual([...analysis.keyNames.keys()], ['k2', 'k3'])
})

test("a function's own name is its own, unless the text assigns to it", () => {
  const { self, free: names } = analyse('function once() { once = () => 1; return once }')
  assert.equal(names.size, 0)
  assert.deepEqual([self?.name, self?.assigned, self?.uses.length], ['once', true, 2])
  assert.equal(analyse('function f() { return f }').self?.assigned, false)
  assert.equal(analyse('function f() {}').self, undefined)
})
