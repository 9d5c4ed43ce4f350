/** Words of a command line: quote, join, split and the sh template, held against real shells. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { checkOutput, DEVNULL, join, quote, run, runSync, sh, split } from 'plait/subprocess'
import { checkLeaks } from '../leaks.js'
import { node } from './kit.js'

checkLeaks()

/** Whatever a hostile user may send; no program can be given a NUL. */
const special = [
  ...`'"\\\`$(){}[]<>|&;*?~#=%!^ \t\n\r`,
  '$(',
  '${',
  '$((',
  '\n#',
  "'\"'",
  '-',
  '--',
  '2',
  'if',
  'é',
  '\u200b',
  '😀',
]
const word = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.string({ unit: fc.constantFrom(...special, 'a', 'touch /tmp/x', 'IFS='), maxLength: 12 }),
  )
  .map((text) => text.replaceAll('\0', ''))
const words = fc.array(word, { minLength: 1, maxLength: 30 })

/** Prints each of its arguments, ended by a NUL. */
const list = String.raw`printf '%s\0'`
const listed = (output: Buffer): string[] => output.toString().split('\0').slice(0, -1)

for (const shell of ['/bin/sh', '/bin/bash'])
  test(`hostile words through ${shell} come back unchanged`, async () => {
    await fc.assert(
      fc.asyncProperty(words, async (words) => {
        const lines = [
          `${list} ${words.map(quote).join(' ')}`,
          `${list} ${join(words)}`,
          sh`printf '%s\\0' ${words} # a comment's end`,
          sh`x=$(cat /dev/null ${words.slice(0, 0)}); ${'printf'} '%s\\0' ${words}; : "$x"`,
        ]
        for (const line of lines) assert.deepEqual(listed(await checkOutput(line, { shell })), words)
      }),
      { seed: 21, numRuns: 15 },
    )
  })

test('hostile words as arguments reach a program byte for byte', async () => {
  const program = node(
    `process.stdout.write(process.argv.slice(1).map((word) => word + '\\0').join(''))`,
    '--',
  )
  await fc.assert(
    fc.asyncProperty(words, async (words) => {
      assert.deepEqual(listed(await checkOutput(['printf', String.raw`%s\0`, ...words])), words)
      assert.deepEqual(
        listed(runSync(['printf', String.raw`%s\0`, ...words], { captureOutput: true }).stdout),
        words,
      )
    }),
    { seed: 22, numRuns: 30 },
  )
  const every = Array.from({ length: 0x10ffff >> 8 }, (_, i) => i << 8)
    .filter((point) => point !== 0 && (point < 0xd800 || point > 0xdfff))
    .map((point) => String.fromCodePoint(point, 0x41, point))
  assert.deepEqual(listed(await checkOutput([...program, ...every])), every)
})

test('split takes apart what join put together', () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), (words) => {
      assert.deepEqual(split(join(words)), words)
      assert.deepEqual(split(`\t ${join(words)}\r\n`), words)
    }),
    { seed: 23, numRuns: 2000 },
  )
})

test('split sees the words that a shell sees', async () => {
  const unit = fc.constantFrom('a', 'b', ' ', '\t', "'", '"', '\\', 'é', '-')
  await fc.assert(
    fc.asyncProperty(fc.string({ unit, maxLength: 12 }), async (line) => {
      let mine: string[]
      try {
        mine = split(line)
      } catch {
        return
      }
      // Without words printf would print one that is empty.
      assert.deepEqual(listed(await checkOutput(`${list} x ${line}`, { shell: true })), ['x', ...mine])
    }),
    { seed: 24, numRuns: 120 },
  )
})

test('quote, as shlex does', () => {
  const safe = 'abcXYZ0189@%_-+=:,./'
  assert.equal(quote(safe), safe)
  assert.equal(quote(''), "''")
  assert.equal(quote('test file name'), "'test file name'")
  for (const char of '"`$\\!é\u00a0~*') assert.equal(quote(`test${char}name`), `'test${char}name'`)
  assert.equal(quote("test'name"), `'test'"'"'name'`)
  assert.equal(join(['a ', 'b']), "'a ' b")
  assert.equal(join([]), '')
})

