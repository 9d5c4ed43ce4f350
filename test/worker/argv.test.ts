/**
 * Which of the parent's own Node options a child inherits, and which belong to the parent alone.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { childArgv } from '#plait/worker/argv.js'

const table: [inherited: string, kept: string][] = [
  ['', ''],
  [
    '--import ./hook.js --conditions=dev -C dev --max-old-space-size=200',
    '--import ./hook.js --conditions=dev -C dev --max-old-space-size=200',
  ],
  [
    '-r tsx/cjs --loader x --experimental-strip-types --enable-source-maps',
    '-r tsx/cjs --loader x --experimental-strip-types --enable-source-maps',
  ],
  ['--input-type=module -e code --no-warnings', '--no-warnings'],
  ['--input-type module --eval code', ''],
  ['-p code', ''],
  ['-pe code --trace-warnings', '--trace-warnings'],
  ['--print code', ''],
  ['--eval=code --no-warnings', '--no-warnings'],
  ['--inspect --inspect-brk=0.0.0.0:9229 --inspect-port=1 --inspect-port 2 --no-warnings', '--no-warnings'],
  ['--inspect-wait --debug-port 9 --no-warnings', '--no-warnings'],
  [
    '--test --test-only --test-concurrency=2 --test-name-pattern x --test-reporter=tap --expose-gc',
    '--expose-gc',
  ],
  ['--experimental-test-coverage --test-force-exit --import x', '--import x'],
  [
    '--watch --watch-path src --watch-path=lib --watch-preserve-output --stack-trace-limit=50',
    '--stack-trace-limit=50',
  ],
  [
    '--cpu-prof --cpu-prof-dir=x --cpu-prof-name y --heap-prof --heap-prof-interval 5 --prof --trace-gc',
    '--trace-gc',
  ],
  ['-c -i --check --interactive', ''],
]

test("what a child inherits of its parent's Node options", () => {
  for (const [inherited, kept] of table)
    assert.equal(childArgv({}, split(inherited)).join(' '), kept, `of ${inherited}`)
})

test('what is asked for is taken as it is', () => {
  assert.deepEqual(childArgv({ execArgv: ['--inspect'] }, ['--no-warnings']), ['--inspect'])
})

test('relative files are found from another working directory too', () => {
  const argv = childArgv({ cwd: '/tmp' }, [
    '--import',
    './hook.js',
    '--import=./b.js',
    '-r',
    '../c.cjs',
    '--import',
    'tsx',
  ])
  const here = process.cwd()
  assert.deepEqual(argv, [
    '--import',
    new URL('hook.js', `file://${here}/`).href,
    `--import=${new URL('b.js', `file://${here}/`).href}`,
    '-r',
    new URL('../c.cjs', `file://${here}/`).pathname,
    '--import',
    'tsx',
  ])
})

function split(line: string): string[] {
  return line.split(' ').filter((word) => word !== '')
}
