/** Programs that a tool makes or runs: tsx, esbuild's bundles, vitest. */
import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildSync, type BuildOptions } from 'esbuild'
import {
  app,
  check,
  checkCycle,
  cycle,
  fixture,
  Folder,
  withMain,
  withoutModule,
  type Outcome,
} from './kit.ts'

const folder = new Folder()
const late = fixture('late.mjs')
const library = fixture('library.ts')
const esm = { 'app.ts': app, 'library.ts': library, 'late.mjs': late, 'package.json': '{"type":"module"}' }
const cjs = { ...esm, 'app.ts': withoutModule(app), 'package.json': '{}' }

// ── tsx ──

test('tsx as a loader', async () => {
  const file = folder.program(esm)
  check(await folder.run(file, ['--import', 'tsx', 'app.ts']), { state: 'worker', file: 'app.ts' })
})

test('tsx as a command', async () => {
  const file = folder.program(esm)
  check(await folder.run(file, [folder.tool('tsx/dist/cli.mjs'), 'app.ts']), {
    state: 'worker',
    file: 'app.ts',
  })
})

test('tsx in a CommonJS package, where it makes CommonJS of plait too', async () => {
  const file = folder.program(cjs)
  check(await folder.run(file, ['--import', 'tsx', 'app.ts']), { state: 'worker', file: 'app.ts' })
})

const old = Number(process.versions.node.split('.')[0]) < 22
test('tsx with .cts', { skip: old && 'this Node cannot require ES modules below a loader' }, async () => {
  const file = folder.program({
    'app.cts': cjs['app.ts'].replaceAll('./library.ts', './library.cts'),
    'library.cts': library,
    'late.mjs': late,
  })
  check(await folder.run(file, ['--import', 'tsx', 'app.cts']), { state: 'worker', file: 'app.cts' })
})

test('tsx, where modules import the entry back', async () => {
  const compiled = (text: string): string => text.replaceAll(/\.ts(?=')/g, '.js')
  for (const edit of [undefined, compiled]) {
    const file = folder.program({ ...cycle('.ts', edit), 'package.json': '{"type":"module"}' })
    checkCycle(await folder.run(file, ['--import', 'tsx', 'app.ts']))
  }
})

test('tsx in a CommonJS package, where modules import the entry back', async () => {
  const file = folder.program({ ...cycle('.ts'), 'package.json': '{}' })
  checkCycle(await folder.run(file, ['--import', 'tsx', 'app.ts']))
})

// ── tsc ──

test('CommonJS as tsc writes it', async () => {
  const options = {
    module: 'node20',
    target: 'es2022',
    outDir: 'out',
    rewriteRelativeImportExtensions: true,
    types: [],
    strict: false,
  }
  const file = folder.program({
    ...cjs,
    'tsconfig.json': JSON.stringify({ compilerOptions: options, files: ['app.ts'] }),
  })
  // The fixture has no types at hand; what matters is the text.
  await folder.run(file, [folder.tool('typescript/bin/tsc'), '--noCheck'])
  copyFileSync(join(file, '../late.mjs'), join(file, '../out/late.mjs'))
  check(await folder.run(file, ['out/app.js']), { state: 'worker' })
})

// ── esbuild ──

/** Packages that need `require` find one. */
const banner = {
  js: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);",
}

function bundle(file: string, outfile: string, options: BuildOptions = {}): void {
  buildSync({
    entryPoints: [file],
    outfile: join(file, '..', outfile),
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    external: ['plait'],
    ...options,
  })
}

test('a minified bundle', async () => {
  const file = folder.program(esm)
  bundle(file, 'out.mjs', { format: 'esm', banner })
  check(await folder.run(file, ['out.mjs']), { state: 'snapshot' })
})

test('a minified bundle of modules that import the entry back', async () => {
  const file = folder.program({ ...cycle('.ts'), 'package.json': '{"type":"module"}' })
  bundle(file, 'out.mjs', { format: 'esm', banner })
  const { out } = await folder.run(file, ['out.mjs'])
  assert.match(out, /^entry\nresults .*"snapshot":\[\[2,3\],2,2\]/)
})

test('a minified bundle with names kept and a source map', async () => {
  const file = folder.program(esm)
  bundle(file, 'out.mjs', { format: 'esm', banner, keepNames: true, sourcemap: true })
  check(await folder.run(file, ['out.mjs']), { state: 'snapshot' })
  const mapped = await folder.run(file, ['--enable-source-maps', 'out.mjs'])
  check(mapped, { state: 'snapshot', file: 'app.ts' })
})

test('a minified CommonJS bundle', async () => {
  const file = folder.program(cjs)
  bundle(file, 'out.cjs', { format: 'cjs' })
  check(await folder.run(file, ['out.cjs']), { state: 'snapshot' })
})

const imports = `import { Pool, Process } from 'plait'\n`
const swallower = `
const factor = 3
const triple = (n: number) => n * factor
for (const run of [
  () => new Pool(1).map(triple, [1]),
  () => new Process({ target: triple, args: [1] }).start().result,
  () => new Pool(1, { initializer: () => triple(1) }),
])
  try {
    console.log(await run())
  } catch (error) {
    console.log((error as Error).message)
  }
`

for (const format of ['esm', 'cjs'] as const)
  test(`a bundle that contains plait says so (${format})`, async () => {
    const text = imports + (format === 'esm' ? swallower : `void (async () => {${swallower}})()`)
    const file = folder.program({ 'app.ts': text })
    bundle(file, `out.${format === 'esm' ? 'mjs' : 'cjs'}`, {
      format,
      external: [],
      ...(format === 'esm' && { banner }),
    })
    const { out, err, code } = await folder.run(file, [`out.${format === 'esm' ? 'mjs' : 'cjs'}`])
    assert.equal(code, 0, err)
    const said = out.trim().split('\n')
    assert.equal(said.length, 3, out)
    for (const line of said)
      assert.match(
        line,
        /this bundle contains plait itself, so no worker can import it\. Mark plait as external/,
      )
  })

// ── vitest ──

const vitest = withMain(app, (main) => `import { test } from 'vitest'\ntest('app', () => ${main}, 60_000)`)

async function runVitest(test: object): Promise<Outcome> {
  const config = `export default ${JSON.stringify({ test })}`
  const file = folder.program({ ...esm, 'app.test.ts': vitest, 'vitest.config.mjs': config })
  const args = [folder.tool('vitest/vitest.mjs'), 'run', '--disable-console-intercept', '--root=.']
  return folder.run(file, args)
}

for (const pool of ['forks', 'threads', 'vmThreads'])
  test(`vitest, pool ${pool}`, async () => {
    check(await runVitest({ pool }), { state: 'snapshot', file: 'app.test.ts' })
  })

test('vitest that evaluates plait itself, as it does with linked packages', async () => {
  const outcome = await runVitest({ server: { deps: { inline: ['plait'] } } })
  check(outcome, { state: 'snapshot', file: 'app.test.ts' })
})

test('what else modules have in vitest', async () => {
  const file = folder.program({
    'app.test.ts': fixture('vitest.ts'),
    'library.ts': library,
    'late.mjs': late,
    'data.json': '{"name":"data"}',
  })
  const { out, err, code } = await folder.run(file, [folder.tool('vitest/vitest.mjs'), 'run', '--root=.'])
  assert.equal(code, 0, out + err)
})
