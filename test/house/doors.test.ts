/**
 * The doors: what package.json exports. Each public class leaves by exactly one of them under one name, each
 * error class of core/ has left, and nothing that is inside is reachable from outside.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { errorClasses } from '#plait/core/errors.js'

const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  exports: Record<string, string | { types: string; default: string }>
}
const entries = Object.entries(manifest.exports).filter(([, target]) => typeof target !== 'string')

/** Each class that leaves, with the doors and names by which it does: 'plait:Pool'. */
function exitsOf(doors: readonly (readonly [string, Record<string, unknown>])[]): Map<unknown, string[]> {
  const exits = new Map<unknown, string[]>()
  for (const [door, names] of doors)
    for (const [name, value] of Object.entries(names))
      if (typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value)))
        exits.set(value, [...(exits.get(value) ?? []), `${door}:${name}`])
  return exits
}

async function openDoors(): Promise<[string, Record<string, unknown>][]> {
  return Promise.all(
    entries.map(async ([path]): Promise<[string, Record<string, unknown>]> => {
      const door = `plait${path.slice(1)}`
      return [door, (await import(door)) as Record<string, unknown>]
    }),
  )
}

test('each public class leaves by exactly one door, under its own name', async () => {
  const exits = exitsOf(await openDoors())
  assert.ok(exits.size > 0)
  for (const [type, ways] of exits) {
    const { name } = type as { name: string }
    assert.equal(ways.length, 1, `${name} leaves by ${ways.join(' and ')}: one door only`)
    assert.equal(ways[0]?.split(':')[1], name)
  }
})

test('each error class of core/ leaves', async () => {
  const exits = exitsOf(await openDoors())
  const names = new Set(Array.from(exits.keys(), (type) => (type as { name: string }).name))
  const missing = [...errorClasses.keys()].filter((name) => !names.has(name))
  assert.deepEqual(missing, [])
})

test('the doors are the only way in', async () => {
  const inside: string = 'plait/dist/core/errors.js'
  await assert.rejects(import(inside), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
})

test('a class with two doors is seen', () => {
  class Twice {}
  class Once {}
  const exits = exitsOf([
    ['plait', { Twice, Once, plain: () => 1 }],
    ['plait/futures', { Twice }],
  ])
  assert.deepEqual(exits.get(Twice), ['plait:Twice', 'plait/futures:Twice'])
  assert.deepEqual(exits.get(Once), ['plait:Once'])
  assert.equal(exits.size, 2)
})
