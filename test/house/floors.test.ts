/**
 * The floors: every import of src/, types included, goes down, to an exact file, and none round in a circle.
 * The second half proves that the check sees each kind of broken arrow.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { floorViolations } from '../../tools/floors.ts'
import { readSources } from '../../tools/sources.ts'

test('every import of src/ keeps to the floors', () => {
  const sources = readSources(['src'])
  assert.ok(sources.length > 0, 'src/ has files')
  const found = floorViolations(sources)
  assert.equal(found.length, 0, found.join('\n'))
})

/** A small house: path → text; everything in it is right. */
const house = {
  'src/core/a.ts': `import { open } from 'node:fs'\nexport const a = open`,
  'src/codec/b.ts': `import type { A } from '../core/a.ts'\nexport type B = A`,
  'src/closure/c.ts': `import { parse } from 'acorn'\nexport { parse }\nexport * from '../codec/b.ts'`,
  'src/memory/m.ts': `import { helper } from './n.ts'\nexport const m = helper`,
  'src/memory/n.ts': `import type { M } from './m.ts'\nexport const helper = 1 as M`,
  'src/api/index.ts': `export * from '../closure/c.ts'`,
}

const broken: Record<string, { add: Record<string, string>; says: RegExp }> = {
  'an import upwards': {
    add: { 'src/codec/x.ts': `import { c } from '../closure/c.ts'` },
    says: /codec\/x\.ts:1 → .*codec\/ \(floor 1\) must not look up to closure\/ \(floor 2\)/,
  },
  'an import of a sibling room': {
    add: { 'src/closure/x.ts': `import { m } from '../memory/m.ts'` },
    says: /share floor 2/,
  },
  'a type import': {
    add: { 'src/core/x.ts': `import type { B } from '../codec/b.ts'` },
    says: /import type\): core/,
  },
  'an inline type import': {
    add: { 'src/core/x.ts': `export type X = import('../codec/b.ts').B` },
    says: /type import\(\)\): core/,
  },
  'a re-export': {
    add: { 'src/core/x.ts': `export { B } from '../codec/b.ts'` },
    says: /export from\): core/,
  },
  'a re-export of a type': {
    add: { 'src/core/x.ts': `export type { B } from '../codec/b.ts'` },
    says: /export type from\): core/,
  },
  'a star re-export': {
    add: { 'src/core/x.ts': `export * from '../codec/b.ts'` },
    says: /export from\): core/,
  },
  'a dynamic import': {
    add: { 'src/core/x.ts': `export const x = () => import('../codec/b.ts')` },
    says: /\(import\(\)\): core/,
  },
  'a side-effect import': { add: { 'src/core/x.ts': `import '../codec/b.ts'` }, says: /look up/ },
  'a folder instead of a file': {
    add: { 'src/codec/x.ts': `import { a } from '../core'` },
    says: /exact \.ts file/,
  },
  'a compiled name': {
    add: { 'src/codec/x.ts': `import { a } from '../core/a.js'` },
    says: /exact \.ts file/,
  },
  'an inner barrel': {
    add: {
      'src/core/index.ts': `export * from './a.ts'`,
      'src/codec/x.ts': `import { a } from '../core/index.ts'`,
    },
    says: /no inner barrels/,
  },
  'a private file': {
    add: { 'src/core/_p.ts': 'export {}', 'src/codec/x.ts': `import '../core/_p.ts'` },
    says: /_p\.ts is private to core/,
  },
  'a room without a floor': {
    add: { 'src/attic/x.ts': `import '../core/a.ts'` },
    says: /attic\/ stands on no floor/,
  },
  'a room that stands on core alone': {
    add: { 'src/cli/x.ts': `import { m } from '../memory/m.ts'` },
    says: /cli\/ stands on api alone/,
  },
  'a package that is not listed': {
    add: { 'src/core/x.ts': `import lodash from 'lodash/fp'` },
    says: /lodash is not among/,
  },
  'a package of another room': {
    add: { 'src/codec/x.ts': `import 'acorn'` },
    says: /only closure may use acorn/,
  },
  'a builtin without node:': { add: { 'src/core/x.ts': `import 'fs'` }, says: /write node:/ },
  'a builtin of another room': {
    add: { 'src/codec/x.ts': `import 'node:child_process'` },
    says: /node:child_process is for worker, subprocess alone/,
  },
  'a cycle of two': {
    add: { 'src/core/x.ts': `import './y.ts'`, 'src/core/y.ts': `export { x } from './x.ts'` },
    says: /a cycle: src\/core\/x\.ts → src\/core\/y\.ts → src\/core\/x\.ts/,
  },
  'a file that imports itself': { add: { 'src/core/x.ts': `import './x.ts'` }, says: /a cycle/ },
}

const asSources = (files: Record<string, string>): { path: string; text: string }[] =>
  Object.entries(files).map(([path, text]) => ({ path, text }))

test('a right house passes', () => {
  assert.deepEqual(floorViolations(asSources(house)), [])
})

for (const [what, { add, says }] of Object.entries(broken)) {
  test(`caught: ${what}`, () => {
    const found = floorViolations(asSources({ ...house, ...add }))
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0], says)
  })
}
