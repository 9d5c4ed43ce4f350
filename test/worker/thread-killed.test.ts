/** Threads that are ended at any moment of their life with shared memory: nobody else is harmed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Queue } from 'plait'
import { Thread } from 'plait/threading'
import { random } from '../pool/chaos-plan.js'

const rounds = 40
const seed = Number(process.env['PLAIT_SEED'] ?? Math.floor(Math.random() * 1e9))

/** Ends threads while they open the memory, with the rooms that they need; then itself, among others. */
async function program(): Promise<void> {
  const next = random(seed)
  const queue = new Queue<number>()
  const wait = (): number => queue.getSync()
  // Moments are drawn from the time that a whole life takes here, when all files have been read once.
  let life = 0
  for (let i = 0; i < 2; i++) {
    const begun = performance.now()
    const thread = new Thread({ target: wait }).start()
    await queue.put(i)
    await thread.result
    life = performance.now() - begun
    await thread.join()
  }
  for (let round = 0; round < rounds; round++) {
    const thread = new Thread({ target: wait, daemon: true }).start()
    await new Promise((resolve) => setTimeout(resolve, (0.5 + 0.7 * next()) * life))
    thread.terminate()
    assert.equal(await thread.join(), true)
  }
  await queue.put(2)
  assert.equal(await queue.get(), 2)
  for (let i = 0; i < 3; i++) new Thread({ target: wait, daemon: true }).start()
  await new Promise((resolve) => setTimeout(resolve, (0.3 + next()) * life))
  process.stdout.write('well')
}

if (process.argv[2] === 'program') await program()
else
  test(`threads are ended while they open what they share (PLAIT_SEED=${seed})`, async () => {
    const env = { ...process.env, PLAIT_SEED: String(seed) }
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'program'], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text))
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    assert.deepEqual([code, signal, said], [0, null, 'well'])
  })
