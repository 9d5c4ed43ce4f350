/** Arbitrary values, arbitrary graphs: what arrives equals what was sent, and so does its encoding. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { bytesOf, trip } from './trip.ts'

const seed = 20_261_123

test('arbitrary data', () => {
  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: false,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withObjectString: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
    maxDepth: 5,
  } as never)
  fc.assert(
    fc.property(anything, (value) => {
      const back = trip(value)
      assert.deepStrictEqual(back, value)
      assert.deepEqual(bytesOf(back), bytesOf(value))
    }),
    { seed, numRuns: 3000 },
  )
})

test('any string', () => {
  const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 200 })
  const narrow = fc.array(fc.integer({ min: 0, max: 0x101 }), { maxLength: 200 })
  fc.assert(
    fc.property(fc.oneof(units, narrow), (codes) => {
      const text = String.fromCharCode(...codes)
      assert.equal(trip(text), text)
      assert.deepEqual(trip({ [text]: text }), Object.fromEntries([[text, text]]))
    }),
    { seed, numRuns: 3000 },
  )
})

test('any number, alone and among others', () => {
  const numbers = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.integer({ min: -300, max: 300 }),
    fc.constantFrom(-0, NaN, 2 ** 31),
  )
  fc.assert(
    fc.property(fc.array(numbers, { maxLength: 50 }), (list) => {
      assert.deepStrictEqual(trip(list), list)
      for (const n of list) assert.ok(Object.is(trip(n), n))
    }),
    { seed, numRuns: 2000 },
  )
})

test('any graph of objects, arrays, maps and sets keeps its edges', () => {
  const node = fc.record({
    kind: fc.constantFrom('object', 'array', 'map', 'set', 'error'),
    edges: fc.array(fc.nat(40), { maxLength: 5 }),
    closed: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(node, { minLength: 1, maxLength: 41 }), (nodes) => {
      const made = nodes.map(({ kind }) => make(kind))
      nodes.forEach(({ edges }, i) =>
        edges.forEach((to, k) => link(made[i], `e${k}`, made[to % made.length])),
      )
      nodes.forEach(({ closed }, i) => closed && Object.freeze(made[i]))
      assert.deepEqual(drawing(trip(made[0])), drawing(made[0]))
    }),
    { seed, numRuns: 1500 },
  )
})

function make(kind: string): object {
  return kind === 'object'
    ? {}
    : kind === 'array'
      ? []
      : kind === 'map'
        ? new Map()
        : kind === 'set'
          ? new Set()
          : new Error('e')
}

function link(from: object, name: string, to: object): void {
  if (Array.isArray(from)) from.push(to)
  else if (from instanceof Map) from.set(name, to).set(to, name)
  else if (from instanceof Set) from.add(to)
  else (from as Record<string, unknown>)[name] = to
}

/** Every object once, in the order met, as a list of the numbers of what it leads to. */
function drawing(root: unknown): unknown[] {
  const numbers = new Map<unknown, number>()
  const rows: unknown[] = []
  const visit = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    const known = numbers.get(value)
    if (known !== undefined) return { to: known }
    const n = numbers.size
    numbers.set(value, n)
    const parts: unknown[] =
      value instanceof Map
        ? [...value].flat()
        : value instanceof Set
          ? [...value]
          : Reflect.ownKeys(value).map((key) => [key, Reflect.get(value, key)])
    rows[n] = [value.constructor.name, Object.isFrozen(value)]
    ;(rows[n] as unknown[]).push(
      parts.map((part) =>
        Array.isArray(part) && !numbers.has(part) && parts.length > 0 && typeof part[0] === 'string'
          ? [part[0], visit(part[1])]
          : visit(part),
      ),
    )
    return { to: n }
  }
  visit(root)
  return rows
}
