/** What threads share: SharedArrayBuffers and handles, wherever a value can be; and stop() in their waits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lock, Pool, Process, Queue, SerializationError, ThreadPool } from 'plait'
import { ThreadPoolExecutor } from 'plait/futures'
import { currentThread, Thread } from 'plait/threading'
import { checkLeaks } from '../leaks.js'
import { ownTask, tasksIn, until } from '../tasks.js'

checkLeaks()

async function collect(): Promise<void> {
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc')
  const gc = process.getBuiltinModule('node:vm').runInNewContext('gc') as () => void
  await new Promise(setImmediate)
  gc()
}

const wordsOf = (buffer: ArrayBufferLike): Int32Array => new Int32Array(buffer)

test('a Thread shares the SharedArrayBuffers that it is given, captures and returns', async () => {
  const given = new SharedArrayBuffer(64)
  const captured = new Int32Array(new SharedArrayBuffer(64), 8, 2)
  const thread = new Thread({
    target(buffer: SharedArrayBuffer, view: Uint8Array) {
      const made = new SharedArrayBuffer(8)
      Atomics.add(new Int32Array(buffer), 0, 7)
      Atomics.add(captured, 1, 8)
      return { buffer, captured, made, one: view.buffer === buffer }
    },
    args: [given, new Uint8Array(given, 4)],
  }).start()
  const back = await thread.result
  assert.deepEqual([wordsOf(given)[0], captured[1]], [7, 8])
  assert.equal(back.buffer, given, 'the very object that went')
  assert.equal(back.captured.buffer, captured.buffer)
  assert.ok(back.made instanceof SharedArrayBuffer && back.one)
  await thread.join()
})

test('fields of a subclass, a grandchild, and what a thread throws share them too', async () => {
  class Adder extends Thread {
    words = wordsOf(new SharedArrayBuffer(4))
    override async run(): Promise<void> {
      const { words } = this
      const child = new Thread({ target: () => ({ words, before: Atomics.add(words, 0, 5) }) }).start()
      const { words: same } = await child.result
      await child.join()
      throw Object.assign(new Error('as meant'), { words: same })
    }
  }
  const adder = new Adder()
  await assert.rejects(adder.start().result, (error: Error & { words: Int32Array }) => {
    assert.equal(error.words.buffer, adder.words.buffer)
    return error.message === 'as meant'
  })
  await adder.join()
  assert.equal(adder.words[0], 5)
})

test('tasks of a ThreadPool share them: arguments, functions, items, results', async () => {
  const total = wordsOf(new SharedArrayBuffer(8))
  const start = (words: Int32Array): void => void Atomics.add(words, 1, 1)
  await using pool = new ThreadPool(2, { initializer: start, initargs: [total] })
  const add = (n: number): number => Atomics.add(total, 0, n)
  await pool.map(
    add,
    Array.from({ length: 200 }, (_, i) => i),
    { chunksize: 3 },
  )
  assert.equal(total[0], 19900)
  // One for each worker that has come so far.
  assert.ok(total[1] === 1 || total[1] === 2)
  // Each its own, in the order in which it was sent.
  const buffers = Array.from({ length: 200 }, () => new SharedArrayBuffer(8))
  const mark = (buffer: SharedArrayBuffer, i: number): SharedArrayBuffer => {
    new Int32Array(buffer)[0] = i
    return buffer
  }
  const backs = await Promise.all(buffers.map((buffer, i) => pool.apply(mark, [buffer, i])))
  for (const [i, back] of backs.entries())
    assert.deepEqual([back === buffers[i], wordsOf(back)[0]], [true, i])
  const views: Int32Array[] = []
  for await (const view of pool.imap(
    (buffer: SharedArrayBuffer) => new Int32Array(buffer, 4),
    buffers.slice(0, 9),
  ))
    views.push(view)
  assert.deepEqual(
    views.map((view, i) => view.buffer === buffers[i]),
    new Array(9).fill(true),
  )
  // A function and its argument that look at one variable.
  const read = (): number => total[0]
  assert.equal(await pool.apply((fn: () => number) => fn() + total[0], [read]), 2 * 19900)
})

test('what is tried again shares it again, and nothing is kept that nobody needs', async () => {
  await using pool = new ThreadPool(1, { retries: 1 })
  const tries = wordsOf(new SharedArrayBuffer(4))
  const twice = (words: Int32Array): number => {
    if (Atomics.add(words, 0, 1) === 0) process.exit(3)
    return words[0]
  }
  assert.equal(await pool.apply(twice, [tries]), 2)
  await pool.apply(
    (buffer: SharedArrayBuffer) => {
      ;(globalThis as { seen?: WeakRef<object> }).seen = new WeakRef(buffer)
    },
    [new SharedArrayBuffer(1024)],
  )
  const isGone = async (): Promise<boolean> => {
    const { seen } = globalThis as { seen?: WeakRef<object> }
    await collect()
    return seen!.deref() === undefined
  }
  for (let looks = 0; !(await pool.apply(isGone)); looks++) assert.ok(looks < 50, 'it is kept')
})

test('what comes back is kept by nobody either', async () => {
  // Over rings from the first task on: then a result may come before the buffers that it names.
  await using pool = new ThreadPool({ processes: 1, env: { ...process.env, PLAIT_TRANSPORT: 'mapped' } })
  const came = new Set<WeakRef<object>>()
  const same = (buffer: SharedArrayBuffer): SharedArrayBuffer => buffer
  for (let i = 0; i < 50; i++) came.add(new WeakRef(await pool.apply(same, [new SharedArrayBuffer(64)])))
  const isLeft = (one: WeakRef<object>): boolean => one.deref() !== undefined
  // The last one may lie on the stack.
  for (let looks = 0; Array.from(came).filter(isLeft).length > 1; looks++) {
    assert.ok(looks < 50, `${Array.from(came).filter(isLeft).length} are kept`)
    await collect()
  }
})

test('to processes, and into queues, they are refused with a hint', async () => {
  const shared = new SharedArrayBuffer(8)
  const refused = (error: Error): boolean =>
    error instanceof SerializationError &&
    /only between threads of one process/.test(error.message) &&
    /new Uint8Array\(shared\)\.slice\(\)/.test(error.message)
  assert.throws(() => new Process({ target: () => shared }).start(), refused)
  await using pool = new Pool(1)
  await assert.rejects(async () => pool.apply((view: Int32Array) => view, [wordsOf(shared)]), refused)
  const queue = new Queue()
  assert.throws(() => queue.putSync(shared), refused)
  assert.throws(() => queue.putSync(() => shared), refused)
  queue.close()
})

test('handles come and go in every place between threads', async () => {
  const queue = new Queue<number>()
  const lock = new Lock()
  const thread = new Thread({
    target(given: { queue: Queue<number> }) {
      lock.acquireSync()
      given.queue.putSync(1)
      lock.release()
      const made = new Queue<() => Queue<number>>()
      made.putSync(() => given.queue)
      return { made, lock }
    },
    args: [{ queue }],
  }).start()
  const back = await thread.result
  assert.equal(back.lock, lock)
  const fn = await back.made.get()
  await fn().put(2)
  await thread.join()
  await using executor = new ThreadPoolExecutor(1, { initializer: () => queue.putSync(3) })
  const put = async (to: Queue<number>): Promise<Queue<number>> => {
    await to.put(4)
    return queue
  }
  await (await executor.submit(put, queue).result()).put(5)
  const failed = await executor
    .submit((to: Queue<number>) => {
      throw Object.assign(new Error('as meant'), { to })
    }, queue)
    .exception()
  await (failed as Error & { to: Queue<number> }).to.put(6)
  const got: number[] = []
  for (let i = 0; i < 6; i++) got.push(await queue.get())
  assert.deepEqual(got, [1, 2, 3, 4, 5, 6])
  back.made.close()
  queue.close()
})

test('stop() ends every wait in a thread with its reason', async () => {
  const queue = new Queue<string>()
  const lock = new Lock()
  lock.acquireSync()
  const reached = new Queue<number>()
  const ends = (how: string): unknown => {
    reached.putSync(ownTask())
    if (how === 'getSync') return queue.getSync()
    return how === 'get' ? queue.get() : lock.acquireSync()
  }
  for (const how of ['getSync', 'get', 'acquireSync']) {
    const thread = new Thread({
      target: async () => {
        try {
          return await ends(how)
        } catch (error) {
          return [error, currentThread().signal.reason === error]
        }
      },
    }).start()
    const task = await reached.get()
    await until('its wait', () => tasksIn('S').includes(task))
    thread.stop({ shared: new Int32Array(new SharedArrayBuffer(4)), queue, how })
    const [reason, same] = (await thread.result) as [{ queue: unknown; how: string }, boolean]
    assert.deepEqual([reason.how, reason.queue === queue, same], [how, true, true])
    await thread.join()
  }
  lock.release()
  for (const one of [queue, reached]) one.close()
})
