/** A Process killed at any moment: everything that waits on it settles. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Process, WorkerLostError } from 'plait'
import { random } from '../transport/pair.ts'

test('killed before it runs anything, everything settles', async () => {
  const p = new Process({ target: () => new Promise((resolve) => setTimeout(resolve, 60_000)) }).start()
  p.kill()
  await assert.rejects(p.result, { name: 'WorkerLostError', exitcode: -9, signal: 'SIGKILL' })
  assert.equal(await p.join(), -9)
})

test('killed at whatever moment, everything settles', async () => {
  const next = random(11)
  const outcomes = new Set<string>()
  const one = async (): Promise<void> => {
    for (let i = 0; i < 6; i++) {
      const p = new Process({ target: (bytes: Buffer) => bytes, args: [Buffer.alloc(3_000_000)] }).start()
      const timer = setTimeout(() => p.kill(), next() * 300)
      const outcome = await p.result.then(
        (bytes) => bytes.length,
        (error: WorkerLostError) => error.exitcode,
      )
      const exitcode = await p.join()
      clearTimeout(timer)
      assert.ok(outcome === 3_000_000 || (outcome === -9 && exitcode === -9), `${outcome}, ${exitcode}`)
      outcomes.add(`${outcome} ${exitcode}`)
    }
  }
  await Promise.all([one(), one(), one()])
  assert.ok(outcomes.has('-9 -9'), 'at least one was killed in time')
})

test('killed while its arguments are on their way, everything settles', async () => {
  const p = new Process({ target: (bytes: Buffer) => bytes.length, args: [Buffer.alloc(50_000_000)] }).start()
  setImmediate(() => p.kill())
  await assert.rejects(p.result, { name: 'WorkerLostError', exitcode: -9 })
  assert.equal(await p.join(), -9)
})

test('killed in the middle of its target or of its result, everything settles', async () => {
  for (const size of [0, 50_000_000]) {
    const p = new Process({
      stdio: 'pipe',
      args: [size],
      target: (bytes: number) => {
        process.stdout.write('here')
        return bytes > 0
          ? Buffer.alloc(bytes)
          : new Promise<Buffer>((resolve) => setTimeout(resolve, 60_000, Buffer.alloc(0)))
      },
    }).start()
    await once(p.stdout!, 'data')
    p.kill()
    await assert.rejects(p.result, { name: 'WorkerLostError', signal: 'SIGKILL', pid: p.pid })
    assert.equal(await p.join(), -9)
  }
})

test('a process that stops itself in the middle of a record is lost, not half read', async () => {
  const p = new Process({
    target: async () => {
      const { writeSync } = await import('node:fs')
      writeSync(3, Buffer.from([100, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3]))
      process.exit(0)
    },
  }).start()
  await assert.rejects(p.result, { name: 'WorkerLostError' })
  assert.notEqual(await p.join(), null)
})
