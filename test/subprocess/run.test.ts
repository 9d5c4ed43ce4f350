/** run() and its kin: results, timeouts, aborts, groups, and that nothing of a program is left behind. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import {
  call,
  CalledProcessError,
  checkCall,
  checkOutput,
  CompletedProcess,
  PIPE,
  run,
  runSync,
  STDOUT,
  SubprocessError,
  TimeoutExpired,
  type RunOptions,
} from 'plait/subprocess'
import { PlaitError } from 'plait'
import { checkLeaks } from '../leaks.js'
import { failure, node, runs } from './kit.js'

checkLeaks()

const text = { captureOutput: true, encoding: 'utf8' } as const
const sync = async (...args: Parameters<typeof runSync>) => runSync(...args)

for (const [how, go] of [
  ['run', run],
  ['runSync', sync],
] as const) {
  test(`${how}: what is captured`, async () => {
    const args = ['sh', '-c', 'echo out; echo err >&2; exit 3']
    const done = await go(args, text)
    assert.ok(done instanceof CompletedProcess)
    assert.deepEqual({ ...done }, { args, returncode: 3, stdout: 'out\n', stderr: 'err\n' })
    const bytes = await go(args, { captureOutput: true })
    assert.deepEqual([bytes.stdout, bytes.stderr], [Buffer.from('out\n'), Buffer.from('err\n')])
    const none = await go(['true'])
    assert.deepEqual([none.returncode, none.stdout, none.stderr], [0, null, null])
    const one = await go(['echo', 'x'], { stdout: PIPE })
    assert.deepEqual([one.stdout, one.stderr], [Buffer.from('x\n'), null])
  })

  test(`${how}: check, and what the error tells`, async () => {
    const args = [
      'sh',
      '-c',
      'echo out; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i >&2; done; exit 7',
    ]
    const error = await failure<CalledProcessError>(() => go(args, { ...text, check: true }))
    assert.ok(
      error instanceof CalledProcessError && error instanceof SubprocessError && error instanceof PlaitError,
    )
    assert.deepEqual([error.returncode, error.cmd, error.stdout], [7, args, 'out\n'])
    assert.deepEqual([error.name, error.code], ['CalledProcessError', 'PLAIT_CALLED_PROCESS'])
    const [first, ...tail] = error.message.split('\n')
    assert.match(first, /^Command 'sh -c 'echo out; .*' returned non-zero exit status 7\.$/)
    assert.deepEqual(
      tail,
      [3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((i) => `line ${i}`),
    )
    const killed = await failure(() => go('kill -9 $$', { shell: true, check: true }))
    assert.equal(killed.message, "Command 'kill -9 $$' died with <Signals.SIGKILL: 9>.")
    assert.equal((await go(['true'], { check: true })).returncode, 0)
    const later = await go(['false'])
    assert.throws(() => later.checkReturncode(), /^CalledProcessError: Command 'false' returned non-zero/)
  })

  test(`${how}: input`, async () => {
    const input = Buffer.alloc(3_000_000, 'x')
    assert.ok(((await go(['cat'], { input, captureOutput: true })).stdout as Buffer).equals(input))
    assert.equal((await go(['cat'], { ...text, input: 'grüße' })).stdout, 'grüße')
    assert.equal((await go(['cat'], { ...text, input: '' })).stdout, '')
    assert.equal((await go(['cat'], { ...text, input: new Uint8Array([104, 105]) })).stdout, 'hi')
    assert.equal((await go(['sh', '-c', 'exit 4'], { input })).returncode, 4)
    assert.equal((await go(['sh', '-c', 'exec <&-; echo deaf'], { ...text, input })).stdout, 'deaf\n')
  })

  test(`${how}: options that exclude each other`, async () => {
    const bad: RunOptions[] = [
      { input: 'x', stdin: PIPE },
      { captureOutput: true, stdout: PIPE },
      { captureOutput: true, stderr: STDOUT },
      { input: 5 as unknown as string },
      { check: 1 as unknown as boolean },
      { captureOutput: 'yes' as unknown as boolean },
      { timeout: '5' as unknown as number },
    ]
    for (const options of bad) await assert.rejects(async () => go(['true'], options), TypeError)
    for (const timeout of [-1, NaN]) await assert.rejects(async () => go(['true'], { timeout }), RangeError)
  })

  test(`${how}: a timeout kills all of the group, and keeps what came`, async () => {
    const args = [
      'sh',
      '-c',
      'trap "" TERM; sleep 1000 & echo $!; sh -c "sleep 1001 & echo \\$!; wait" & echo E >&2; wait',
    ]
    for (const timeout of [150, 151.5]) {
      const error = await failure<TimeoutExpired>(() => go(args, { ...text, timeout }))
      assert.ok(error instanceof TimeoutExpired)
      assert.deepEqual([error.timeout, error.cmd, error.stderr], [timeout, args, 'E\n'])
      assert.match(error.message, /timed out after 15[\d.]+ ms\.\nE$/)
      const grandchildren = (error.stdout as string).trim().split('\n').map(Number)
      assert.equal(grandchildren.length, 2, error.stdout as string)
      assert.deepEqual(grandchildren.map(runs), [false, false])
    }
  })

  test(`${how}: a timeout ends those that outlived the program itself`, async () => {
    const error = await failure<TimeoutExpired>(() =>
      go('sleep 1000 & echo $!', { ...text, shell: true, timeout: 100 }),
    )
    assert.ok(error instanceof TimeoutExpired)
    assert.equal(runs(Number(error.stdout)), false)
  })

  test(`${how}: one that left the group holds up nobody`, async () => {
    const began = performance.now()
    const error = await failure<TimeoutExpired>(() =>
      go('setsid sh -c "echo \\$\\$; exec sleep 1000" & wait', { ...text, shell: true, timeout: 200 }),
    )
    assert.ok(error instanceof TimeoutExpired)
    assert.ok(performance.now() - began < 20_000)
    const escaped = Number(error.stdout)
    assert.ok(runs(escaped))
    process.kill(escaped, 'SIGKILL')
  })

  test(`${how}: a timeout of 0, and one that is not reached`, async () => {
    await assert.rejects(async () => go(['sleep', '1000'], { timeout: 0 }), TimeoutExpired)
    assert.equal((await go(['true'], { timeout: 60_000 })).returncode, 0)
    assert.equal((await go(['true'], { timeout: Infinity })).returncode, 0)
    assert.equal((await go(['true'], { timeout: Number.MAX_VALUE })).returncode, 0)
  })

  test(`${how}: arguments arrive as they are`, async () => {
    const words = [
      '',
      ' ',
      '*',
      '$HOME',
      '`id`',
      '$(id)',
      '"',
      "'",
      '\\',
      '\n',
      '-n',
      '--',
      'ünï😀',
      ';',
      '|&<>',
      '~',
      '%s',
    ]
    const { stdout } = await go(
      node('console.log(JSON.stringify(process.argv.slice(1)))', '--', ...words),
      text,
    )
    assert.deepEqual(JSON.parse(stdout as string), words)
  })

  test(`${how}: a group of its own where a timeout could end it, and where it is asked for`, async () => {
    const leads = async (options: RunOptions): Promise<boolean> => {
      const { stdout } = await go(['sh', '-c', 'cut -d " " -f 4,5,6 /proc/self/stat; echo $$'], {
        ...text,
        ...options,
      })
      const [, group, , own] = (stdout as string).split(/\s/)
      return group === own
    }
    assert.equal(await leads({}), false)
    assert.equal(await leads({ timeout: 60_000 }), true)
    assert.equal(await leads({ timeout: 60_000, group: false }), false)
    assert.equal(await leads({ group: true }), true)
  })
}

test('an abort kills all of the group and rejects with the reason', async () => {
  const controller = new AbortController()
  const reason = new Error('changed my mind')
  let pid = 0
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  server.once('connection', (socket) => {
    socket.once('data', (data) => {
      pid = Number(data)
      socket.destroy()
      server.close()
      controller.abort(reason)
    })
  })
  const inner = `require('node:net').connect(${port}, '127.0.0.1').end(String(process.pid))
    setInterval(() => {}, 1000)`
  const running = run(['sh', '-c', `trap "" TERM; "$@" & wait`, 'sh', ...node(inner)], {
    signal: controller.signal,
  })
  await assert.rejects(running, (error) => error === reason)
  assert.ok(pid > 0)
  assert.equal(runs(pid), false)
})

test('a signal that has aborted starts nothing', async () => {
  const reason = new Error('too late')
  const signal = AbortSignal.abort(reason)
  for (const go of [run, call, checkCall, checkOutput] as ((...args: Parameters<typeof call>) => unknown)[])
    await assert.rejects(
      async () => go(['/no/such/program'], { signal }),
      (error) => error === reason,
    )
  await assert.rejects(run(['true'], { signal: {} as AbortSignal }), TypeError)
  assert.throws(() => runSync(['true'], { signal } as object), TypeError)
  assert.equal((await run(['true'], { signal: new AbortController().signal })).returncode, 0)
})

test('without a group only the program itself is killed, and nobody waits for the rest', async () => {
  const error = await failure<TimeoutExpired>(() =>
    run('sleep 1000 & echo $!; wait', { ...text, shell: true, timeout: 100, group: false }),
  )
  assert.ok(error instanceof TimeoutExpired)
  const rest = Number(error.stdout)
  assert.ok(runs(rest))
  process.kill(rest, 'SIGKILL')
})

test('call, checkCall, checkOutput', async () => {
  assert.equal(await call(['sh', '-c', 'exit 5']), 5)
  assert.equal(await call(['sh', '-c', 'kill -TERM $$']), -15)
  assert.equal(await call(['echo', 'x'], { stdout: PIPE }), 0)
  await assert.rejects(call(['sleep', '1000'], { timeout: 10 }), TimeoutExpired)
  assert.equal(await checkCall(['true']), 0)
  await assert.rejects(checkCall(['sh', '-c', 'exit 6']), { name: 'CalledProcessError', returncode: 6 })
  assert.deepEqual(await checkOutput(['echo', 'x']), Buffer.from('x\n'))
  assert.equal(
    await checkOutput('echo a; echo b >&2', { shell: true, stderr: STDOUT, encoding: 'utf8' }),
    'a\nb\n',
  )
  assert.equal(await checkOutput(['cat'], { input: 'in', encoding: 'utf8' }), 'in')
  const error = await failure<CalledProcessError>(() =>
    checkOutput(['sh', '-c', 'echo so far; exit 2'], { encoding: 'utf8' }),
  )
  assert.deepEqual([error.returncode, error.stdout, error.stderr], [2, 'so far\n', null])
  const late = await failure<TimeoutExpired>(() =>
    checkOutput(['sh', '-c', 'echo so far; exec sleep 1000'], { timeout: 200, encoding: 'utf8' }),
  )
  assert.deepEqual([late.stdout, late.stderr], ['so far\n', null])
  for (const options of [{ stdout: PIPE }, { check: false }, { captureOutput: true }])
    await assert.rejects(checkOutput(['true'], options as object), TypeError)
})

test('an error shows who waited', async () => {
  async function careful(): Promise<unknown> {
    return await run(['false'], { check: true })
  }
  assert.match((await failure(careful)).stack!, /at async careful/)
  async function hasty(): Promise<unknown> {
    return await run(['sleep', '1000'], { timeout: 1 })
  }
  assert.match((await failure(hasty)).stack!, /at async hasty/)
})

test('many at once, some of which fail', async () => {
  const ends = await Promise.all(
    Array.from({ length: 30 }, async (_, i) => {
      if (i % 3 === 0) return await run(['sh', '-c', `exit ${i}`]).then(({ returncode }) => returncode)
      if (i % 3 === 1) return await checkOutput(['echo', String(i)], { encoding: 'utf8', stderr: STDOUT })
      return await run(['sleep', '1000'], { timeout: i }).catch((error: unknown) => (error as Error).name)
    }),
  )
  for (const [i, end] of ends.entries()) assert.equal(end, [i, `${i}\n`, 'TimeoutExpired'][i % 3])
})
