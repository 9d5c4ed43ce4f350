/**
 * The bytes of a handful of messages, as they were agreed. A change of the format fails here and is then a
 * conscious act: raise `version` in tags.ts where older decoders cannot read it, and replace
 * test/golden/codec.json (`node build/test/codec/golden.test.js --write`).
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { bytesOf, valueOf } from './trip.ts'

const messages: Record<string, unknown> = {
  null: null,
  integers: [0, 127, 128, 65_536, -1, -257],
  floats: [0.5, -0, 'x'],
  text: ['short', 'x'.repeat(40), 'é'.repeat(70), '日本'.repeat(40)],
  objects: [{ id: 1, args: [1] }, { id: 2, args: [2] }, {}],
  'packed integers': [1, 2, 3, 4, 5, 6],
  'packed floats': [1.5, 2, 3, 4, 5],
  collections: new Map<unknown, unknown>([['k', new Set([1n, -255n])]]),
  closed: Object.freeze({ a: 1 }),
  sparse: [, 1],
  views: [new Uint8Array([1, 2, 3]), new DataView(new ArrayBuffer(2))],
  scalars: [new Date(5), /a/g, new URL('http://a.b/'), Object('s'), Symbol.iterator, Symbol.for('k')],
  error: Object.defineProperty(new RangeError('m'), 'stack', {
    value: 'RangeError: m\n    at x',
    enumerable: false,
  }),
}

const file = new URL('../../../test/golden/codec.json', import.meta.url)
const encoded = Object.fromEntries(
  Object.entries(messages).map(([name, value]) => [name, bytesOf(value).toString('hex')]),
)
if (process.argv.includes('--write')) writeFileSync(file, `${JSON.stringify(encoded, null, 2)}\n`)
const golden = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>

for (const [name, value] of Object.entries(messages))
  test(`golden: ${name}`, () => {
    assert.equal(encoded[name], golden[name])
    assert.deepStrictEqual(valueOf(Buffer.from(golden[name], 'hex')), value)
  })
