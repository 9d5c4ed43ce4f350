/** What travels by name, and what of a module travels by value. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fs, { promises } from 'node:fs'
import { createRequire } from 'node:module'
import * as path from 'node:path'
import { basename as nameOf } from 'node:path'
import { after, test } from 'node:test'
import { inspect } from 'node:util'
import { capture } from '#plait/closure/capture.js'
import makeDefault, { countCalls, double, getHidden, table as renamed, Vault } from './library.ts'
import * as library from './library.ts'
import { Remote } from './remote.ts'

const remote = new Remote()
after(() => remote[Symbol.dispose]())

const what = 'the value'
const require = createRequire(import.meta.url)

test('imports are imported again there: named, renamed, default, namespace', async () => {
  const fn = (): unknown[] => [
    double(4),
    renamed.three,
    makeDefault(1),
    library.double(1),
    nameOf('/a/b.c'),
    path.extname('x.y'),
  ]
  assert.deepEqual(await remote.call(fn), [8, 3, 101, 2, 'b.c', '.y'])
})

test("the worker's modules are its own instances", async () => {
  countCalls()
  assert.equal(await remote.call(() => countCalls()), 1)
  assert.equal(await remote.call(() => countCalls()), 2)
})

test('exports travel by name alone, hidden functions by value with their imports by name', async () => {
  for (const value of [double, countCalls, makeDefault, library.Point])
    assert.equal(capture(value, { what }).templates.length, 0)
  assert.equal(capture(getHidden(), { what }).templates.length, 1)
  assert.equal(await remote.call(getHidden(), 3), `${path.sep}3`)
})

export { delimiter } from 'node:path'
export * from './reexports.ts'

test('a script that exports from others, the entry too, is read all the same', async () => {
  assert.equal(await remote.call(() => nameOf('/a/b.c')), 'b.c')
  assert.equal(await remote.call(() => library.separator), path.delimiter)
})

test('builtin modules, their functions, natives and globals travel by name', async () => {
  const values: unknown[] = [
    Math,
    Math.max,
    [].slice,
    console,
    console.log,
    JSON.parse,
    process,
    process.env,
    globalThis,
    Buffer,
    Buffer.from,
    fs,
    fs.readFileSync,
    promises,
    promises.readFile,
    fs.promises.writeFile,
    path,
    path.posix,
    library,
    require,
    require.resolve,
    import.meta.resolve,
    Symbol.iterator,
    (async () => {}).constructor,
    Object.getPrototypeOf(Int8Array),
    Object.getOwnPropertyDescriptor(Map.prototype, 'size')?.get,
    setTimeout,
    URL,
    Array.prototype,
    EventTarget,
  ]
  for (const value of values) {
    const { templates, bytes } = capture(value, { what })
    assert.equal(templates.length, 0)
    assert.ok(bytes.length < 300, inspect(value, { depth: 0 }))
  }
  const fn = (all: unknown[]): boolean[] => {
    const [math, max, , log, , parse] = all
    return [
      math === Math,
      max === Math.max,
      log === console,
      parse === JSON.parse,
      all[7] === process.env,
      all[11] === all[11],
    ]
  }
  assert.deepEqual(await remote.call(fn as (all: never) => boolean[], values as never), Array(6).fill(true))
})

test('values that a closure holds: a builtin function, the environment, require', async () => {
  const read = readFileSync
  const { env } = process
  const file = new URL('./library.js', import.meta.url)
  const fn = (): unknown[] => [
    read(file, 'utf8').includes('countCalls'),
    env === process.env,
    require.resolve('./library.js'),
    typeof require('node:os').cpus,
  ]
  assert.deepEqual(await remote.call(fn), [true, true, require.resolve('./library.js'), 'function'])
})

test('objects that only look like builtins are data', async () => {
  const fn = (value: unknown): unknown => value
  assert.deepEqual(await remote.call(fn, { env: { HOME: 'here' } }), { env: { HOME: 'here' } })
  assert.deepEqual(await remote.call(fn, Object.freeze({ a: 1 })), { a: 1 })
})

test('#private instances of a class that is imported are refused with what to do', () => {
  assert.throws(() => capture(new Vault(1), { what }), {
    name: 'SerializationError',
    message: /the value: it has #private fields of Vault.*Symbol\.for\('plait\.reduce'\)/,
  })
})
