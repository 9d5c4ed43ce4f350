/**
 * The demo, run as a user runs it, on small folders: what it prints, what it returns, and that SIGKILLed
 * workers cost no file. Its output goes to a pipe here, so it prints plain lines.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { root } from '../../tools/sources.ts'

const main = fileURLToPath(new URL('../../examples/demo/main.js', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'plait-demo-'))
after(() => rmSync(scratch, { recursive: true }))

function demo(...args: string[]): { status: number | null; out: string; err: string } {
  const env = { ...process.env, INIT_CWD: scratch }
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', env })
  return { status, out: stdout, err: stderr }
}

/** A folder below the scratch folder with these files. */
function folder(name: string, files: Record<string, string>): string {
  mkdirSync(join(scratch, name), { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(scratch, name, file), text)
  return name
}

test('every file is examined, and what cannot be is counted', () => {
  const name = folder('mixed', {
    'a.ts': 'export function longest(x: number) {\n  return x\n}\nexport const b = () => 1\n',
    'b.jsx': 'export const c = <p>text</p>\n',
    'bad.js': 'const = ;\n',
    'notes.txt': 'not a source file\n',
  })
  symlinkSync('nowhere', join(scratch, name, 'gone.mjs'))
  const { status, out, err } = demo(name)
  assert.equal(status, 0, out + err)
  assert.match(out, /100%, 3 of 3 files/)
  assert.match(out, /lines in one function │ +3 │ a\.ts:1 longest/)
  assert.match(out, /2 could not be examined; the others went on/)
  assert.match(out, /unreadable: ENOENT.*gone\.mjs/)
  assert.match(out, /unparsable: .*bad\.js: Unexpected token \(1:6\)/)
  assert.match(out, /[\d.]+ times as fast on \d+ cores/)
  assert.match(out, /3 of 3 files came out the same both ways/)
})

test('SIGKILLed workers cost no file', () => {
  cpSync(join(root, 'node_modules', '@babel'), join(scratch, 'babel'), { recursive: true })
  cpSync(join(root, 'node_modules', 'vite'), join(scratch, 'vite'), { recursive: true })
  const { status, out, err } = demo('.', '--kill')
  assert.equal(status, 0, out + err)
  assert.match(out, /killed [1-5] workers on the way/)
  const [, same, all] = out.match(/(\d+) of (\d+) files came out the same both ways/) ?? []
  assert.ok(Number(all) > 50, out)
  assert.equal(same, all)
})

for (const [what, args, says] of [
  ['a folder that is missing', ['nowhere'], /ENOENT: no such file or directory.*nowhere/],
  ['an empty folder', [folder('empty', {})], /No JavaScript or TypeScript file under .*empty/],
  ['a file', [join(folder('one', { 'a.ts': '' }), 'a.ts')], /a\.ts is not a folder/],
  ['an unknown option', ['--fast'], /Unknown option '--fast'/],
  ['two folders', ['empty', 'one'], /one folder at a time/],
] as const) {
  test(`${what} is refused with a sentence and exit code 2`, () => {
    const { status, out, err } = demo(...args)
    assert.equal(status, 2, out + err)
    assert.match(err, says)
    assert.doesNotMatch(err, /\n {4}at /, 'no stack')
  })
}
