/**
 * Readers of shapes that come often: the same values as from the loop, whatever the keys are, and also where
 * the process may not make code from strings.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext, runInThisContext } from 'node:vm'
import { bytesOf, trip, valueOf } from './trip.ts'

/** More objects than it takes. */
const often = 200

const script = fileURLToPath(import.meta.url)

// The child of the last test.
if (process.argv[2] === 'loop') {
  assert.throws(() => runInThisContext('eval("1")'), EvalError)
  const list = listOf((i) => ({ id: i, inner: { name: `n${i}`, list: [i] } }))
  assert.deepStrictEqual(trip(list), list)
  process.stdout.write('the same')
  process.exit(0)
}

function listOf<T>(make: (i: number) => T): T[] {
  return Array.from({ length: often }, (_, i) => make(i))
}

test('objects of one shape, first to last, whatever their members become', () => {
  const members: unknown[] = [0, -0, 0.5, 'text', null, undefined, true, [1], { deep: {} }, 10n, new Date(1)]
  const list = listOf((i) => ({ first: i, second: members[i % members.length], third: { x: i / 2, y: 'é' } }))
  const back = trip(list)
  assert.deepStrictEqual(back, list)
  for (const each of back) assert.deepEqual(Object.keys(each), ['first', 'second', 'third'])
})

test('an object may refer to itself and to what is around it', () => {
  interface Node {
    id: number
    self: Node | undefined
    up: unknown
    last: number
  }
  const list = listOf((id): Node => ({ id, self: undefined, up: undefined, last: id + 0.5 }))
  for (const node of list) {
    node.self = node
    node.up = list
  }
  const back = trip(list)
  for (const [i, node] of back.entries()) {
    assert.equal(node.self, node)
    assert.equal(node.up, back)
    assert.deepEqual([node.id, node.last], [i, i + 0.5])
  }
})

test('keys are names, never code', () => {
  const keys = [
    '"',
    "'",
    '\\',
    '\\"',
    '`${x}`',
    '\n',
    '\r',
    '\0',
    '\x7f',
    '\x85',
    '\xa0é',
    '*/',
    '//',
    '"]: globalThis.stolen = 1, ["',
    'constructor',
    'toString',
    'decoder',
    'slot',
    'object',
    'a b',
    '',
    '7',
    '-1',
    'class',
    'get',
    'async',
    'proto',
  ]
  for (const key of keys) {
    const list = listOf((i) => ({ [key]: i, after: 'x' }))
    assert.deepStrictEqual(trip(list), list, JSON.stringify(key))
  }
  const all = listOf((i) => Object.fromEntries(keys.slice(0, 20).map((key, k) => [key, k + i])))
  assert.deepStrictEqual(trip(all), all)
  assert.ok(!('stolen' in globalThis))
})

test('a setter on Object.prototype is not asked', () => {
  const list = listOf((i) => ({ trapped: i, other: 'x' }))
  const bytes = bytesOf(list)
  let asked = 0
  const set = (): void => void asked++
  // oxlint-disable-next-line no-extend-native -- for the length of this test
  Object.defineProperty(Object.prototype, 'trapped', { configurable: true, set })
  try {
    const back = valueOf(bytes) as typeof list
    assert.equal(asked, 0)
    for (const [i, each] of back.entries())
      assert.equal(Object.getOwnPropertyDescriptor(each, 'trapped')?.value, i)
  } finally {
    Reflect.deleteProperty(Object.prototype, 'trapped')
  }
})

test('a message that breaks off leaves nothing behind', () => {
  const list = listOf((i) => ({ broken: { off: i }, here: [i] }))
  const bytes = bytesOf(list)
  for (let end = 1; end < bytes.length; end += 7)
    assert.throws(() => valueOf(bytes.subarray(0, end)), { name: 'SerializationError' })
  assert.deepStrictEqual(valueOf(bytes), list)
})

test('ever new shapes do not keep their readers', () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const run = (n: number, name: string): void => {
    for (let i = 0; i < n; i++) trip(listOf(() => ({ [`${name}${i}`]: 1, b: 2 })))
    gc()
  }
  run(500, 'first')
  const before = process.memoryUsage().heapUsed
  run(1500, 'then')
  assert.ok(process.memoryUsage().heapUsed - before < 5e6)
})

test('without code from strings the loop reads the same', () => {
  const flag = '--disallow-code-generation-from-strings'
  const told = execFileSync(process.execPath, [flag, script, 'loop'], { encoding: 'utf8' })
  assert.equal(told, 'the same')
})
