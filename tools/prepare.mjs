/**
 * Makes a checkout ready to run: installs what package-lock.json names where it is not installed yet, and
 * compiles what has changed. `npm test` and `npm run demo` call it first, so that each works on a fresh
 * clone. Plain JavaScript on Node alone, because nothing else is there yet; it says nothing when there is
 * nothing to do.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Outputs by the folder they came from: tsc never removes the output of a source that is gone. */
const outputs = ['src', 'test', 'bench', 'examples', 'tools']

const problem = staleInstall()
if (problem !== undefined) install(problem)
for (const name of outputs) prune(join(root, name), join(root, 'build', name))
await build()

/** Why what is installed is not what the lock file says, or undefined where it is. */
function staleInstall() {
  const wanted = readPackages(join(root, 'package-lock.json'))
  const found = readPackages(join(root, 'node_modules', '.package-lock.json'))
  if (wanted === undefined) return 'package-lock.json cannot be read'
  if (found === undefined) return 'node_modules is missing'
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue
    const version = found[path]?.version
    // An optional package may be meant for another system.
    if (version === undefined && entry.optional) continue
    if (version !== entry.version) return `${path} is ${version ?? 'missing'}, ${entry.version} is wanted`
    if (!existsSync(join(root, path))) return `${path} is missing`
  }
  return undefined
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** `npm ci`, by the npm that runs us where one does; no package needs its install script here. */
function install(reason) {
  console.error(`Installing the development packages (${reason}) …`)
  const flags = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = process.env.npm_execpath
  const result =
    npm !== undefined && /\.c?js$/.test(npm)
      ? spawnSync(process.execPath, [npm, ...flags], { cwd: root, stdio: ['ignore', 2, 2] })
      : spawnSync('npm', flags, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (result.status !== 0) fail(`npm ci failed (${outcome(result)}): see its message above`)
}

/** src/ first, then dist/ from it: tests, examples and tools are compiled against what is published. */
async function build() {
  tsc('src')
  const inRoot = (path) => join(root, path)
  if (isOlder(inRoot('dist/index.js'), inRoot('build/src'), inRoot('tools/bundle.mjs'))) {
    const { bundle } = await import('./bundle.mjs')
    await bundle()
  }
  tsc('test')
}

function tsc(project) {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const result = spawnSync(process.execPath, [compiler, '-b', project], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (result.status !== 0)
    fail(`tsc -b ${project} failed (${outcome(result)}): mend the errors above and run again`)
}

/** Whether `file` is missing, or `tool` or some file below `folder` was written after it. */
function isOlder(file, folder, tool) {
  if (!existsSync(file)) return true
  const { mtimeMs } = statSync(file)
  if (statSync(tool).mtimeMs > mtimeMs) return true
  return readdirSync(folder, { recursive: true }).some(
    (name) => statSync(join(folder, name)).mtimeMs > mtimeMs,
  )
}

/** Removes compiled files whose TypeScript source does not exist any more, and folders left empty by that. */
function prune(source, output) {
  if (!existsSync(output)) return
  for (const entry of readdirSync(output, { withFileTypes: true })) {
    const path = join(output, entry.name)
    if (entry.isDirectory()) prune(join(source, entry.name), path)
    else if (/\.(js|js\.map|d\.ts)$/.test(entry.name)) {
      const name = entry.name.replace(/\.(js|js\.map|d\.ts)$/, '.ts')
      if (!existsSync(join(source, name))) rmSync(path)
    }
  }
  if (!existsSync(source) && readdirSync(output).length === 0) rmSync(output, { recursive: true })
}

function outcome({ status, signal, error }) {
  return error?.message ?? (signal === null ? `exit code ${status}` : signal)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
