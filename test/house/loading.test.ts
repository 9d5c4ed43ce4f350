/**
 * What `import 'plait'` costs: every file takes its time, so the number of files is held down, and what only
 * some programs need (the parsers, the inspector, native code) waits until it is needed.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

/** Files that `import 'plait'` may load. */
const mostFiles = 50

/** Modules that load when they are first needed, and not before. */
const late = ['acorn', 'es-module-lexer', 'cli-progress', 'koffi', 'node:inspector']

/** Every URL that a child loads while it runs `program`, and every CommonJS file it required. */
function loadedBy(program: string): string[] {
  const hooks = `
    import { appendFileSync } from 'node:fs'
    export async function load(url, context, next) {
      appendFileSync(1, 'loaded ' + url + '\\n')
      return next(url, context)
    }`
  const register = `
    import { register } from 'node:module'
    register(${JSON.stringify(asUrl(hooks))})`
  const last = `
    import { createRequire } from 'node:module'
    for (const file of Object.keys(createRequire(import.meta.url).cache)) console.log('loaded ' + file)`
  const output = execFileSync(
    process.execPath,
    ['--import', asUrl(register), '--input-type=module', '--eval', `${program}\n${last}`],
    { encoding: 'utf8', cwd: new URL('.', import.meta.url) },
  )
  return output
    .split('\n')
    .filter((line) => line.startsWith('loaded ') && !line.startsWith('loaded data:'))
    .map((line) => line.slice('loaded '.length))
}

const asUrl = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`

test(`import 'plait' loads at most ${mostFiles} files, and none that can wait`, () => {
  const loaded = loadedBy(`import 'plait'`)
  const files = loaded.filter((url) => !url.startsWith('node:'))
  assert.ok(files.length > 1, `the hook sees files: ${loaded.join(', ')}`)
  assert.ok(files.length <= mostFiles, `${files.length} files: ${files.join('\n')}`)
  for (const name of late) {
    const early = loaded.filter((url) => url === name || url.includes(`/node_modules/${name}/`))
    assert.deepEqual(early, [], `${name} is loaded by import 'plait', though nothing needs it yet`)
  }
})

test('the count sees packages, builtins and CommonJS', () => {
  const loaded = loadedBy(`import 'acorn'; import 'node:inspector'; import 'cli-table3'`)
  for (const part of ['/acorn/dist/acorn.mjs', 'node:inspector', '/cli-table3/src/table.js'])
    assert.ok(
      loaded.some((url) => url.includes(part)),
      `${part} in ${loaded.join(', ')}`,
    )
})
