/**
 * The documentation runs: every ```ts example of the README files and of the TSDoc in src/ is type-checked
 * and executed, and what its `// =>` notes claim is so. The last part proves that a false claim fails.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as plait from 'plait'
import { examplesIn, programOf, type Example } from '../../tools/docs.ts'
import { readSources, root } from '../../tools/sources.ts'

/** Below the package's root, so that `import 'plait'` finds this very package. */
const scratch = join(root, 'build', 'docs')
const names = Object.keys(plait)

/** 'src/api/index.ts:12' → 'src-api-index-ts-12', as a file name. */
const nameOf = ({ place }: Example): string => place.replaceAll(/[^a-zA-Z0-9]+/g, '-')

/** Compiles the examples into `folder` and returns what the compiler says. */
function compile(folder: string, examples: readonly Example[]): string {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const example of examples)
    writeFileSync(join(folder, `${nameOf(example)}.ts`), programOf(example, names))
  const options = { composite: false, declaration: false, outDir: 'out', noUncheckedIndexedAccess: false }
  const config = { extends: join(root, 'tsconfig.base.json'), compilerOptions: options, include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  return spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8', cwd: folder }).stdout
}

/** Runs a compiled example; returns its exit code and all that it printed. */
function run(folder: string, example: Example): { status: number | null; output: string } {
  const file = join(folder, 'out', `${nameOf(example)}.js`)
  const child = spawnSync(process.execPath, [file], { encoding: 'utf8', cwd: folder, timeout: 60_000 })
  return { status: child.status, output: child.stdout + child.stderr }
}

const readme = { path: 'README.md', text: readFileSync(join(root, 'README.md'), 'utf8') }
const examples = [readme, ...readSources(['src'], ['.ts', '.md'])].flatMap((source) => examplesIn(source))
const complaints = compile(scratch, examples)

test('every example type-checks', () => {
  assert.ok(examples.length > 0, 'the documentation has examples')
  assert.equal(complaints, '')
})

for (const example of examples) {
  test(`the example at ${example.place}`, () => {
    const { status, output } = run(scratch, example)
    assert.equal(status, 0, output)
  })
}

test('a false claim fails, a true one does not', () => {
  const fenced = (code: string): string => `\`\`\`ts\n${code}\n\`\`\`\n`
  const page = examplesIn({
    path: 'page.md',
    text: [
      `const sum = 1 + 1 // => 2`,
      `const sum = 1 + 1 // => 3`,
      `console.log([1, 2].map((x) => x * 2)) // => [2, 4]`,
      `console.log([1, 2]) // => [2, 4]`,
      `Promise.reject(new RangeError('x')) // throws RangeError`,
      `Promise.resolve(1) // throws RangeError`,
      `cpuCount() > 0 // => true`,
      `const sum: string = 1`,
    ]
      .map(fenced)
      .join('text between\n'),
  })
  const folder = `${scratch}-claims`
  const complaint = compile(folder, page)
  const codes = page.map((example) => run(folder, example).status)
  assert.deepEqual(codes, [0, 1, 0, 1, 0, 1, 0, 0])
  assert.match(complaint, /^page-md-\d+\.ts\(.*not assignable to type 'string'/)
  assert.equal(complaint.trim().split('\n').length, 1, complaint)
  rmSync(folder, { recursive: true })
})
