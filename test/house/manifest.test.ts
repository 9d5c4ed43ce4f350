/**
 * package.json and its lock: exact versions, a lock that `npm ci` accepts on every system and that names no
 * host, and no more than three packages at run time.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '../../tools/sources.ts'

interface Entry {
  version?: string
  resolved?: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}
const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'))
const manifest = read('package.json') as Entry & { scripts: Record<string, string> }
const { packages } = read('package-lock.json') as { packages: Record<string, Entry> }

test('every version is exact, and the lock has it', () => {
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/, `${name}@${version}: write the exact version`)
    assert.equal(packages[`node_modules/${name}`]?.version, version, `${name} in package-lock.json`)
  }
})

test('two small parsers and what draws a bar at run time, nothing else', () => {
  const parsers = ['acorn', 'es-module-lexer']
  assert.deepEqual(Object.keys(manifest.dependencies ?? {}).toSorted(), [...parsers, 'cli-progress'].sort())
  for (const name of parsers) assert.equal(packages[`node_modules/${name}`]?.dependencies, undefined)
})

test('nothing runs when plait is installed', () => {
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare'])
    assert.equal(manifest.scripts[name], undefined, name)
})

test('npm ci accepts the lock on every system', () => {
  const missing = Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
      .filter((name) => !isLocked(path, name))
      .map((name) => `${name}, wanted by ${path || 'plait'}`),
  )
  assert.deepEqual(missing, [], 'run `npm run lock` after `npm install`')
})

test('the lock names no host', () => {
  const named = Object.values(packages).flatMap(({ resolved }) => resolved ?? [])
  assert.deepEqual(named, [], '.npmrc has omit-lockfile-registry-resolved')
})

/** Node's way of looking: the package's own node_modules first, then outwards. */
function isLocked(path: string, name: string): boolean {
  const steps = path === '' ? [''] : ['', ...path.split(/(?=\/node_modules\/)/)]
  const places = steps.map((_, index) => steps.slice(1, index + 1).join(''))
  return places.some(
    (place) => packages[`${place === '' ? '' : `${place}/`}node_modules/${name}`] !== undefined,
  )
}
