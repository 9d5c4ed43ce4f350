/** The log of a pool's and a process's life: what is said, where it goes, and that children say it too. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { checkLeaks } from '../leaks.js'

checkLeaks()

const root = new URL('../../..', import.meta.url)
const scratch = mkdtempSync(join(tmpdir(), 'plait-log-'))
after(() => rmSync(scratch, { recursive: true }))

/** Runs a program; what it printed on stderr, pids and times left out. */
function run(program: string, env: Record<string, string>): string {
  const { PLAIT_LOG: _, NODE_DEBUG: __, ...others } = process.env
  const child = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', `import { Pool, Process } from 'plait'\n${program}`],
    { encoding: 'utf8', cwd: root, timeout: 60_000, env: { ...others, ...env } },
  )
  assert.equal(child.status, 0, child.stderr)
  return plain(child.stderr)
}

function plain(text: string): string {
  return text
    .replaceAll(/pid \d+/g, 'pid N')
    .replaceAll(/^PLAIT \d+/gm, 'PLAIT N')
    .replaceAll(/^\d{4}-\d\d-\d\dT[\d:.]+Z/gm, 'TIME')
    .replaceAll(/after \d+ ms/g, 'after N ms')
}

const closing = `
  const pool = new Pool(1)
  await pool.apply(() => 1)
  pool.close()
  await pool.join()`
const closed = [
  'Pool-1: PoolWorker-1 (pid N) started',
  'Pool-1: PoolWorker-1 (pid N) is ready after N ms',
  'Pool-1: closed, 0 tasks to go',
  'PoolWorker-1 (pid N) is dismissed',
  'Pool-1: PoolWorker-1 (pid N) ended with exit code 0 after 1 tasks, with 0 running',
]

describe('where it goes', () => {
  it('nowhere, if nobody asks', () => {
    assert.equal(run(closing, {}), '')
    assert.equal(run(closing, { PLAIT_LOG: '0', NODE_DEBUG: 'net2' }), '')
  })

  it('to stderr, with NODE_DEBUG=plait as of any part of Node', () => {
    assert.equal(run(closing, { NODE_DEBUG: 'plait' }), closed.map((line) => `PLAIT N: ${line}\n`).join(''))
  })

  it('to stderr, with PLAIT_LOG=1, with its time and who says it', () => {
    const lines = closed.map((line) => `TIME MainProcess (pid N): ${line}\n`)
    assert.equal(run(closing, { PLAIT_LOG: '1' }), lines.join(''))
  })

  it('to a file, which children share', () => {
    const file = join(scratch, 'all.log')
    assert.equal(
      run(
        `await new Process({ name: 'outer', target: async () => {
      await new Process({ name: 'inner', target: () => process.exit(3) }).start().join()
    } }).start().join()`,
        { PLAIT_LOG: file },
      ),
      '',
    )
    assert.equal(
      plain(readFileSync(file, 'utf8')),
      [
        'TIME MainProcess (pid N): outer (pid N) started',
        'TIME outer (pid N): inner (pid N) started',
        'TIME outer (pid N): inner (pid N) ended with exit code 3',
        'TIME MainProcess (pid N): outer (pid N) ended with exit code 0\n',
      ].join('\n'),
    )
  })

  it('to nowhere, with one warning, where the file cannot be written', () => {
    const said = run(closing, { PLAIT_LOG: join(scratch, 'missing', 'all.log') })
    assert.match(said, /Warning: PLAIT_LOG: ENOENT/)
    assert.equal(said.match(/PLAIT_LOG/g)?.length, 1)
  })
})

describe('what is said', () => {
  it('of deaths, retries, timeouts and kills', () => {
    const said = run(
      `
      const pool = new Pool(1, { name: 'halves', retries: 1 })
      const die = () => process.kill(process.pid, 'SIGKILL')
      await pool.apply(die).catch(() => {})
      await pool.apply(function spin() { for (;;); }, [], { timeout: 20, grace: 20 }).catch(() => {})
      await pool.apply(() => 1)
      pool.terminate()
      await pool.join()`,
      { PLAIT_LOG: '1' },
    )
    const inOrder = [
      'halves: halves-1 (pid N) was killed by SIGKILL after 0 tasks, with 1 running',
      'halves: task 1 (die) is tried again, attempt 2',
      'halves: halves-2 (pid N) was killed by SIGKILL after 0 tasks, with 1 running',
      'halves: task 2 (spin) has run for its 20 ms',
      'halves-3 (pid N) is killed: task 2 did not stop when it was told to',
      'with 1 running; killed by its pool: task 2 did not stop',
      'halves: terminated, 0 tasks dropped',
      'halves: halves-4 (pid N) was killed by SIGTERM after 1 tasks, with 0 running',
    ]
    let from = 0
    for (const line of inOrder) {
      const at = said.indexOf(line, from)
      assert.ok(at >= 0, `${line}\nis missing, or not in its place, in\n${said}`)
      from = at
    }
  })

  it('of starts that fail, and how they are slowed down', () => {
    const said = run(
      `
      const pool = new Pool(1, { execArgv: ['--import', 'data:text/javascript,process.exit(7)'] })
      await pool.apply(() => 1).catch(() => {})
      await pool.join()`,
      { PLAIT_LOG: '1' },
    )
    assert.match(said, /Pool-1: PoolWorker-1 \(pid N\) ended with exit code 7 after 0 tasks/)
    assert.match(said, /PoolWorker: workers end too early; the next one starts in 40 ms/)
    assert.match(said, /pool Pool-1 cannot start its workers: its workers end before they are ready/)
  })
})