test('split, as shlex does', () => {
  const table: [line: string, words: string[]][] = [
    ['', []],
    ['   ', []],
    ['foo bar', ['foo', 'bar']],
    [String.raw`foo\ bar`, ['foo bar']],
    [String.raw`"foo\"bar" 'baz\'`, ['foo"bar', 'baz\\']],
    [String.raw`"a\b\\c\$"`, [String.raw`a\b\c\$`]],
    [`a''b "" ''`, ['ab', '', '']],
    ['a#b # c', ['a#b', '#', 'c']],
    ['a;b|c&d', ['a;b|c&d']],
    ['é\u00a0x', ['é\u00a0x']],
  ]
  for (const [line, words] of table) assert.deepEqual(split(line), words, line)
  for (const line of [`'a`, `a "b`, `"a\\"`, 'a\\', `"`]) assert.throws(() => split(line), RangeError, line)
})

test('what is no text is refused', async () => {
  for (const value of [undefined, null, 5, {}]) {
    assert.throws(() => quote(value as string), TypeError)
    assert.throws(() => split(value as string), TypeError)
    assert.throws(() => join(value as string[]), TypeError)
    assert.throws(() => join([value] as string[]), TypeError)
  }
  for (const value of ['a\0b', '\0', 'a\udfffb']) {
    assert.throws(() => quote(value), RangeError)
    assert.throws(() => sh`echo ${value}`, RangeError)
    assert.throws(() => sh`echo ${[value]}`, RangeError)
    await assert.rejects(run(['echo', value]), RangeError)
  }
  for (const value of [undefined, null, {}, Symbol('x'), () => 1, [[1]], Object.create(null)])
    assert.throws(() => sh`echo ${value}`, TypeError)
})

test('what sh makes of values', () => {
  assert.equal(sh`grep ${'a b'} ${'notes.txt'} | wc -l`, "grep 'a b' notes.txt | wc -l")
  assert.equal(sh`head -n ${5} ${['x y', 'z']} ${[]}`, "head -n 5 'x y' z ")
  assert.equal(sh`echo ${10n} ${true} ${new URL('https://a.b/?c=d')}`, "echo 10 true 'https://a.b/?c=d'")
  assert.equal(sh`a${'b c'}d`, "a'b c'd")
  assert.equal(sh`echo "$(cat ${'a b'})" $(ls "$(pwd)" ${'c d'})`, `echo "$(cat 'a b')" $(ls "$(pwd)" 'c d')`)
  assert.equal(
    sh`case ${'x y'} in a) echo ${'1;'};; esac; (echo ${';'})`,
    "case 'x y' in a) echo '1;';; esac; (echo ';')",
  )
  assert.equal(sh`echo \${HOME} ${'$HOME'}`, "echo ${HOME} '$HOME'")
  assert.equal(sh`echo a#b ${';'} # it's done`, "echo a#b ';' # it's done")
})

test('a value is a word also where harmless ones are more', async () => {
  const all = { shell: true, encoding: 'utf8' } as const
  assert.equal(await checkOutput(sh`echo ${'2'}>&1`, all), '2\n')
  assert.equal((await run(sh`${'X=1'} echo`, { ...all, captureOutput: true })).returncode, 127)
  assert.equal((await run(sh`${'if'}`, { ...all, captureOutput: true })).returncode, 127)
})

