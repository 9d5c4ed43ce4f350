/**
 * Makes dist/, what is published, from build/src, what tsc wrote: the same modules in a few files. Every file
 * that a worker or `import 'plait'` loads costs 0.3 ms and some memory, and there are about a hundred of
 * them. What several entries share lies in chunks, so that each module exists once in a process. All files
 * lie flat in dist/, because modules name their neighbours by URL (`./entry.js`). Called by
 * tools/prepare.mjs.
 */
import { cpSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const from = join(root, 'build', 'src')
const to = join(root, 'dist')

/** The package's entry points. */
const entries = ['api/index', 'api/futures', 'api/subprocess', 'api/coroutine', 'api/threading']
/**
 * The child's first file, and the modules that it is told by URL. One file holds them all: each file more
 * costs at every start and import.
 */
const first = 'worker/entry'
const roles = { run: 'worker/run', role: 'pool/role' }

/** What opens handles that arrive: of each room that has any, one file, told by the room's name. */
const opening = readdirSync(from).filter((room) => existsSync(join(from, room, 'open.js')))

/**
 * What some entries share with the child, and others do not need, would lie in a file of its own. Named here,
 * it is in the file that all of them load anyway. (An entry that stands on core/ alone does without.)
 */
const shared = 'worker/self'

/**
 * Importing `node:fs` or `node:util` as an ES module reads every export of it, and so loads what is behind
 * the lazy ones: streams, parsers of arguments and of MIME types. 2 ms and half a megabyte, in each worker
 * again.
 */
const builtins = {
  'node:fs':
    'accessSync appendFileSync closeSync constants existsSync fstatSync mkdtempSync openSync readdirSync ' +
    'readFileSync readSync readlinkSync realpathSync rmdirSync rmSync statSync unlinkSync writeSync',
  'node:util': 'getSystemErrorName debuglog inspect types',
}

const virtual = {
  name: 'lean builtins, and the child',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^child$/ }, ({ path }) => ({ path, namespace: 'child' }))
    onLoad({ filter: /.*/, namespace: 'child' }, () => {
      const lines = Object.entries(roles).map(([name, path]) => `export * as ${name} from './${path}.js'`)
      return { contents: [`import './${first}.js'`, ...lines].join('\n'), resolveDir: from }
    })
    onLoad({ filter: /[/\\]api[/\\](?:index|futures)\.js$/ }, ({ path }) => ({
      contents: `${readFileSync(path, 'utf8')}\nimport '../${shared}.js'`,
    }))
    onResolve({ filter: /^node:(fs|util)$/ }, ({ path }) => ({ path, namespace: 'lean' }))
    onLoad({ filter: /.*/, namespace: 'lean' }, ({ path }) => {
      const names = builtins[path].replaceAll(' ', ', ')
      return { contents: `export const { ${names} } = process.getBuiltinModule('${path}')` }
    })
  },
}

/** Writes dist/ anew, beside the old one first: a program that runs meanwhile finds one or the other. */
export async function bundle() {
  const next = `${to}.next`
  rmSync(next, { recursive: true, force: true })
  const declarations = readdirSync(from, { recursive: true }).filter((file) => file.endsWith('.d.ts'))
  for (const file of declarations) cpSync(join(from, file), join(next, 'types', file))
  await build({
    entryPoints: [
      ...entries.map((entry) => join(from, `${entry}.js`)),
      { in: 'child', out: 'entry' },
      ...opening.map((room) => ({ in: join(from, room, 'open.js'), out: `${room}-open` })),
    ],
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    outdir: next,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    plugins: [virtual],
    // `sideEffects: false` is said to users' bundlers; here every statement counts.
    ignoreAnnotations: true,
    logLevel: 'warning',
  })
  for (const name of Object.keys(roles))
    writeFileSync(
      join(next, `${name}.js`),
      `import { ${name} } from './entry.js'\nexport const { start, receive } = ${name}\n`,
    )
  rmSync(to, { recursive: true, force: true })
  renameSync(next, to)
}
