/**
 * Node itself: ES modules, CommonJS, stripped types, code from the command line and from stdin, threads, node
 * --test.
 */
import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  app,
  check,
  checkCycle,
  cycle,
  fixture,
  Folder,
  read,
  toCommonjs,
  toJavaScript,
  withMain,
} from './kit.ts'

const folder = new Folder()
const late = fixture('late.mjs')
const library = fixture('library.ts')

const esm = {
  code: toJavaScript(app).replaceAll('./library.ts', './library.mjs'),
  library: toJavaScript(library),
}
const cjs = {
  code: toCommonjs(app).replaceAll('./library.ts', './library.cjs'),
  library: toJavaScript(library, 'cjs'),
}

const module = (): string =>
  folder.program({ 'app.mjs': esm.code, 'library.mjs': esm.library, 'late.mjs': late })
const commonjs = (): string =>
  folder.program({ 'app.cjs': cjs.code, 'library.cjs': cjs.library, 'late.mjs': late })

test('an ES module', async () => {
  check(await folder.run(module()), { state: 'worker' })
})

test('a CommonJS module', async () => {
  check(await folder.run(commonjs()), { state: 'worker' })
})

const strips = (process.features as { typescript?: unknown }).typescript === 'strip'
test(
  'TypeScript that Node strips itself',
  { skip: !strips && 'this Node does not strip types' },
  async () => {
    const file = folder.program({
      'app.ts': app,
      'library.ts': library,
      'late.mjs': late,
      'package.json': '{"type":"module"}',
    })
    check(await folder.run(file), { state: 'worker', file: 'app.ts' })
  },
)

test('ES modules that import the entry back', async () => {
  checkCycle(await folder.run(folder.program(cycle('.mjs', toJavaScript))))
})

test('ES modules that import the entry back through the import map of their package', async () => {
  const mapped = (text: string): string => toJavaScript(text).replaceAll(/"\.\/(\w+)\.ts"/g, '"#$1"')
  const map = { imports: { '#*': './*.mjs' } }
  const file = folder.program({ ...cycle('.mjs', mapped), 'package.json': JSON.stringify(map) })
  checkCycle(await folder.run(file))
})

test('CommonJS modules that require the entry back', async () => {
  checkCycle(await folder.run(folder.program(cycle('.cjs', (text) => toJavaScript(text, 'cjs')))))
})

const lazy = `
const { Pool } = require('plait')
const { later, now } = require('./library.cjs')
console.log('entry')
exports.base = 1
const pool = new Pool(1)
const refused = (error) => [error.name, error.message.includes('(app.cjs → library.cjs → app.cjs)')]
const here = () => require('./library.cjs')
const work = [pool.apply(now), pool.apply(later).catch(refused), pool.apply(here).catch(refused)]
Promise.all(work).then((answers) => {
  console.log('results ' + JSON.stringify({ answers }))
  pool.terminate()
})`
const lazyLibrary = `
exports.later = () => require('./app.cjs').base
exports.now = () => 'now'`

test('CommonJS modules that require the entry back in a function', async () => {
  const file = folder.program({ 'app.cjs': lazy, 'library.cjs': lazyLibrary })
  const { entries, results } = read(await folder.run(file))
  const refused = ['SerializationError', true]
  assert.deepEqual([entries, results], [1, { answers: ['now', refused, refused] }])
})

const withJson = `
import { Pool } from 'plait'
import json from './some.json' with { type: 'json' }
console.log('entry')
const pool = new Pool(1)
const answer = await pool.apply(() => json.n)
pool.terminate()
console.log('results ' + JSON.stringify({ answer }))`

test('modules of JSON', async () => {
  const file = folder.program({ 'app.mjs': withJson, 'some.json': '{"n":1}' })
  const { entries, results } = read(await folder.run(file))
  assert.deepEqual([entries, results], [1, { answer: 1 }])
})

