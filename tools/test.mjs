/**
 * Runs the test suite on the Node that runs this file: `node tools/test.mjs [FILTER…]`, where a filter is a
 * part of a test file's path (`codec`, `pool/kill`). `npm test` calls it after the build, .ci/run calls it
 * once per Node version. Files named *.alone.test.ts measure time: they run after the others, one at a time.
 * What has to hold on every transport runs again on the stream, which is all there is where no memory can be
 * shared between processes; some of what threads share runs again where only threads can; with `--once`
 * nothing does. The last line it prints is the total. It never builds.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** A file that takes longer hangs. */
const fileTimeout = 240_000

/** Files side by side: many of them start workers of their own, so more would only disturb each other. */
const sideBySide = 2

/** Run again with PLAIT_TRANSPORT=stream: what a pool does, and what becomes of it when things fail. */
const pools = ['death', 'failures-apply', 'pool', 'states', 'turn', 'pool-threads', 'death-threads']
const onStream = pools.map((name) => `pool/${name}.test.ts`)

/** Run again with PLAIT_TRANSPORT=shared: what threads have in common where nothing is mapped. */
const threads = ['queue/threads', 'transport/ring-channel', 'worker/thread-shared', 'worker/thread-killed']
const poolsOfThreads = ['pool', 'death', 'rings', 'failures'].map((name) => `pool/${name}-threads`)
const onShared = [...threads, ...poolsOfThreads, 'pool/threads-killed'].map((name) => `${name}.test.ts`)

const filters = process.argv.slice(2).filter((word) => word !== '--once')
const once = process.argv.includes('--once') || process.env.PLAIT_TRANSPORT !== undefined
const files = readdirSync(join(root, 'test'), { recursive: true })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.test.ts') && !file.startsWith('fixtures/'))
  .filter((file) => filters.length === 0 || filters.some((filter) => `test/${file}`.includes(filter)))
  .sort()
if (files.length === 0) {
  console.error(`No test file matches ${filters.join(' ')}: a filter is a part of a path under test/`)
  process.exit(1)
}

for (const file of [...onStream, ...onShared])
  if (!existsSync(join(root, 'test', file))) throw new Error(`there is no test/${file} to be run again`)

const alone = files.filter((file) => file.endsWith('.alone.test.ts'))
const together = files.filter((file) => !alone.includes(file))
const started = Date.now()
const total = { passed: 0, failed: 0, skipped: 0 }
console.log(`Node ${process.version}, ${files.length} test files`)
await run(together, sideBySide)
for (const [transport, list] of Object.entries({ stream: onStream, shared: onShared })) {
  const again = once ? [] : files.filter((file) => list.includes(file))
  await run(again, sideBySide, { PLAIT_TRANSPORT: transport })
}
await run(alone, 1)
const seconds = ((Date.now() - started) / 1000).toFixed(0)
console.log(`\nNode ${process.version}, ${files.length} test files, ${seconds} s`)
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
if (total.failed > 0 || total.passed === 0) process.exitCode = 1

/** One `node --test` over `list`; adds its summary to the total. */
async function run(list, concurrency, env = {}) {
  if (list.length === 0) return
  for (const [name, value] of Object.entries(env))
    console.log(`\n${list.length} test files with ${name}=${value}`)
  const paths = list.map((file) =>
    relative(process.cwd(), join(root, 'build/test', file.replace(/ts$/, 'js'))),
  )
  const flags = [
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${fileTimeout}`,
  ]
  const child = spawn(process.execPath, [...flags, ...paths], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    process.stdout.write(chunk)
    text += chunk
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  const counted = (word) => Number(text.match(new RegExp(`^ℹ ${word} (\\d+)$`, 'm'))?.[1] ?? 0)
  const failed = counted('fail') + counted('cancelled')
  total.passed += counted('pass')
  total.skipped += counted('skipped') + counted('todo')
  // A run that ends badly without naming a failed test has failed all the same.
  total.failed += failed === 0 && code !== 0 ? 1 : failed
}