test('sh refuses a value where quotes would not make it a word', () => {
  const x = 'x'
  const refused: [() => string, RegExp][] = [
    [() => sh`echo "${x}"`, /value 0 stands between quotes of the template/],
    [() => sh`echo '${x}'`, /between quotes/],
    [() => sh`echo ${x} "a $b ${x}"`, /value 1 stands between quotes/],
    [() => sh`echo "\${y:-${x}}"`, /between quotes/],
    [() => sh`echo \`cat ${x}\``, /in backquotes/],
    [() => sh`echo $(( ${x} + 1 ))`, /in \(\(…\)\)/],
    [() => sh`echo $(( ((1)) + ${x} ))`, /in \(\(…\)\)/],
    [() => sh`((a = ${x}))`, /in \(\(…\)\)/],
    [() => sh`echo $[ ${x} ]`, /behind \$' or \$\[/],
    [
      () => sh`echo a \\
# ${x}`,
      /in a comment/,
    ],
    [() => sh`echo # ${x}`, /in a comment/],
    [() => sh`# ${x}`, /in a comment/],
    [() => sh`echo;# ${x}`, /in a comment/],
    [() => sh`echo ${[]}# ${x}`, /in a comment/],
    [
      () => sh`cat <<EOF
${x}
EOF`,
      /behind <</,
    ],
    [() => sh`echo \\${x}`, /after a backslash/],
    [() => sh`echo $${x}`, /after a \$/],
    [() => sh`echo $'a\\'' ${x}`, /behind \$' or|between quotes/],
    [() => sh`echo "$(case a in a) echo "${x}";; esac)"`, /behind a case in|between quotes/],
    [() => sh`echo "\${y:-'}" "'}${x}"`, /behind a quote in|between quotes/],
  ]
  for (const [fn, says] of refused) assert.throws(fn, says)
  const again = [
    sh`echo "a" ${x}`,
    sh`echo 'a' ${x}`,
    sh`echo \\" ${x}`,
    sh`echo "\\"" ${x}`,
    sh`echo $((1 + (2))) ${x}`,
    sh`( (echo ${x}) ); echo ${x}`,
    sh`echo a\\
#b ${x}`,
    sh`echo \`date\` ${x}`,
    sh`# a comment
echo ${x}`,
    sh`echo $# ${x}`,
    sh`echo \${#y} \${y#z} ${x}`,
    sh`echo $( (echo a) ) ${x}`,
    sh`echo \\\\${x}`,
    sh`echo \\$${x}`,
    sh`echo '$'${x}`,
  ]
  for (const line of again) assert.match(line, /x$/)
})

test('whatever the template: sh refuses a value, or no shell runs what is in it', () => {
  const joined =
    'echo |"|\'|\\|$(|${y:-|${y#|}|)|(|$((|((|))|`|#|# | |\n|<<E|\nE\n|case x in |x)|;;|esac|; |{ |; }|$|$[' +
    '|]|$y|if true; then |; fi|f() |& |z=|z=(|[[ |[ |<|>x|2|~|*'
  const pieces = [...joined.split('|'), '| cat']
  // PATH leads nowhere: all that a value could do is to make the file.
  const canaries = ['\n: >P\n', '$(: >P)', '`: >P`', '; : >P;', "'; : >P; '", '"; : >P; "', '\';: >P;"', '\\']
  canaries.push('a[$(: >P)]', '\nE\n: >P\n', '}; : >P', '); : >P', "'$(: >P)'", '"$(: >P)"', "'\n: >P #")
  const cwd = mkdtempSync(joinPath(tmpdir(), 'plait-test-'))
  const options = {
    cwd,
    env: { PATH: cwd },
    stdin: DEVNULL,
    stdout: DEVNULL,
    stderr: DEVNULL,
    timeout: 20_000,
  } as const
  const part = fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((some) => some.join(''))
  let accepted = 0
  fc.assert(
    fc.property(
      part,
      part,
      part,
      fc.constantFrom(...canaries),
      fc.constantFrom(...canaries),
      (a, b, c, v, w) => {
        let line: string
        try {
          line = sh(Object.assign([a, b, c], { raw: [a, b, c] }), v, w)
        } catch (error) {
          assert.ok(error instanceof TypeError)
          return
        }
        accepted++
        for (const shell of ['/bin/sh', '/bin/bash']) runSync(line, { ...options, shell })
        assert.equal(existsSync(joinPath(cwd, 'P')), false, line)
      },
    ),
    { seed: 25, numRuns: 300 },
  )
  assert.ok(accepted > 50, String(accepted))
  rmSync(cwd, { recursive: true })
})
