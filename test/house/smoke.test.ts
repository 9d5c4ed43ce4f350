/**
 * The main paths in one short file: what has to work on every Node that plait supports. The whole suite runs
 * on two of them; this file runs on all.
 */
import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { test } from 'node:test'
import { Pool, Process, SerializationError, ThreadPool, WorkerLostError } from 'plait'
import { asCompleted, ProcessPoolExecutor } from 'plait/futures'
import { Thread } from 'plait/threading'

class Circle {
  radius: number
  constructor(radius: number) {
    this.radius = radius
  }
  area(): number {
    return Math.PI * this.radius ** 2
  }
}

test('an inline closure with an import, on every item', async () => {
  const suffix = '!'
  await using pool = new Pool(2)
  const names = await pool.map((path) => basename(path) + suffix, ['/a/b.ts', '/c/d.ts'])
  assert.deepEqual(names, ['b.ts!', 'd.ts!'])
})

test('a class travels there and back', async () => {
  await using pool = new Pool(1)
  const grown = await pool.apply((circle: Circle) => new Circle(circle.radius * 2), [new Circle(1)])
  assert.ok(grown instanceof Circle)
  assert.equal(grown.area(), Math.PI * 4)
})

test('what a task throws arrives as it was thrown', async () => {
  await using pool = new Pool(1)
  await assert.rejects(
    pool.apply(() => {
      throw new RangeError('too far', { cause: { limit: 3 } })
    }),
    (error) =>
      error instanceof RangeError &&
      error.message === 'too far' &&
      (error.cause as { limit: number }).limit === 3,
  )
})

test('a worker that is killed is an error, and the pool goes on', async () => {
  await using pool = new Pool(1)
  await assert.rejects(
    pool.apply(() => process.kill(process.pid, 'SIGKILL')),
    (error) => error instanceof WorkerLostError && error.signal === 'SIGKILL' && error.exitcode === -9,
  )
  assert.equal(await pool.apply(() => 6 * 7), 42)
})

test('futures: submitted, cancelled, mapped, in the order of their ends', async () => {
  await using executor = new ProcessPoolExecutor(1)
  const futures = [1, 2].map((n) => executor.submit((x: number) => x * 2, n))
  const values: number[] = []
  for await (const future of asCompleted(futures)) values.push(await future.result())
  for await (const value of executor.map((a, b) => a + b, [1, 2, 3], [10, 20])) values.push(value)
  assert.deepEqual(values, [2, 4, 11, 22])
  await executor.shutdown({ cancelFutures: true })
})

test('a process runs, returns, and has an exit code', async () => {
  const worker = new Process({ target: (a: number, b: number) => a + b, args: [1, 2], name: 'adder' }).start()
  assert.equal(await worker.result, 3)
  assert.equal(await worker.join(), 0)
  assert.equal(worker.exitcode, 0)
})

test('a thread runs, returns, stops and ends; a pool of threads maps', async () => {
  const base = 40
  const thread = new Thread({ target: (n: number) => base + n, args: [2] }).start()
  assert.equal(await thread.result, 42)
  assert.equal(await thread.join(), true)
  const spins = new Thread({
    target: () => {
      for (;;);
    },
  }).start()
  spins.terminate()
  await assert.rejects(spins.result, WorkerLostError)
  await using pool = new ThreadPool(2)
  assert.deepEqual(await pool.map((x) => x * base, [1, 2]), [40, 80])
})

test('what cannot travel is named at submit', async () => {
  await using pool = new Pool(1)
  const settled = Promise.resolve(1)
  await assert.rejects(
    pool.apply(() => settled),
    (error) => error instanceof SerializationError && /settled/.test(error.path + error.message),
  )
})
