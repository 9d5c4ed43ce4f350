/**
 * The parent's side of a child, below Process: spawning, the start record, exits, kills, garbage in streams.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Exit } from '#plait/worker/handle.js'
import { ProcessHandle, type ProcessWorkerOptions } from '#plait/worker/process-handle.js'

const fixtures = resolve('test/fixtures/worker')
const role = pathToFileURL(join(fixtures, 'role.js')).href

/** A worker that obeys the fixture role, its answers, and its end. */
function begin(command: unknown[], options: Partial<ProcessWorkerOptions> = {}) {
  const waiting: ((answer: unknown) => void)[] = []
  const answers: unknown[] = []
  const put = (writer: { reserve(n: number): void; pos: number; bytes: Buffer }, value: unknown): void => {
    const json = JSON.stringify(value)
    writer.reserve(json.length)
    writer.pos += writer.bytes.write(json, writer.pos)
  }
  const handle = new ProcessHandle(
    { name: 'W-1', daemon: false, path: [1], role, setup: (writer) => put(writer, command), ...options },
    (_kind, bytes, start, end) => {
      const answer = JSON.parse(bytes.toString('utf8', start, end))
      if (waiting.length > 0) waiting.shift()!(answer)
      else answers.push(answer)
    },
  )
  const exited = new Promise<Exit>((done) => (handle.onExit = done))
  const answer = (): Promise<any> => {
    if (answers.length > 0) return Promise.resolve(answers.shift())
    return new Promise((done, fail) => {
      waiting.push(done)
      void exited.then((exit) => fail(new Error(`it ended: ${JSON.stringify(exit)}`)))
    })
  }
  const ask = (command: string, argument?: unknown): Promise<any> => {
    put(handle.channel.open(100), [command, argument ?? null])
    handle.channel.commit()
    return answer()
  }
  return { handle, exited, answer, ask }
}

test('the child knows who it is, and the role gets its payload', async () => {
  const { handle, exited, answer } = begin(['identity'], { name: 'Worker-3', daemon: true, path: [3] })
  assert.deepEqual(await answer(), {
    name: 'Worker-3',
    daemon: true,
    path: [3],
    parent: { name: 'MainProcess', pid: process.pid, daemon: false },
  })
  assert.equal(handle.exit, null)
  handle.channel.close()
  assert.deepEqual(await exited, { code: 0, signal: null, exitcode: 0 })
  assert.equal(handle.exit!.exitcode, 0)
})

test('the end of the control stream ends the child, and its exit handlers run', async () => {
  const { handle, exited, answer } = begin(['onexit'], { stdio: 'pipe' })
  await answer()
  const output = text(handle.stdout!)
  handle.channel.close()
  assert.equal((await exited).exitcode, 0)
  assert.equal(await output, 'goodbye')
})

test('exit codes are as in Python', async () => {
  assert.equal((await begin(['exit', 3]).exited).exitcode, 3)
  for (const [signal, exitcode] of [
    ['SIGKILL', -9],
    ['SIGTERM', -15],
    ['SIGINT', -2],
  ] as const) {
    const { handle, exited, answer } = begin(['identity'])
    await answer()
    assert.equal(handle.kill(signal), true)
    assert.deepEqual(await exited, { code: null, signal, exitcode })
    assert.equal(handle.kill(signal), false, "the pid may be somebody else's by now")
  }
})

test('a child killed before it runs anything ends like any other', async () => {
  const { handle, exited } = begin(['identity'])
  handle.kill('SIGKILL')
  assert.equal((await exited).exitcode, -9)
})

test('all that a child sent is delivered before its end is told', async () => {
  const { exited, answer } = begin(['bytesThenExit', 5_000_000])
  let got = 0
  void answer().then((bytes: string) => (got = bytes.length))
  await exited
  await new Promise(setImmediate)
  assert.equal(got, 5_000_000)
})

test('what is sent while the role is still being imported waits for it', async () => {
  const { handle, ask, answer, exited } = begin(['identity'])
  const [second, third] = [ask('bytes', 2), ask('bytes', 3)]
  assert.deepEqual([(await second).name, await third, await answer()], ['W-1', 'xx', 'xxx'])
  handle.kill()
  await exited
})

