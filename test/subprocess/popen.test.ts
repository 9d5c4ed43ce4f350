/** The life of a Popen: start, poll, wait, signals, disposal, and what is left afterwards. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { InvalidStateError } from 'plait'
import { DEVNULL, PIPE, Popen, SubprocessError, TimeoutExpired } from 'plait/subprocess'
import { checkLeaks } from '../leaks.js'
import { failure, gone, nextLine, node, runs } from './kit.js'

checkLeaks()

/** Waits for the end of its stdin. */
const patient = ['cat']

test('poll and returncode are null until the end is seen, then the exit code', async () => {
  const p = new Popen(['sh', '-c', 'read line; exit 3'], { stdin: PIPE })
  assert.deepEqual([p.poll(), p.returncode], [null, null])
  assert.ok(p.pid > 0)
  p.stdin!.end('go\n')
  assert.equal(await p.wait(), 3)
  assert.deepEqual([p.poll(), p.returncode], [3, 3])
  assert.equal(await p.wait({ timeout: 0 }), 3)
})

test('args are shown as they were given', async () => {
  const args = ['true', 'a b']
  await using p = new Popen(args)
  assert.equal(p.args, args)
  assert.match(inspect(p), /^<Popen: returncode: null pid: \d+ args: \[ 'true', 'a b' \]>$/)
  await p.wait()
  assert.match(inspect(p), /returncode: 0/)
})

test('an end by signal N is -N', async () => {
  for (const [name, number] of [
    ['SIGKILL', 9],
    ['SIGTERM', 15],
    ['SIGSEGV', 11],
  ] as const) {
    await using p = new Popen(patient, { stdin: PIPE, stdout: PIPE })
    p.sendSignal(name)
    assert.equal(await p.wait(), -number)
  }
  await using one = new Popen(patient, { stdin: PIPE })
  one.sendSignal(2)
  assert.equal(await one.wait(), -2)
})

test('a wait that times out leaves the program as it is, however often', async () => {
  await using p = new Popen(patient, { stdin: PIPE, stdout: PIPE })
  for (const timeout of [0, 1, 20]) {
    const error = await failure<TimeoutExpired>(() => p.wait({ timeout }))
    assert.ok(error instanceof TimeoutExpired && error instanceof SubprocessError)
    assert.deepEqual([error.code, error.timeout, error.cmd], ['PLAIT_TIMEOUT_EXPIRED', timeout, p.args])
    assert.equal(error.message, `Command 'cat' timed out after ${timeout} ms.`)
  }
  p.stdin!.end()
  assert.equal(await p.wait({ timeout: 30_000 }), 0)
})

test('an error of a wait shows who waited', async () => {
  await using p = new Popen(patient, { stdin: PIPE })
  async function impatient(): Promise<number> {
    return await p.wait({ timeout: 1 })
  }
  const error = await failure(impatient)
  assert.match(error.stack!, /at async impatient/)
})

test('an aborted wait rejects with the reason and leaves the program', async () => {
  await using p = new Popen(patient, { stdin: PIPE })
  const reason = new Error('enough')
  await assert.rejects(p.wait({ signal: AbortSignal.abort(reason) }), reason)
  const controller = new AbortController()
  const waiting = p.wait({ signal: controller.signal })
  controller.abort(reason)
  await assert.rejects(waiting, reason)
  assert.equal(p.poll(), null)
  p.kill()
  await p.wait()
  assert.equal(await p.wait({ signal: AbortSignal.abort(reason) }), -9, 'what has ended wins')
})

test('a deadline that passed while this process was busy does not outrun the end', async () => {
  const p = new Popen(['true'])
  const waiting = p.wait({ timeout: 20 })
  const until = performance.now() + 200
  while (performance.now() < until);
  assert.equal(await waiting, 0)
})

test('a program that has ended is never signalled', async (t) => {
  for (const group of [false, true]) {
    const p = new Popen(['true'], { group })
    await p.wait()
    const kill = t.mock.method(process, 'kill')
    p.kill()
    p.terminate()
    p.sendSignal('SIGINT')
    // To ask whether there is anyone is harmless.
    assert.deepEqual(
      kill.mock.calls.filter(({ arguments: [, signal] }) => signal !== 0),
      [],
    )
    kill.mock.restore()
    assert.equal(p.returncode, 0)
  }
})

test('what is no signal is refused', async () => {
  await using p = new Popen(patient, { stdin: PIPE })
  assert.throws(() => p.sendSignal('SIGNOPE' as NodeJS.Signals), RangeError)
  assert.throws(() => p.sendSignal(99), RangeError)
  assert.throws(() => p.sendSignal(1.5), RangeError)
  assert.throws(() => p.sendSignal(null as unknown as number), TypeError)
  assert.equal(p.poll(), null)
})

