/**
 * What travels by name: modules as the original file would import them, builtins, globals, require, symbols,
 * import.meta and import().
 */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as pathNamespace from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Reviver } from '#plait/closure/revive.js'
import { idOf } from '#plait/closure/tracker.js'
import { node, type Reference } from '#plait/closure/wire.js'
import { cell, payload, receive, script, trip, unit } from './receive-kit.js'

type Fn = (...args: unknown[]) => unknown

const folder = mkdtempSync(path.join(tmpdir(), 'plait-references-'))
const from = pathToFileURL(path.join(folder, 'app', 'main.mjs')).href
const here = { ...script, id: 'references', url: from }

before(() => {
  mkdirSync(path.join(folder, 'app', 'node_modules', 'dep'), { recursive: true })
  const write = (name: string, text: string): void => writeFileSync(path.join(folder, 'app', name), text)
  write(
    'util.mjs',
    'export const twice = (x) => x * 2; export default { deep: { value: 7 } }; export let late = 1',
  )
  write('data.json', '{"n": 3}')
  write('broken.mjs', "throw new TypeError('not today')")
  write('old.cjs', 'exports.key = function key() { return __filename }')
  write('node_modules/dep/package.json', '{"name":"dep","type":"module","exports":"./index.js"}')
  write('node_modules/dep/index.js', 'export const dep = 1')
})
after(() => rmSync(folder, { recursive: true }))

/** Values of references, in the order given. */
async function resolved(...references: Reference[]): Promise<unknown[]> {
  const tokens = references.map(() => () => {})
  return (await trip({
    groups: [],
    root: tokens,
    references,
    write: (value, encoder) => {
      encoder.writeUint(node.reference)
      encoder.writeUint(tokens.indexOf(value as () => void))
      return true
    },
  })) as unknown[]
}

test('modules, as the script at that url would import them', async () => {
  const [twice, whole, deep, json, dep] = await resolved(
    [0, from, './util.mjs', null, 'twice', []],
    [0, from, './util.mjs', null, '*', []],
    [0, from, './util.mjs', null, 'default', ['deep']],
    [0, from, './data.json', { type: 'json' }, 'default', []],
    [0, from, 'dep', null, '*', []],
  )
  const util = (await import(new URL('util.mjs', from).href)) as Record<string, unknown>
  assert.equal(twice, util['twice'])
  assert.equal(whole, util)
  assert.deepEqual(deep, { value: 7 })
  assert.deepEqual(json, { n: 3 })
  assert.equal((dep as { dep: number }).dep, 1)
})

test('what is loaded already needs no waiting', async () => {
  const need = (): Buffer =>
    payload({ groups: [], root: 1, references: [[0, from, './util.mjs', null, 'twice', []]] }).bytes
  const reviver = new Reviver()
  await reviver.prepare(need(), 0, need().length)
  assert.equal(reviver.prepare(need(), 0, need().length), undefined)
})

test('commonjs, builtins and their namespaces, globals, intrinsics, require', async () => {
  const old = path.join(folder, 'app', 'old.cjs')
  const [key, join, namespace, floor, getter, generator, require_, resolve] = await resolved(
    [1, old, ['key']],
    [2, 'node:path', false, ['join']],
    [2, 'node:path', true, []],
    [3, ['Math', 'floor']],
    [3, ['Map', 'prototype', ['size', 'get']]],
    [4, '(function* () {}).constructor', []],
    [5, from, []],
    [8, from],
  )
  assert.equal((key as Fn)(), old)
  assert.equal(join, path.join)
  assert.equal(namespace, pathNamespace)
  assert.equal(floor, Math.floor)
  assert.equal(getter, Object.getOwnPropertyDescriptor(Map.prototype, 'size')!.get)
  assert.equal(generator, Object.getPrototypeOf(function* () {}).constructor)
  assert.equal((require_ as NodeJS.Require).resolve('./old.cjs'), old)
  assert.equal((resolve as (s: string) => string)('./x.mjs'), new URL('x.mjs', from).href)
  assert.equal((resolve as (s: string) => string)('fs'), 'node:fs')
})

test("a unique symbol is one symbol in each process, and the home's own at home", async () => {
  const own = Symbol('own')
  const [a, b, other] = await resolved(
    [6, idOf(own), 'own'],
    [6, 'elsewhere:9', 'far'],
    [6, 'elsewhere:10', 'far'],
  )
  const [c] = await resolved([6, 'elsewhere:9', 'far'])
  assert.equal(a, own)
  assert.equal(b, c)
  assert.notEqual(b, other)
  assert.equal((b as symbol).description, 'far')
})

test('a module that cannot be imported: which, for which function, and why', async () => {
  const use = (() => {}) as Fn
  Object.defineProperty(use, 'name', { value: 'use' })
  const twice = cell('twice')
  const attempt = (specifier: string): Promise<unknown> =>
    trip({
      groups: [[unit(use, [twice], { text: '() => twice(2)', script: here, line: 4 })]],
      root: use,
      references: [[0, from, specifier, null, 'twice', []]],
      early: new Map([[twice, ['reference', 0]]]),
    })
  await assert.rejects(attempt('./missing.mjs'), (error: Error) => {
    assert.match(
      error.message,
      /^cannot import \.\/missing\.mjs of file:.*main\.mjs for the function use \(line 5\)/,
    )
    assert.equal((error.cause as NodeJS.ErrnoException).code, 'ERR_MODULE_NOT_FOUND')
    return true
  })
  await assert.rejects(attempt('./broken.mjs'), /not today/)
  const broken = new URL('broken.mjs', from).href
  await assert.rejects(
    trip({ groups: [], root: 1, references: [[0, broken, broken, null, 'twice', []]] }),
    /^Error: cannot import file:[^ ]*broken\.mjs, which exports `twice`, in this process: .*not today/,
  )
  await assert.rejects(resolved([2, 'node:nothing', false, []]), /node:nothing is no module of Node v/)
  await assert.rejects(
    resolved([0, from, './util.mjs', null, 'nothing', []]),
    /util\.mjs .*has no export 'nothing'/,
  )
  assert.equal(((await attempt('./util.mjs')) as Fn)(), 4)
})

test('import() and import.meta are those of the original file', async () => {
  const fn = (async () => {}) as Fn
  const text = `async () => {
    const { twice } = await import('./util.mjs')
    const { default: json } = await import(\`./data.json\`, { with: { type: 'json' } })
    return [twice(4), json.n, import.meta.url, import.meta.dirname, import.meta
      .filename, import.meta.resolve('dep')]
  }`
  const back = (await trip({ groups: [[unit(fn, [], { text, script: here })]], root: fn })) as Fn
  assert.deepEqual(await back(), [
    8,
    3,
    from,
    path.join(folder, 'app'),
    path.join(folder, 'app', 'main.mjs'),
    pathToFileURL(path.join(folder, 'app', 'node_modules', 'dep', 'index.js')).href,
  ])
})

test('importing prints no warning about how it is done', async (t) => {
  const warnings: string[] = []
  const listen = (warning: Error): void => void warnings.push(warning.message)
  process.on('warning', listen)
  t.after(() => process.off('warning', listen))
  await receive(
    payload({ groups: [], root: 1, references: [[0, `${from}?2`, './util.mjs', null, 'twice', []]] }),
  )
  await new Promise(setImmediate)
  assert.deepEqual(
    warnings.filter((text) => text.includes('vm.')),
    [],
  )
})
