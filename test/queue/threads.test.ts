/**
 * The same queues and pipes between threads, over mapped memory and over memory that only threads share; and
 * the tests of one process again over the latter.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { SerializationError } from '#plait/core/errors.js'
import { buryThread } from '#plait/memory/sweep.js'
import { Pipe } from '#plait/queue/connection.js'
import { Queue } from '#plait/queue/queue.js'
import { Process } from '#plait/worker/process.js'
import { checkLeaks } from '../leaks.js'
import { bytesFor, originForThread } from './thread-kit.js'

checkLeaks()

const env = { ...process.env, PLAIT_TRANSPORT: 'shared', NODE_TEST_CONTEXT: undefined }
const isShared = process.env['PLAIT_TRANSPORT'] === 'shared'
const here = fileURLToPath(import.meta.url)

interface Started {
  readonly worker: Worker
  readonly exit: Promise<unknown[]>
}

function start(job: string, value: unknown): Started {
  const workerData = { origin: originForThread(), job, bytes: bytesFor(value) }
  const worker = new Worker(new URL('./thread-job.js', import.meta.url), { workerData })
  const { threadId } = worker
  worker.once('exit', () => buryThread(threadId))
  return { worker, exit: once(worker, 'exit') }
}

async function ended(all: readonly Started[]): Promise<void> {
  for (const { exit } of all) assert.deepEqual(await exit, [0])
}

test('producers and consumers in threads: every item once, and in the order of its producer', async () => {
  const [items, out] = [new Queue({ maxsize: 20 }), new Queue<[number, number]>()]
  const workers = [0, 1].map((who) => start('produce', { items, who, count: 1000 }))
  const readers = ['consume', 'consumeSync'].map((job) => start(job, { items, out }))
  const got: number[][] = [[], []]
  for (let n = 0; n < 2000; n++) {
    const [who, item] = await out.get()
    got[who].push(item)
  }
  items.shutdown()
  await ended([...workers, ...readers])
  for (const one of got) assert.equal(new Set(one).size, 1000)
})

test('a thread that is terminated while it waits poisons nothing', async () => {
  const [items, out] = [new Queue<number>(), new Queue()]
  const readers = ['wait', 'wait'].map((job) => start(job, { items, out }))
  for (const _ of readers) await out.get()
  for (const { worker } of readers) await worker.terminate()
  const mine = items.get()
  items.putNowait(2)
  assert.equal(await mine, 2)
})

test('a pipe to a thread', async () => {
  const [end, other] = Pipe<Uint8Array, number>()
  const worker = start('measure', { end: other })
  for (const size of [1, 1000, 100_000]) {
    await end.send(new Uint8Array(size))
    assert.equal(await end.recv(), size)
  }
  end.close()
  other.close()
  await ended([worker])
})

test('what processes cannot share is refused, with the reason', { skip: !isShared }, () => {
  const queue = new Queue()
  const worker = new Process({ target: (q: Queue) => q.qsize(), args: [queue] })
  assert.throws(
    () => worker.start(),
    (error: unknown) => {
      assert.ok(error instanceof SerializationError)
      assert.match(error.message, /a Queue cannot be shared with another process here: PLAIT_TRANSPORT is/)
      assert.match(error.path, /args\[0\]/)
      return true
    },
  )
})

for (const file of ['queue', 'pipe', 'threads'])
  test(`${file}.test over memory that only threads share`, { skip: isShared }, () => {
    const path = here.replace(/threads\.test\.js$/, `${file}.test.js`)
    const child = spawnSync(process.execPath, ['--test', path], { env, encoding: 'utf8' })
    assert.equal(child.status, 0, child.stdout)
  })