test('a group is reached as a whole, while its leader runs and afterwards', async () => {
  const program = ['sh', '-c', 'sleep 1000 & echo $!; cat >/dev/null']
  for (const leaderFirst of [false, true]) {
    const p = new Popen(program, { stdin: PIPE, stdout: PIPE, encoding: 'utf8', group: true })
    const grandchild = Number(await nextLine(p.stdout))
    if (leaderFirst) {
      p.stdin!.end()
      assert.equal(await p.wait(), 0)
      assert.ok(runs(grandchild))
    }
    p.terminate()
    await gone(grandchild)
    assert.equal(await p.wait(), leaderFirst ? 0 : -15)
    p.stdout!.destroy()
  }
})

test('without a group only the program itself is reached', async () => {
  const p = new Popen(['sh', '-c', 'sleep 1000 & echo $!; cat >/dev/null'], {
    stdin: PIPE,
    stdout: PIPE,
    encoding: 'utf8',
  })
  const grandchild = Number(await nextLine(p.stdout))
  p.kill()
  assert.equal(await p.wait(), -9)
  assert.ok(runs(grandchild))
  process.kill(grandchild, 'SIGKILL')
  await gone(grandchild)
  p.stdout!.destroy()
})

test('disposal closes the pipes and waits', async () => {
  let p: Popen
  {
    await using one = new Popen(patient, { stdin: PIPE, stdout: PIPE, stderr: PIPE })
    p = one
  }
  assert.equal(p.returncode, 0)
  assert.ok(p.stdout!.destroyed && p.stderr!.destroyed && p.stdin!.destroyed)
})

test('disposal at any moment', async () => {
  const all = { stdin: PIPE, stdout: PIPE, stderr: PIPE } as const
  const moments: ((p: Popen) => unknown)[] = [
    () => {},
    (p) => p.kill(),
    (p) => void p.wait(),
    (p) => p.communicate(),
    (p) => void p.communicate({ input: Buffer.alloc(1 << 20) }),
    (p) => void p.wait().then(() => p.kill()),
    (p) => p.stdout!.resume(),
    (p) => p.stdin!.write(Buffer.alloc(1 << 20)),
    (p) => p.stdout!.destroy(),
    (p) => new Promise((resolve) => void setImmediate(resolve, p)),
  ]
  for (const stderr of [PIPE, DEVNULL] as const)
    for (const moment of moments) {
      const p = new Popen(['sh', '-c', 'echo out; cat; echo err >&2'], { ...all, stderr })
      await moment(p)
      await p[Symbol.asyncDispose]()
      assert.notEqual(p.returncode, null)
      await p[Symbol.asyncDispose]()
    }
})

test('a program that nobody waits for keeps this process up until it ends, and no longer', async () => {
  const program = `import { Popen } from 'plait/subprocess'
    new Popen(['sh', '-c', 'read line; echo done'], { stdin: 0, stdout: 1 })
    process.on('exit', () => console.log('exit'))`
  const args = [process.execPath, '--input-type=module', '--eval', program]
  await using p = new Popen(args, { stdin: PIPE, stdout: PIPE, encoding: 'utf8', cwd: import.meta.dirname })
  assert.deepEqual(await p.communicate({ input: 'go\n' }), ['done\nexit\n', null])
})

test('what a program wrote before its end is there after it', async () => {
  const p = new Popen(['sh', '-c', 'echo out; echo err >&2'], {
    stdout: PIPE,
    stderr: PIPE,
    encoding: 'utf8',
  })
  await p.wait()
  await new Promise((resolve) => void setImmediate(resolve))
  await new Promise((resolve) => void setImmediate(resolve))
  assert.deepEqual(await p.communicate(), ['out\n', 'err\n'])
})

test('hundreds of waits in vain leave nothing behind', async () => {
  await using p = new Popen(patient, { stdin: PIPE })
  const controller = new AbortController()
  for (let i = 0; i < 200; i++) await p.wait({ timeout: 0, signal: controller.signal }).catch(() => {})
  assert.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, 0)
})

test('many at once', async () => {
  const all = Array.from({ length: 40 }, (_, i) => new Popen(['sh', '-c', `exit ${i}`]))
  assert.deepEqual(
    await Promise.all(all.map((p) => p.wait())),
    all.map((_, i) => i),
  )
})

test('input that cannot be given is refused', async () => {
  await using deaf = new Popen(['true'])
  await assert.rejects(deaf.communicate({ input: 'x' }), InvalidStateError)
  await using told = new Popen(['cat'], { stdin: PIPE, stdout: PIPE })
  told.stdin!.end('all')
  await assert.rejects(told.communicate({ input: 'more' }), InvalidStateError)
  assert.equal(String((await told.communicate())[0]), 'all')
  await using wrong = new Popen(['cat'], { stdin: PIPE })
  await assert.rejects(wrong.communicate({ input: 5 as unknown as string }), TypeError)
  await assert.rejects(wrong.wait({ timeout: -1 }), RangeError)
  await assert.rejects(wrong.wait({ timeout: NaN }), RangeError)
})

test('writing to a program that has ended is no uncaught error', async () => {
  const p = new Popen(node(''), { stdin: PIPE })
  await p.wait()
  p.stdin!.write('nobody reads this')
  await new Promise((resolve) => void setImmediate(resolve))
  await p[Symbol.asyncDispose]()
})
