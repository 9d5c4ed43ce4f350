/** Where the streams of a program lead: descriptors, streams, nowhere, each other; and what else it gets. */
import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { checkOutput, DEVNULL, PIPE, Popen, run, runSync, STDOUT } from 'plait/subprocess'
import { checkLeaks } from '../leaks.js'
import { node } from './kit.js'

checkLeaks()

const folder = mkdtempSync(join(tmpdir(), 'plait-test-'))
after(() => rmSync(folder, { recursive: true }))

const speak = ['sh', '-c', 'echo out; echo err >&2; echo more']

for (const [how, go] of [
  ['run', run],
  ['runSync', async (...args: Parameters<typeof runSync>) => runSync(...args)],
] as const) {
  test(`${how}: descriptors of this process`, async () => {
    const path = join(folder, `${how}-fd`)
    writeFileSync(path, 'in\n')
    const input = openSync(path, 'r')
    const output = openSync(`${path}-out`, 'w')
    const done = await go(['sh', '-c', 'cat; echo out; echo err >&2'], {
      stdin: input,
      stdout: output,
      stderr: output,
    })
    closeSync(input)
    closeSync(output)
    assert.deepEqual([done.stdout, done.stderr], [null, null])
    assert.equal(readFileSync(`${path}-out`, 'utf8'), 'in\nout\nerr\n')
  })

  test(`${how}: a stream that has a descriptor`, async () => {
    const path = join(folder, `${how}-stream`)
    const handle = await open(path, 'w')
    const stream = handle.createWriteStream()
    await go(speak, { stdout: stream, stderr: STDOUT })
    stream.end()
    await once(stream, 'close')
    assert.equal(readFileSync(path, 'utf8'), 'out\nerr\nmore\n')
  })

  test(`${how}: a stream without a descriptor is refused`, async () => {
    for (const stdout of [new PassThrough(), {} as PassThrough])
      await assert.rejects(async () => go(speak, { stdout }), TypeError)
  })

  test(`${how}: DEVNULL gives nothing and takes everything`, async () => {
    const done = await go(['sh', '-c', 'cat; echo err >&2'], {
      stdin: DEVNULL,
      stdout: PIPE,
      stderr: DEVNULL,
    })
    assert.deepEqual([String(done.stdout), done.stderr], ['', null])
    const both = await go(speak, { stdout: DEVNULL, stderr: STDOUT, check: true })
    assert.deepEqual([both.stdout, both.stderr], [null, null])
  })

  test(`${how}: stderr goes where stdout goes`, async () => {
    const done = await go(speak, { stdout: PIPE, stderr: STDOUT, encoding: 'utf8' })
    assert.deepEqual([done.stdout, done.stderr], ['out\nerr\nmore\n', null])
  })

  test(`${how}: only stderr is captured`, async () => {
    const done = await go(speak, { stdout: DEVNULL, stderr: PIPE, encoding: 'utf8' })
    assert.deepEqual([done.stdout, done.stderr], [null, 'err\n'])
  })

  test(`${how}: the environment is what is given, and no more`, async () => {
    const env = { A: 'ä\n=', 'odd.name': 'x', GONE: undefined }
    const { stdout } = await go(['/usr/bin/env', '-0'], { env, captureOutput: true, encoding: 'utf8' })
    assert.deepEqual((stdout as string).split('\0').filter(Boolean).sort(), ['A=ä\n=', 'odd.name=x'])
    const empty = await go(['/usr/bin/env'], { env: {}, captureOutput: true, encoding: 'utf8' })
    assert.equal(empty.stdout, '')
    const inherited = Object.create({ INHERITED: 'x' }) as Record<string, string>
    const clean = await go(['/usr/bin/env'], { env: inherited, captureOutput: true, encoding: 'utf8' })
    assert.equal(clean.stdout, '')
  })

  test(`${how}: cwd, executable and argv[0]`, async () => {
    const where = await go(['pwd'], { cwd: folder, captureOutput: true, encoding: 'utf8' })
    assert.equal(where.stdout, `${folder}\n`)
    const named = await go(['a name', '-c', 'echo "$0"'], {
      executable: '/bin/sh',
      captureOutput: true,
      encoding: 'utf8',
    })
    assert.equal(named.stdout, 'a name\n')
  })

  test(`${how}: a shell, with more arguments, and another one`, async () => {
    const all = { captureOutput: true, encoding: 'utf8' } as const
    assert.equal((await go('echo $((6 * 7)) | cat', { ...all, shell: true })).stdout, '42\n')
    assert.equal((await go(['echo "$0,$1"', 'a b', '$c'], { ...all, shell: true })).stdout, 'a b,$c\n')
    assert.equal((await go('echo ${BASH_VERSION:+bash}', { ...all, shell: '/bin/bash' })).stdout, 'bash\n')
    assert.equal((await go('', { ...all, shell: true })).returncode, 0)
  })

  test(`${how}: a user and a group`, { skip: process.getuid!() !== 0 }, async () => {
    const done = await go(['id', '-u'], { uid: 12_345, gid: 12_345, captureOutput: true, encoding: 'utf8' })
    assert.equal(done.stdout, '12345\n')
  })
}

