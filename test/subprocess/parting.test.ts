/** What becomes of a program in a group of its own when the process that runs it ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEVNULL, PIPE, Popen, run } from 'plait/subprocess'
import { checkLeaks } from '../leaks.js'
import { gone, nextLine, runs } from './kit.js'

checkLeaks()

/** A process that runs a program in a group; the program says its pid, and what it does at the signals. */
function parent(before: string, inner: string): Popen<'utf8'> {
  const program = `import { run } from 'plait/subprocess'
    ${before}
    await run(['sh', '-c', ${JSON.stringify(inner)}], { timeout: 1e9 })`
  return new Popen([process.execPath, '--input-type=module', '--eval', program], {
    stdin: PIPE,
    stdout: PIPE,
    stderr: DEVNULL, // shells say 'Terminated'
    encoding: 'utf8',
    cwd: import.meta.dirname,
  })
}

for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const)
  test(`${signal} ends both, and the program may clean up`, async () => {
    const name = signal.slice(3)
    const p = parent(
      '',
      `trap 'echo cleaned; trap - ${name}; kill -${name} $$' ${name}; echo $$; while :; do sleep 0.01; done`,
    )
    const pid = Number(await nextLine(p.stdout))
    p.sendSignal(signal)
    assert.equal(await p.wait(), -number)
    assert.equal(await nextLine(p.stdout), 'cleaned')
    await gone(pid)
    await p.communicate()
  })

test('an exit kills what still runs', async () => {
  const p = parent(
    `process.stdin.once('data', () => process.exit(7))`,
    'trap "" TERM INT; echo $$; exec sleep 1000',
  )
  const pid = Number(await nextLine(p.stdout))
  p.stdin!.write('go')
  assert.equal(await p.wait(), 7)
  await gone(pid)
  await p.communicate()
})

test('a process that handles the signal itself decides itself', async () => {
  const p = parent(
    `process.once('SIGTERM', () => console.log('handled'))
     process.stdin.once('data', () => process.exit(7))`,
    'echo $$; exec sleep 1000',
  )
  const pid = Number(await nextLine(p.stdout))
  p.sendSignal('SIGTERM')
  assert.equal(await nextLine(p.stdout), 'handled')
  assert.ok(runs(pid))
  p.stdin!.write('go')
  assert.equal(await p.wait(), 7)
  await gone(pid)
  await p.communicate()
})

test('nothing listens when nothing runs, and one listener serves all', async () => {
  const counts = (): number[] =>
    ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => process.listenerCount(name))
  const before = counts()
  const running = Array.from({ length: 20 }, () => run(['true'], { timeout: 60_000 }))
  running.push(run(['sleep', '1000'], { timeout: 5 }).catch(() => null as never))
  await new Promise((resolve) => void setImmediate(resolve))
  assert.deepEqual(
    counts(),
    before.map((count) => count + 1),
  )
  await Promise.all(running)
  assert.deepEqual(counts(), before)
})
