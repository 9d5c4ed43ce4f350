/** The examples examples/seed/{process,pool,thread}-queue.ts, run as a user runs them. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

function run(name: string, env: NodeJS.ProcessEnv = {}): string[] {
  const program = fileURLToPath(new URL(`../../examples/seed/${name}.js`, import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ...env },
  })
  assert.equal(stderr, '')
  assert.equal(status, 0)
  return stdout.trimEnd().split('\n')
}

/** Of the lines that match, the first group. */
function all(lines: string[], pattern: RegExp): string[] {
  return lines.flatMap((line) => pattern.exec(line)?.[1] ?? []).toSorted((a, b) => a.localeCompare(b))
}

test('producers and consumers in processes: terminated readers leave a queue that works', () => {
  const lines = run('process-queue')
  assert.deepEqual(all(lines, /^\d+ :Put (\d) to queue\.\.\.$/), ['1', '2', '3', '4', '5', '6'])
  const got = all(lines, /^\d+ :Get (\d) from queue\.$/)
  assert.ok(new Set(got).size === got.length && got.every((value) => '123456'.includes(value)))
  assert.equal(all(lines, /^Process to write: (\d+)$/).length, 2)
  assert.equal(lines.at(-1), 'The queue still works: 7')
})

test('the same in a pool, whose readers end with the queue', () => {
  const lines = run('pool-queue')
  assert.match(lines[0], /^Parent process \d+\.$/)
  assert.equal(lines.at(-1), 'All subprocesses done.')
  for (const pattern of [/^\d+ :Put (\d) to queue\.\.\.$/, /^\d+ :Get (\d) from queue\.$/])
    assert.deepEqual(all(lines, pattern), ['0', '1', '2', '3', '4'])
  assert.equal(all(lines, /^Process to write: (\d+)$/).length, 5)
  assert.equal(all(lines, /^Process to read: (\d+)$/).length, 5)
})

for (const transport of ['', 'shared'])
  test(`producers and consumers in threads ${transport}`, () => {
    const lines = run('thread-queue', transport === '' ? {} : { PLAIT_TRANSPORT: transport })
    for (const pattern of [
      /^Thread-\d \(write\) :Put (\d) to queue\.\.\.$/,
      /^Thread-\d \(read\) :Get (\d) from queue\.$/,
    ])
      assert.deepEqual(all(lines, pattern), ['1', '2', '3', '4', '5', '6'])
    assert.equal(new Set(all(lines, /^Process to \w+: (\d+)$/)).size, 1)
  })
