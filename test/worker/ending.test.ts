/**
 * The end of a program that has children: daemons, process.exit, Ctrl-C, idle ones, and what keeps it alive.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'

/** Runs an ES module that imports plait, to its end; all that hold its stdout have ended then too. */
async function run(
  program: string,
): Promise<{ code: number | null; stdout: string; stderr: string; ms: number }> {
  const began = performance.now()
  const child = spawn(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { Process, activeChildren } from 'plait'\n${program}`,
  ])
  const signal = AbortSignal.timeout(20_000)
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close', { signal }),
  ])
  return { code: code as number | null, stdout, stderr, ms: performance.now() - began }
}

test('a result that nobody looks at is no unhandled rejection', async () => {
  const { code, stdout, stderr } = await run(`
    const p = new Process({ target: () => { throw new Error('unseen') } }).start()
    p.result
    console.log(await p.join())`)
  assert.equal(stdout, '1\n')
  assert.equal(code, 0)
  assert.match(stderr, /^Process Process-1:\nError: unseen/)
})

test('a program waits for its processes, but not for daemons, which end with it', async () => {
  const { code, stdout, ms } = await run(`
    process.on('exit', () => console.log('main ends'))
    new Process({ target: () => { setTimeout(() => console.log('plain ends'), 300) } }).start()
    new Process({ daemon: true, target: () => { setTimeout(() => console.log('never'), 10_000) } }).start()`)
  assert.equal(code, 0)
  assert.equal(stdout, 'plain ends\nmain ends\n')
  assert.ok(ms < 8000)
})

test('waiting for a daemon keeps the program alive, and only as long as it waits', async () => {
  const { code, stdout, ms } = await run(`
    const target = (ms) => new Promise((resolve) => setTimeout(resolve, ms, 'done'))
    const quick = new Process({ daemon: true, target, args: [200] }).start()
    console.log(await quick.result)
    const joined = new Process({ daemon: true, target, args: [200] }).start()
    console.log(await joined.join())
    const slow = new Process({ daemon: true, target, args: [15_000] }).start()
    console.log(await slow.join({ timeout: 50 }))`)
  assert.equal(code, 0)
  assert.equal(stdout, 'done\n0\nnull\n')
  assert.ok(ms < 8000)
})

test('a daemon that spins is ended before its parent', { skip: process.platform !== 'linux' }, async () => {
  const { stdout, stderr } = await run(`
    import { readFileSync } from 'node:fs'
    const target = () => { console.log('spinning'); for (;;); }
    const p = new Process({ daemon: true, stdio: 'pipe', target }).start()
    process.on('exit', () => {
      const until = Date.now() + 10_000
      const state = () => readFileSync('/proc/' + p.pid + '/stat', 'utf8').replace(/.*\\) /, '')[0]
      while (state() !== 'Z' && Date.now() < until);
      console.log(state())
    })
    const alive = setInterval(() => {}, 1000)
    await new Promise((done) => p.stdout.once('data', done))
    clearInterval(alive)`)
  assert.equal(stderr, '')
  assert.equal(stdout, 'Z\n')
})

test("looking at a daemon's result before its start keeps the program alive too", async () => {
  const { stdout } = await run(`
    const target = () => new Promise((resolve) => setTimeout(resolve, 200, 'done'))
    const p = new Process({ daemon: true, target })
    const { result } = p
    p.start()
    console.log(await result)`)
  assert.equal(stdout, 'done\n')
})

test('process.exit() takes all children along', async () => {
  const { code, ms } = await run(`
    const spin = () => { console.log('spinning'); for (;;); }
    const wait = () => { console.log('waiting'); setTimeout(() => {}, 15_000) }
    const started = [spin, wait].map((target) => new Process({ target, stdio: 'pipe' }).start())
    await Promise.all(started.map((p) => new Promise((done) => p.stdout.once('data', done))))
    process.exit(5)`)
  assert.equal(code, 5)
  assert.ok(ms < 8000)
})

test('Ctrl-C reaches all, and children end without a word', async () => {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `
    import { Process } from 'plait'
    const target = () => { console.log('ready'); return new Promise((resolve) => setTimeout(resolve, 9_000)) }
    const p = new Process({ target }).start()
    p.result.catch((error) => console.log(error.name, error.exitcode))
    process.on('SIGINT', () => {})`,
    ],
    { detached: true },
  )
  const output = [text(child.stderr)]
  let stdout = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    stdout += chunk
    if (stdout === 'ready\n') process.kill(-child.pid!, 'SIGINT')
  }
  assert.equal(stdout, 'ready\nWorkerLostError -2\n')
  assert.deepEqual(await Promise.all(output), [''])
})

test('the parent of a killed parent: grandchildren end too', async () => {
  const { code, stdout, ms } = await run(`
    const p = new Process({ stdio: 'pipe', target: async () => {
      const inner = new Process({ target: () => { console.log(process.pid); for (;;); } }).start()
      await inner.join()
    } }).start()
    const [chunk] = await new Promise((done) => p.stdout.once('data', (...chunk) => done(chunk)))
    p.kill()
    console.log(await p.join())
    p.stdout.resume()
    await new Promise((done) => p.stdout.once('close', done)) // the grandchild held it
    console.log('gone')`)
  assert.equal(code, 0)
  assert.equal(stdout, '-9\ngone\n')
  assert.ok(ms < 8000)
})
