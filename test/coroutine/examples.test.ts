/**
 * The programs in examples/ that belong to this room, run as a user runs them: the consumer and the producer
 * print exactly their lines, and pages come out the same however many processes and coroutines fetch them.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

function run(name: string, ...args: string[]): string {
  const program = fileURLToPath(new URL(`../../examples/${name}.js`, import.meta.url))
  return execFileSync(process.execPath, [program, ...args], { encoding: 'utf8' })
}

test('the consumer and the producer', () => {
  const lines = [1, 2, 3, 4, 5].flatMap((n) => [
    `[PRODUCER] Producing ${n}...`,
    `[CONSUMER] Consuming ${n}...`,
    '[PRODUCER] Consumer return: 200 OK',
  ])
  assert.equal(run('seed/coroutine'), `${lines.join('\n')}\n`)
})

test('many processes × many coroutines', () => {
  const lines = run('fetch/main', '40').trim().split('\n')
  assert.match(lines[0], /^one by one +\d+ ms$/)
  assert.match(lines[1], /^1 process × 32 coroutines +\d+ ms$/)
  assert.match(lines[2], /^\d+ process(es)? × \d+ coroutines? +\d+ ms$/)
  assert.equal(lines[3], 'the same words each time')
  const [alone, together] = lines.map((line) => Number(/(\d+) ms/.exec(line)?.[1]))
  assert.ok(together < alone, `${together} ms together, ${alone} ms one by one`)
})
