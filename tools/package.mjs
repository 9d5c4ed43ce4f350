/**
 * Packs the library as it would be published and asks three questions of the tarball: are its files right
 * (publint), do its types resolve as its code does (attw), and does a stranger's project that installs it get
 * a
 * `plait` that compiles and works? Called by `npm run package` and .ci/run, after the build.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const scratch = mkdtempSync(join(tmpdir(), 'plait-package-'))
try {
  const tarball = pack()
  run('publint', ['run', tarball, '--strict'])
  run('attw', [tarball, '--profile', 'esm-only'])
  tryAsStranger(tarball)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

function pack() {
  npm(['pack', '--silent', '--ignore-scripts', '--pack-destination', scratch], root)
  const name = readdirSync(scratch).find((file) => file.endsWith('.tgz'))
  return join(scratch, name)
}

/** Installs the tarball beside nothing else, compiles a program against its types, and runs that. */
function tryAsStranger(tarball) {
  const home = join(scratch, 'stranger')
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{ "private": true, "type": "module" }\n')
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', tarball], home)
  const program = `
    import { Pool } from 'plait'
    import { ProcessPoolExecutor } from 'plait/futures'
    import { run } from 'plait/subprocess'
    import { TaskGroup } from 'plait/coroutine'
    await using pool = new Pool(2)
    const base = 40
    const answers: number[] = await pool.map((x) => x + base, [1, 2])
    if (String(answers) !== '41,42') throw new Error('the packed plait answered ' + answers)
    await using executor = new ProcessPoolExecutor(1)
    const answer: number = await executor.submit((x: number) => x + base, 2)
    if (answer !== 42) throw new Error('the packed executor answered ' + answer)
    const together: number = await TaskGroup.run((group) => group.spawn(async () => 42))
    if (together !== 42) throw new Error('the packed group answered ' + together)
    const done = await run(['echo', '42'], { captureOutput: true, encoding: 'utf8' })
    if (done.stdout.trim() !== '42') throw new Error('the packed subprocess answered ' + done.stdout)`
  writeFileSync(join(home, 'main.ts'), program)
  const options = {
    target: 'ES2023',
    lib: ['ES2023', 'ESNext.Disposable'],
    module: 'NodeNext',
    strict: true,
    skipLibCheck: false,
    typeRoots: [join(root, 'node_modules', '@types')],
    types: ['node'],
  }
  writeFileSync(
    join(home, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, include: ['main.ts'] }),
  )
  run('tsc', ['-p', home])
  execFileSync(process.execPath, ['main.js'], { cwd: home, stdio: 'inherit', timeout: 60_000 })
  console.log('a stranger can install, compile against and run the tarball')
}

function run(tool, args) {
  const result = spawnSync(join(root, 'node_modules', '.bin', tool), args, { cwd: root, stdio: 'inherit' })
  if (result.status !== 0) throw new Error(`${tool} found something wrong with the package: see above`)
}

function npm(args, cwd) {
  execFileSync('npm', args, { cwd, stdio: ['ignore', 2, 2] })
}
