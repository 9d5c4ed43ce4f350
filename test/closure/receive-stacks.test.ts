/**
 * Stacks of revived functions: the author's file, line and column, with source maps and without.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { decodeMappings, encodeMappings } from '#plait/closure/layout/sourcemap.js'
import { originOf } from '#plait/closure/walk/origins.js'
import type { Script, Unit } from '#plait/closure/unit.js'
import { cell, script, trip, unit } from './receive-kit.js'

const folder = mkdtempSync(join(tmpdir(), 'plait-stacks-'))
after(() => rmSync(folder, { recursive: true }))

type Fn = (...args: unknown[]) => unknown

/** Writes a module, imports it, and says where a function of it stands. */
async function load(
  name: string,
  text: string,
): Promise<{ exports: Record<string, Fn>; place: (fn: Fn) => Partial<Unit> }> {
  const url = pathToFileURL(join(folder, name)).href
  writeFileSync(fileURLToPath(url), text)
  const here: Script = { ...script, id: name, url }
  const place = (fn: Fn): Partial<Unit> => {
    const before = text.slice(0, text.indexOf(String(fn)))
    return {
      script: here,
      line: before.split('\n').length - 1,
      column: before.length - before.lastIndexOf('\n') - 1,
    }
  }
  return { exports: (await import(url)) as Record<string, Fn>, place }
}

/** The frames of the error that a call throws, as far as they are of files in the folder. */
function framesOf(fn: Fn, ...args: unknown[]): string[] {
  try {
    fn(...args)
  } catch (error) {
    return String((error as Error).stack)
      .split('\n')
      .filter((line) => /^ +at /.test(line) && line.includes(folder))
  }
  throw new Error('it should have thrown')
}

const plain = `
const shared = 1
  export function outer(n) {
    const inner = (m) => {
      throw new Error('from ' + m + shared + import.meta.url)
    }
    if (n === 'give') return inner
    return inner(n)
  }
/* on one line */ export const first = () => { throw new Error('1') }, second = () => { throw new Error('2') }
`

test('a function stands where it stood, without a map', async () => {
  const { exports, place } = await load('plain.mjs', plain)
  for (const name of ['outer', 'first', 'second']) {
    const fn = exports[name]
    const cells = name === 'outer' ? [cell('shared', 1)] : []
    const back = (await trip({ groups: [[unit(fn, cells, place(fn))]], root: fn })) as Fn
    assert.deepEqual(framesOf(back), framesOf(fn), name)
    assert.equal(framesOf(fn).length, name === 'outer' ? 2 : 1)
  }
})

test('units of one group stand side by side', async () => {
  const { exports, place } = await load('group.mjs', plain)
  const { outer, first, second } = exports
  const shared = cell('shared', 1, { assigned: true })
  const units = [second, outer, first].map((fn) => unit(fn, fn === outer ? [shared] : [], place(fn)))
  const back = (await trip({ groups: [units], root: [outer, first, second] })) as Fn[]
  for (const [index, fn] of [outer, first, second].entries())
    assert.deepEqual(framesOf(back[index]), framesOf(fn))
})

test('a function inside another one of its group: right with a map, on its column without', async () => {
  const { exports, place } = await load('inside.mjs', plain)
  const { outer } = exports
  const inner = outer('give') as Fn
  const shared = cell('shared', 1, { assigned: true })
  const make = (): Unit[] => [unit(inner, [shared], place(inner)), unit(outer, [shared], place(outer))]
  const [unmapped] = (await trip({ groups: [make()], root: [inner] })) as Fn[]
  assert.match(framesOf(unmapped)[0], /inside\.mjs:\d+:13\)?$/)
  process.setSourceMapsEnabled(true)
  try {
    shared.assigned = false // another template
    const [mapped] = (await trip({ groups: [make()], root: [inner] })) as Fn[]
    const paths = framesOf(inner).map((frame) => frame.replace('file://', ''))
    assert.deepEqual(framesOf(mapped), paths)
  } finally {
    process.setSourceMapsEnabled(false)
  }
})

test("the script's own map is composed, and holds on the second trip", async () => {
  const generated = [
    "export const helper = (x) => { throw new Error('deep ' + x) }",
    'export const run = (x) => helper(x); export const next = (x) => run(x)',
    "export const lazy = (a) => { import('node:fs'); owned; helper(a) }",
  ]
  // Source lines are 100, 110, 120; columns are halved, so that the translation shows.
  const lines = generated.map((text, line) =>
    [...text.matchAll(/\S+/g)].map(
      ({ index }) => [index, 0, 100 + line * 10, index >> 1, undefined] as const,
    ),
  )
  const map = { version: 3, sources: ['../src/author.ts'], names: [], mappings: encodeMappings(lines) }
  assert.deepEqual(decodeMappings(map.mappings), lines)
  const data = Buffer.from(JSON.stringify(map)).toString('base64')
  const text = `${generated.join('\n')}\n//# sourceMappingURL=data:application/json;base64,${data}\n`
  process.setSourceMapsEnabled(true)
  try {
    const { exports, place } = await load('mapped.mjs', text)
    const { helper, run, lazy } = exports
    const helperCell = cell('helper', helper)
    const own = cell('owned', 1, { owned: 'a long key that shifts all that follows' })
    const first = [
      unit(helper, [], place(helper)),
      unit(run, [helperCell], place(run)),
      unit(lazy, [helperCell, own], place(lazy)),
    ]
    const there = (await trip({ groups: first.map((one) => [one]), root: [run, lazy, helper] })) as Fn[]
    const again = there.map((fn) => originOf(fn) as Unit)
    const back = (await trip({ groups: again.map((one) => [one]), root: there })) as Fn[]
    globalThis.owned = 1
    for (const [index, fn] of [run, lazy].entries()) {
      assert.match(mappedFrames(fn)[0], /author\.ts:101:\d+/)
      assert.deepEqual(mappedFrames(there[index]), mappedFrames(fn))
      assert.deepEqual(mappedFrames(back[index]), mappedFrames(fn))
    }
  } finally {
    process.setSourceMapsEnabled(false)
  }
})

declare global {
  var owned: unknown
}

/** The places of the first two frames. */
function mappedFrames(fn: Fn): string[] {
  try {
    fn()
  } catch (error) {
    const frames = String((error as Error).stack)
      .split('\n')
      .slice(1, 3)
    return frames.map((frame) => frame.replace(/at (\S+ )?/, ''))
  }
  throw new Error('it should have thrown')
}

test('a map that is broken does no harm', async () => {
  const text =
    "export const fail = () => { throw new Error('x') }\n" +
    '//# sourceMappingURL=data:application/json;base64,bm90IGpzb24=\n'
  process.setSourceMapsEnabled(true)
  try {
    const { exports, place } = await load('broken.mjs', text)
    const { fail } = exports
    const back = (await trip({ groups: [[unit(fail, [], place(fail))]], root: fail })) as Fn
    assert.equal(framesOf(back).length, 1)
  } finally {
    process.setSourceMapsEnabled(false)
  }
})
