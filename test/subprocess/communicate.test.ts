/** communicate(): both ways at once, in parts, after a timeout, and with a program that does not listen. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { InvalidStateError } from 'plait'
import { PIPE, Popen, STDOUT, TimeoutExpired } from 'plait/subprocess'
import { checkLeaks } from '../leaks.js'
import { failure, gone, nextLine, node } from './kit.js'

checkLeaks()

test('large data both ways at once', async () => {
  const input = randomBytes(8_000_000)
  const program = node(
    `process.stdin.on('data', (chunk) => (process.stdout.write(chunk), process.stderr.write(chunk)))`,
  )
  const p = new Popen(program, { stdin: PIPE, stdout: PIPE, stderr: PIPE })
  const [stdout, stderr] = await p.communicate({ input })
  assert.ok(Buffer.isBuffer(stdout) && stdout.equals(input))
  assert.ok(Buffer.isBuffer(stderr) && stderr.equals(input))
})

test('null for what is no pipe, empty for what says nothing', async () => {
  assert.deepEqual(await new Popen(['true']).communicate(), [null, null])
  assert.deepEqual(await new Popen(['true'], { stdout: PIPE }).communicate(), [Buffer.alloc(0), null])
  assert.deepEqual(await new Popen(['true'], { stderr: PIPE, encoding: 'utf8' }).communicate(), [null, ''])
})

test('without input the program reads the end at once', async () => {
  const p = new Popen(['cat'], { stdin: PIPE, stdout: PIPE })
  assert.deepEqual(await p.communicate(), [Buffer.alloc(0), null])
  assert.equal(p.returncode, 0)
})

test('after its end it gives the same again', async () => {
  const p = new Popen(['echo', 'once'], { stdout: PIPE, encoding: 'utf8' })
  assert.deepEqual(await p.communicate(), ['once\n', null])
  assert.deepEqual(await p.communicate({ timeout: 0 }), ['once\n', null])
  await assert.rejects(p.communicate({ input: 'x' }), InvalidStateError)
})

test('after a timeout it goes on and loses nothing', async () => {
  await using q = new Popen(
    node(`process.stdin.on('data', (data) => { process.stdout.write(data); console.error('heard') })
      process.once('SIGUSR2', () => { console.log('told'); process.exit() })
      setInterval(() => {}, 1000)`),
    { stdin: PIPE, stdout: PIPE, stderr: PIPE, encoding: 'utf8' },
  )
  let error = await failure<TimeoutExpired>(() => q.communicate({ input: 'first ', timeout: 1 }))
  while (error.stdout !== 'first ' || error.stderr !== 'heard\n') {
    assert.ok(error instanceof TimeoutExpired)
    assert.ok('first '.startsWith(error.stdout as string) && 'heard\n'.startsWith(error.stderr as string))
    error = await failure<TimeoutExpired>(() => q.communicate({ timeout: 5 }))
  }
  const again = await failure(() => q.communicate({ input: 'second' }))
  assert.ok(again instanceof InvalidStateError)
  assert.match(again.message, /was given its input already/)
  q.sendSignal('SIGUSR2')
  assert.deepEqual(await q.communicate(), ['first told\n', 'heard\n'])
})

test('an abort rejects with the reason; a later call has everything', async () => {
  await using p = new Popen(['sh', '-c', 'echo one; cat'], { stdin: PIPE, stdout: PIPE, encoding: 'utf8' })
  const reason = new Error('later')
  await assert.rejects(p.communicate({ input: 'never sent', signal: AbortSignal.abort(reason) }), reason)
  const controller = new AbortController()
  const talking = p.communicate({ input: 'two', signal: controller.signal })
  controller.abort(reason)
  await assert.rejects(talking, reason)
  assert.deepEqual(await p.communicate(), ['one\ntwo', null])
})

test('calls side by side share one communication', async () => {
  const p = new Popen(['cat'], { stdin: PIPE, stdout: PIPE, encoding: 'utf8' })
  assert.deepEqual(await Promise.all([p.communicate({ input: 'x' }), p.communicate(), p.communicate()]), [
    ['x', null],
    ['x', null],
    ['x', null],
  ])
})

test('a program that does not read its input is no error', async () => {
  const input = Buffer.alloc(4_000_000)
  for (const program of ['exit 3', 'exec <&-; echo deaf; exit 3', 'head -c 10 >/dev/null; exit 3']) {
    const p = new Popen(['sh', '-c', program], { stdin: PIPE, stdout: PIPE })
    await p.communicate({ input })
    assert.equal(p.returncode, 3)
  }
})

test('input and output keep their order with what was written and read before', async () => {
  await using p = new Popen(['cat'], { stdin: PIPE, stdout: PIPE, encoding: 'utf8' })
  p.stdin!.write('first\nsecond ')
  assert.equal(await nextLine(p.stdout), 'first')
  assert.deepEqual(await p.communicate({ input: 'third' }), ['second third', null])
})

test('what a grandchild writes after the end of the program is part of the output', async () => {
  for (const stderr of [undefined, STDOUT] as const) {
    const p = new Popen(['sh', '-c', '(sleep 0.1; echo late) & echo early'], {
      stdout: PIPE,
      stderr,
      encoding: 'utf8',
    })
    assert.deepEqual(await p.communicate(), ['early\nlate\n', null])
  }
})

test('a grandchild that holds the pipe holds up communicate() until its group is killed', async () => {
  const p = new Popen(['sh', '-c', 'sleep 1000 & echo $!'], { stdout: PIPE, encoding: 'utf8', group: true })
  const grandchild = Number(await nextLine(p.stdout))
  assert.equal(await p.wait(), 0)
  await assert.rejects(p.communicate({ timeout: 1 }), TimeoutExpired)
  p.kill()
  assert.deepEqual(await p.communicate(), ['', null])
  await gone(grandchild)
})

test('stderr that goes where stdout goes comes in the order of writing', async () => {
  const program = 'i=0; while [ $i -lt 200 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done'
  const expected = Array.from({ length: 200 }, (_, i) => `o${i}\ne${i}\n`).join('')
  const all = { stdout: PIPE, stderr: STDOUT, encoding: 'utf8' } as const
  const p = new Popen(['sh', '-c', program], all)
  assert.equal(p.stderr, null)
  assert.deepEqual(await p.communicate(), [expected, null])
})

test('an async iteration of stdout sees all of it', async () => {
  await using p = new Popen(['sh', '-c', 'echo a; echo b >&2; echo c'], {
    stdout: PIPE,
    stderr: STDOUT,
    encoding: 'utf8',
  })
  let text = ''
  for await (const chunk of p.stdout!) text += chunk
  assert.equal(text, 'a\nb\nc\n')
})