test(
  'TypeScript that Node strips, where modules import the entry back',
  { skip: !strips && 'this Node does not strip types' },
  async () => {
    const file = folder.program({ ...cycle('.ts'), 'package.json': '{"type":"module"}' })
    checkCycle(await folder.run(file))
  },
)

test('modules that import the entry of a thread back', async () => {
  const file = folder.program({
    'main.mjs':
      "import { Worker } from 'node:worker_threads'\nnew Worker(new URL('./app.mjs', import.meta.url))\n",
    ...cycle('.mjs', toJavaScript),
  })
  checkCycle(await folder.run(file))
})

test('a module on the command line', async () => {
  check(await folder.run(module(), ['--input-type=module', '--eval', esm.code]), { state: 'worker' })
})

test('a script on the command line', async () => {
  check(await folder.run(commonjs(), ['--eval', cjs.code]), { state: 'worker' })
})

test('a module from stdin', async () => {
  check(await folder.run(module(), ['--input-type=module', '-'], esm.code), { state: 'worker' })
})

test('a script from stdin', async () => {
  check(await folder.run(commonjs(), ['-'], cjs.code), { state: 'worker' })
})

test('a worker thread as the caller', async () => {
  const file = folder.program({
    'main.mjs':
      "import { Worker } from 'node:worker_threads'\nnew Worker(new URL('./app.mjs', import.meta.url))\n",
    'app.mjs': esm.code,
    'library.mjs': esm.library,
    'late.mjs': late,
  })
  check(await folder.run(file), { state: 'worker' })
})

test('a test of node --test', async () => {
  const code = withMain(app, (main) => `import { test } from 'node:test'\ntest('app', () => ${main})`)
  const file = folder.program({
    'app.test.mjs': toJavaScript(code).replaceAll('./library.ts', './library.mjs'),
    'library.mjs': esm.library,
    'late.mjs': late,
  })
  check(await folder.run(file, ['--test', '--test-reporter=spec', 'app.test.mjs']), { state: 'worker' })
})

test('an entry that exports what it sends, however it is named', async () => {
  const file = folder.program({
    'app.mjs': fixture('entry.mjs'),
    'package.json': '{"type":"module","main":"./app.mjs"}',
  })
  symlinkSync('app.mjs', join(file, '../link.mjs'))
  for (const args of [['app.mjs'], ['.'], ['link.mjs'], ['--preserve-symlinks-main', 'link.mjs']]) {
    const { entries, results } = read(await folder.run(file, args))
    assert.equal(entries, 1, args.join(' '))
    assert.deepEqual(results, { exports: [[2, 4], 1] })
  }
})

const managed = `
const { Pool } = require('plait')
console.log('entry')
exports.twice = (x) => x * 2
const pool = new Pool(1)
pool.map(exports.twice, [1, 2]).then((twos) => {
  console.log('results ' + JSON.stringify({ twos }))
  pool.terminate()
})`

test('an entry that a process manager loads as the main module', async () => {
  const file = folder.program({
    'manager.cjs': "require('node:module')._load(require.resolve('./app.cjs'), null, true)",
    'app.cjs': managed,
  })
  const { entries, results } = read(await folder.run(file))
  assert.deepEqual([entries, results], [1, { twos: [2, 4] }])
})

const warnings = /^(\(node:\d+\) ExperimentalWarning|\(Use `node --trace-warnings)/

test('options of Node that forbid or change what the language has', async () => {
  const file = folder.program({ 'app.mjs': fixture('entry.mjs') })
  for (const option of [
    '--disallow-code-generation-from-strings',
    '--disable-proto=throw',
    '--frozen-intrinsics',
    '--jitless',
  ]) {
    const outcome = await folder.run(file, [option, 'app.mjs'])
    assert.deepEqual(read(outcome).results, { exports: [[2, 4], 1] }, option)
    const said = outcome.err
      .split('\n')
      .filter((line) => line !== '' && !warnings.test(line) && !line.startsWith('Warning: '))
    assert.deepEqual(said, [], option)
  }
})