test('a socket as stdout; runSync has no way to hand one on', async () => {
  const path = join(folder, 'socket')
  const server = createServer()
  server.listen(path)
  const client = connect(path)
  const [socket] = (await once(server, 'connection')) as [Socket]
  assert.throws(() => runSync(['true'], { stdout: client }), TypeError)
  await run(speak, { stdout: client, stderr: STDOUT })
  client.destroy()
  assert.equal(await text(socket), 'out\nerr\nmore\n')
  server.close()
})

test('streams that are left out are those of this process', async () => {
  const program = `import { run, runSync, STDOUT } from 'plait/subprocess'
    const speak = ['sh', '-c', 'read line; echo $line; echo err >&2']
    await run(speak)
    runSync(speak)
    await run(speak, { stderr: STDOUT })
    runSync(speak, { stderr: STDOUT })`
  const p = new Popen([process.execPath, '--input-type=module', '--eval', program], {
    stdin: PIPE,
    stdout: PIPE,
    stderr: PIPE,
    encoding: 'utf8',
    cwd: import.meta.dirname,
  })
  // dash reads its input byte by byte, so each takes one line.
  const [stdout, stderr] = await p.communicate({ input: '1\n2\n3\n4\n' })
  assert.deepEqual([stdout, stderr], ['1\n2\n3\nerr\n4\nerr\n', 'err\nerr\n'])
})

test('a program is given its three streams and no other descriptor', async () => {
  const list = node(`console.log(require('node:fs').readdirSync('/proc/self/fd').length)`)
  const direct = await checkOutput(list, { encoding: 'utf8' })
  const held = Array.from({ length: 20 }, () => openSync('/dev/null', 'r'))
  const server = createServer().listen(0)
  await once(server, 'listening')
  assert.equal(await checkOutput(list, { encoding: 'utf8' }), direct)
  assert.equal(await checkOutput(list, { encoding: 'utf8', stderr: STDOUT }), direct)
  server.close()
  held.forEach((fd) => closeSync(fd))
})

test('the pipe that two streams share leaves nothing in the folder for temporary files', async () => {
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  try {
    const { readdirSync } = await import('node:fs')
    const there = readdirSync(folder)
    assert.equal(await checkOutput(speak, { stderr: STDOUT, encoding: 'utf8' }), 'out\nerr\nmore\n')
    runSync(speak, { stdout: PIPE, stderr: STDOUT })
    assert.deepEqual(readdirSync(folder), there)
    process.env['TMPDIR'] = join(folder, 'x'.repeat(120))
    assert.equal(await checkOutput(speak, { stderr: STDOUT, encoding: 'utf8' }), 'out\nerr\nmore\n')
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
})
