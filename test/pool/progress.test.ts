/**
 * The `progress` of a map: a bar on a terminal, which leaves the terminal as it was however the map ends, and
 * few plain lines elsewhere. A program's stderr is a terminal here by its own word.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it, mock } from 'node:test'
import { Pool } from 'plait'
import { Lines } from '#plait/pool/progress.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

const root = new URL('../../..', import.meta.url)
const terminal = 'Object.assign(process.stderr, { isTTY: true, columns: 100 });'

interface Outcome {
  readonly out: string
  readonly err: string
  readonly status: number | null
  readonly signal: string | null
}

/** Runs a program with a pool of one worker; `show` is its progress option. */
function run(work: string, shim = terminal): Outcome {
  const program = `${shim}
    import { Pool } from 'plait'
    const pool = new Pool(1)
    const show = { progress: 'rows' }
    const halves = (rows, options) => pool.map((row) => {
      if (row === 13) throw new Error('13')
      return row / 2
    }, rows, { ...show, ...options })
    ${work}
    await pool[Symbol.asyncDispose]()`
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    cwd: root,
    timeout: 30_000,
    env: { ...process.env, TERM: 'xterm' },
  })
  return { out: child.stdout, err: child.stderr, status: child.status, signal: child.signal }
}

/** What the terminal's lines show in the end. Knows the few sequences that a bar may use, and no others. */
function screen(text: string): string[] {
  const plain = text.replaceAll('\x1b[', '⎋')
  assert.ok(!/⎋(?!\d*[GA]|0?K)/.test(plain) && !plain.includes('\x1b'), `a mode is changed: ${plain}`)
  const lines = ['']
  let [row, column] = [0, 0]
  for (const [one] of plain.matchAll(/⎋\d*[GAK]|[^⎋]/gu)) {
    if (one === '\n') [row, column] = [row + 1, 0]
    else if (one === '⎋1G') column = 0
    else if (/⎋\d*A/.test(one)) row -= Number(one.slice(1, -1) || 1)
    else if (/⎋\d*K/.test(one)) lines[row] = lines[row].slice(0, column)
    else {
      const line = lines[row] ?? ''
      lines[row] = line.slice(0, column) + one + line.slice(column + 1)
      column++
    }
    lines[row] ??= ''
  }
  return lines
}

describe('on a terminal', () => {
  it('a map draws a bar, and ends it before the map resolves', () => {
    const { err, status } = run(`
      await halves(Array.from({ length: 300 }, (_, i) => i * 20))
      process.stderr.write('after')`)
    assert.equal(status, 0, err)
    assert.deepEqual(screen(err), [`${'█'.repeat(40)} 100%  300/300 rows  ETA 0 s`, 'after'])
  })

  it('a map that fails leaves its bar where it was', () => {
    const { err, out } = run(`
      await halves([2, 4, 13, 6], { chunksize: 1 }).catch((error) => process.stderr.write(error.message))`)
    assert.match(screen(err).join('\n'), /^█{20}░{20} 50% {2}2\/4 rows {2}ETA .*\n13$/, out)
  })

  it('a map that is aborted, and one whose pool is terminated, do too', () => {
    const { err } = run(`
      const stop = new AbortController()
      setImmediate(() => stop.abort(new Error('enough')))
      const forever = () => new Promise(() => {})
      await pool.map(forever, [1], { ...show, signal: stop.signal, grace: 0 })
        .catch((error) => process.stderr.write(error.message + '\\n'))
      setImmediate(() => pool.terminate())
      await pool.map(forever, [1], show).catch((error) => process.stderr.write(error.code))`)
    const bar = `${'░'.repeat(40)} 0%  0/1 rows  ETA …`
    assert.deepEqual(screen(err), [bar, 'enough', bar, 'PLAIT_POOL_TERMINATED'])
  })

  it('an imap of unknown length counts', () => {
    const { err } = run(`
      function* rows() { for (let i = 0; i < 5; i++) yield i }
      for await (const half of pool.imap((row) => row / 2, rows(), show)) if (half === 1) break
      process.stderr.write('after')`)
    assert.match(screen(err).join('\n'), /^[345] rows in 0 s\nafter$/)
  })

  it('an imap that nobody asks any more keeps no program alive', () => {
    const { err, status } = run(`
      const results = pool.imap((row) => row / 2, [2, 4, 6], { ...show, buffersize: 1 })
      await results.next()
      pool[Symbol.asyncDispose] = () => {}`)
    assert.equal(status, 0, err)
    assert.match(screen(err).join('\n'), /^█{13}░{27} 33% {2}1\/3 rows {2}ETA .*\n$/)
  })

  it('two at a time have a line each', () => {
    const { err } = run(`
      await Promise.all([halves([2, 4]), pool.map((x) => x, [1, 2, 3], { progress: true })])`)
    assert.deepEqual(screen(err), [
      `${'█'.repeat(40)} 100%  2/2 rows  ETA 0 s`,
      `${'█'.repeat(40)} 100%  3/3 items  ETA 0 s`,
      '',
    ])
  })

  it('a program that ends in the middle ends its bar', () => {
    const { err, status } = run(`
      setTimeout(() => process.exit(3), 20)
      await pool.map(() => new Promise(() => {}), [1], show)`)
    assert.equal(status, 3)
    assert.equal(screen(err).at(-1), '')
  })

  it('Ctrl-C still ends the program', () => {
    const { err, signal } = run(`
      setTimeout(() => process.kill(process.pid, 'SIGINT'), 20)
      await pool.map(() => new Promise(() => {}), [1], show)`)
    assert.equal(signal, 'SIGINT', err)
  })

  it('nothing is drawn for nothing', () => {
    assert.equal(run('await halves([]); await halves([2], { progress: false })').err, '')
  })
})

describe('elsewhere', () => {
  it('a map prints one line at its end', () => {
    const { err } = run('await halves([2, 4]); await halves([2, 13], { chunksize: 1 }).catch(() => {})', '')
    assert.match(err, /^2 of 2 rows after \d+\.\d s\n1 of 2 rows after \d+\.\d s\n$/)
  })

  it('and one every ten seconds before', () => {
    mock.timers.enable({ apis: ['Date'] })
    const printed: unknown[] = []
    const write = mock.method(process.stderr, 'write', (line: unknown) => printed.push(line) > 0)
    try {
      const lines = new Lines('rows', undefined)
      for (let done = 1; done <= 25; done++) {
        mock.timers.tick(1000)
        lines.update(done)
      }
      lines.end()
    } finally {
      write.mock.restore()
      mock.timers.reset()
    }
    assert.deepEqual(printed, ['10 rows after 10.0 s\n', '20 rows after 20.0 s\n', '25 rows after 25.0 s\n'])
  })
})

describe('the option', () => {
  it('goes with onProgress', async () => {
    const write = mock.method(process.stderr, 'write', () => true)
    const told: [number, number | undefined][] = []
    await using pool = new Pool(1)
    try {
      await pool.map((x) => x, [1, 2], { progress: 'rows', onProgress: (...args) => told.push(args) })
    } finally {
      write.mock.restore()
    }
    assert.deepEqual(told, [
      [1, 2],
      [2, 2],
    ])
  })

  it('is checked', async () => {
    await using pool = new Pool(1)
    const progress = 7 as unknown as string
    await assert.rejects(
      pool.map((x) => x, [1], { progress }),
      /progress must be a string, got 7/,
    )
  })
})
