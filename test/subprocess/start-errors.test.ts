/** Programs that cannot be started: the error is thrown at once, with the code and the path to blame. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { checkOutput, PIPE, Popen, run, runSync, STDOUT, type PopenOptions } from 'plait/subprocess'
import { checkLeaks } from '../leaks.js'
import { failure } from './kit.js'

checkLeaks()

const folder = mkdtempSync(join(tmpdir(), 'plait-test-'))
after(() => rmSync(folder, { recursive: true }))
function file(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

const plain = file('plain.txt', 'no program', 0o644)
const orphan = file('orphan', '#!/no/such/interpreter -x\n')
const loop = join(folder, 'loop')
symlinkSync(loop, loop)
mkdirSync(join(folder, 'sub'))
file('sub/tool', '#!/bin/sh\necho tool\n')

const table: [
  what: string,
  args: string[] | string,
  options: PopenOptions,
  code: string,
  path: string,
  says: RegExp,
][] = [
  [
    'a missing program',
    ['no-such-tool', 'x'],
    {},
    'ENOENT',
    'no-such-tool',
    /'no-such-tool' in any folder of PATH$/,
  ],
  ['a missing path', ['./nope'], {}, 'ENOENT', './nope', /no program '\.\/nope'$/],
  [
    'a string with blanks',
    'echo a',
    {},
    'ENOENT',
    'echo a',
    /name of one program: give \[program, \.\.\.args\]/,
  ],
  [
    'a missing cwd',
    ['true'],
    { cwd: '/no/such' },
    'ENOENT',
    '/no/such',
    /working directory '\/no\/such' does not exist/,
  ],
  ['a cwd that is a file', ['true'], { cwd: plain }, 'ENOTDIR', plain, /is no folder/],
  ['both missing: the cwd comes first', ['nope'], { cwd: '/no/such' }, 'ENOENT', '/no/such', /directory/],
  ['a file without x', [plain], {}, 'EACCES', plain, /may not be executed/],
  ['a folder', [folder], {}, 'EACCES', folder, /is a folder/],
  ['a path through a file', [`${plain}/x`], {}, 'ENOTDIR', `${plain}/x`, /no program/],
  ['a script without its interpreter', [orphan], {}, 'ENOENT', orphan, /run by '\/no\/such\/interpreter'/],
  ['links in a circle', [loop], {}, 'ELOOP', loop, /no program/],
  ['a name beyond all bounds', ['x'.repeat(5000)], {}, 'ENAMETOOLONG', 'x'.repeat(5000), /x/],
  ['a PATH without it', ['sh'], { env: { PATH: folder } }, 'ENOENT', 'sh', /in any folder of PATH/],
  [
    'a PATH with a file that may not',
    ['plain.txt'],
    { env: { PATH: folder } },
    'EACCES',
    'plain.txt',
    /plain\.txt/,
  ],
  ['too many arguments', ['true', 'x'.repeat(200_000)], {}, 'E2BIG', 'true', /too long/],
  [
    'a closed descriptor',
    ['true'],
    { stdout: 987 },
    'EBADF',
    'true',
    /stdout: the descriptor 987 is not open/,
  ],
  ['a missing shell', 'true', { shell: '/no/shell' }, 'ENOENT', '/no/shell', /no program '\/no\/shell'/],
  ['a missing executable', ['x'], { executable: '/no/x' }, 'ENOENT', '/no/x', /no program '\/no\/x'/],
]

for (const [what, args, options, code, path, says] of table)
  test(`${what} is thrown at once`, async () => {
    const errors = [
      await failure<NodeJS.ErrnoException>(() => void new Popen(args, options)),
      await failure<NodeJS.ErrnoException>(() => run(args, options)),
      await failure<NodeJS.ErrnoException>(() => runSync(args, options)),
      await failure<NodeJS.ErrnoException>(
        () => void new Popen(args, { stdout: PIPE, stderr: STDOUT, ...options }),
      ),
    ]
    for (const error of errors) {
      assert.deepEqual([error.code, error.path, error.syscall], [code, path, 'spawn'])
      assert.ok(error.errno! < 0)
      assert.match(error.message, new RegExp(`^${code}: `))
      assert.match(error.message, says)
    }
    // Node says it again, later and to nobody.
    await new Promise((resolve) => void setImmediate(resolve))
  })

test('a relative program is looked for in the cwd', async () => {
  const options = { cwd: folder, encoding: 'utf8' } as const
  assert.equal(await checkOutput(['sub/tool'], options), 'tool\n')
  assert.equal(await checkOutput(['tool'], { ...options, env: { PATH: 'sub' } }), 'tool\n')
  const error = await failure<NodeJS.ErrnoException>(() => run(['sub/tool'], { cwd: tmpdir() }))
  assert.deepEqual([error.code, error.path], ['ENOENT', 'sub/tool'])
})

test('no descriptors left is an error too', async () => {
  const program = `import { closeSync, openSync, readdirSync } from 'node:fs'
    import { tmpdir } from 'node:os'
    import { Popen, PIPE, STDOUT, runSync } from 'plait/subprocess'
    const open = []
    try { for (;;) open.push(openSync('/dev/null')) } catch {}
    const seen = []
    for (const start of [
      () => new Popen(['true'], { stdout: PIPE }),
      () => new Popen(['true'], { stdout: PIPE, stderr: STDOUT }),
      () => runSync(['true'], { captureOutput: true }),
      () => runSync(['true'], { stdout: PIPE, stderr: STDOUT }),
    ]) try { start(); seen.push('started') } catch (error) { seen.push(error.code) }
    for (const fd of open) closeSync(fd)
    seen.push(runSync(['true']).returncode, readdirSync(tmpdir()).length)
    console.log(seen.join())`
  const args = [process.execPath, '--input-type=module', '--eval', program]
  const limited = ['sh', '-c', 'ulimit -n 60; exec "$@"', 'sh', ...args]
  const empty = mkdtempSync(join(folder, 'tmp-'))
  const env = { ...process.env, TMPDIR: empty }
  const text = await checkOutput(limited, { encoding: 'utf8', cwd: import.meta.dirname, env })
  assert.equal(text, 'EMFILE,EMFILE,EMFILE,EMFILE,0,0\n')
})

test('what is no command or no option is refused before anything starts', async () => {
  const bad: [args: unknown, options: unknown, type: typeof TypeError | typeof RangeError][] = [
    [[], {}, RangeError],
    ['', {}, RangeError],
    [[''], {}, RangeError],
    [undefined, {}, TypeError],
    [[1], {}, TypeError],
    [['true', 5], {}, TypeError],
    [{ 0: 'true' }, {}, TypeError],
    [['true'], 5, TypeError],
    [['true', 'a\0b'], {}, RangeError],
    [['tr\0ue'], {}, RangeError],
    [['true', '\ud800'], {}, RangeError],
    [['true'], { cwd: 'a\0b' }, RangeError],
    [['true'], { cwd: '' }, RangeError],
    [['true'], { env: { A: 'x\0y' } }, RangeError],
    [['true'], { env: { 'A\0': 'x' } }, RangeError],
    [['true'], { env: { 'A=B': 'x' } }, RangeError],
    [['true'], { env: { '': 'x' } }, RangeError],
    [['true'], { env: { A: 1 } }, TypeError],
    [['true'], { executable: 'a\0' }, RangeError],
    [['true'], { encoding: 'klingon' }, RangeError],
    [['true'], { shell: 1 }, TypeError],
    [['true'], { group: 'yes' }, TypeError],
    [['true'], { uid: -1 }, RangeError],
    [['true'], { stdin: STDOUT }, TypeError],
    [['true'], { stdout: STDOUT }, TypeError],
    [['true'], { stdout: -1 }, RangeError],
    [['true'], { stdout: 'pipe' }, TypeError],
    [['true'], { stderr: {} }, TypeError],
  ]
  for (const [args, options, type] of bad) {
    const what = `${JSON.stringify(args)} ${JSON.stringify(options)}`
    assert.throws(() => void new Popen(args as string[], options as PopenOptions), { name: type.name }, what)
    assert.throws(() => runSync(args as string[], options as PopenOptions), { name: type.name }, what)
    await assert.rejects(run(args as string[], options as PopenOptions), { name: type.name }, what)
  }
})