test('a child inherits options and environment, but no IPC channel that is not its own', async () => {
  const env = { ...process.env, HELLO: 'you', NODE_CHANNEL_FD: '9', NODE_CHANNEL_SERIALIZATION_MODE: 'json' }
  const cwd = tmpdir()
  const { handle, answer, exited } = begin(['program'], { env, cwd, execArgv: ['--no-warnings'] })
  const program = await answer()
  assert.deepEqual(program.argv, ['--no-warnings'])
  assert.equal(program.cwd, cwd)
  assert.equal(program.env.HELLO, 'you')
  assert.equal(program.env.NODE_CHANNEL_FD, undefined)
  assert.equal(program.env.NODE_CHANNEL_SERIALIZATION_MODE, undefined)
  handle.kill()
  await exited
})

test('stdio: pipe', async () => {
  const { handle, answer, exited } = begin(['print', ['out', 'err']], { stdio: 'pipe' })
  const output = Promise.all([text(handle.stdout!), text(handle.stderr!)])
  await answer()
  handle.channel.close()
  await exited
  assert.deepEqual(await output, ['out', 'err'])
  const silent = begin(['print', ['out', 'err']], { stdio: 'ignore' })
  assert.equal(silent.handle.stdout, null)
  await silent.answer()
  silent.handle.kill()
  await silent.exited
})

test('a ledger is descriptor 4 of the child', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plait-test-'))
  const file = openSync(join(folder, 'ledger'), 'w+')
  const { handle, answer, exited } = begin(['ledger', 'began 7'], { ledger: file })
  await answer()
  assert.equal(readFileSync(join(folder, 'ledger'), 'utf8'), 'began 7')
  handle.kill()
  await exited
  closeSync(file)
  rmSync(folder, { recursive: true })
})

test('a child that cannot be spawned is an error at once', () => {
  assert.throws(() => begin(['identity'], { cwd: '/does/not/exist' }), {
    code: 'ENOENT',
    message: 'cannot start W-1: its cwd "/does/not/exist" is not a directory',
  })
})

test('a setup that throws leaves no child behind', async () => {
  const setup = (): never => {
    throw new Error('no payload')
  }
  assert.throws(() => begin([], { setup }), { message: 'no payload' })
  const alive = (): boolean => process.getActiveResourcesInfo().includes('ProcessWrap')
  assert.ok(alive())
  while (alive()) await new Promise(setImmediate) // the test's time limit is the assertion
})

test('a role that cannot be imported ends the child with code 1 and says why', async () => {
  const { handle, exited } = begin([], { role: 'file:///no/such/role.js', stdio: 'pipe' })
  const errors = text(handle.stderr!)
  assert.equal((await exited).exitcode, 1)
  assert.match(await errors, /no\/such\/role\.js/)
})

test('a role that throws ends the child with code 1 and says why', async () => {
  const inStart = begin(['throw', 'at once'], { stdio: 'pipe', name: 'W-7' })
  const errors = text(inStart.handle.stderr!)
  assert.equal((await inStart.exited).exitcode, 1)
  assert.match(await errors, /^W-7 cannot go on:\nRangeError: at once\n +at /)

  for (const [what, said] of [
    ['later', /RangeError: later\n +at /],
    ['undefined', /^W-1 cannot go on:\nundefined\n$/],
  ] as const) {
    const { handle, exited, answer, ask } = begin(['identity'], { stdio: 'pipe' })
    await answer()
    const stderr = text(handle.stderr!)
    ask('throw', what).catch(() => {})
    assert.equal((await exited).exitcode, 1, what)
    assert.match(await stderr, said)
  }
})

test('garbage from its parent ends the child with code 1', async () => {
  const { handle, exited, answer } = begin(['identity'], { stdio: 'pipe' })
  await answer()
  const stderr = text(handle.stderr!)
  handle.channel.open(0xffff_ffff) // a kind that there cannot be
  handle.channel.commit()
  assert.equal((await exited).exitcode, 1)
  assert.match(await stderr, /^W-1 cannot go on:\nError: garbage in the stream/)
})

test('a child that writes garbage is killed', async () => {
  const { exited, answer } = begin(['garbage'])
  await answer().catch(() => {})
  assert.equal((await exited).exitcode, -9)
})

test('a stream that a grandchild holds open delays the end only a little', async () => {
  const { handle, answer, exited } = begin(['hold'])
  const grandchild: number = await answer()
  handle.kill()
  assert.equal((await exited).exitcode, -9)
  assert.equal(process.kill(grandchild, 'SIGKILL'), true, 'it still held the stream')
})

test('an unreferenced worker does not keep its parent alive, and ends with it', () => {
  const parent = spawnSync(process.execPath, [join(fixtures, 'parent.js'), '["identity"]', 'unref'], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  assert.equal(parent.status, 0)
  assert.match(parent.stdout, /ready\n$/)
})
