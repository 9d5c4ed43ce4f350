/** stop() of a thread, and the failure of a sibling in a TaskGroup, end every kind of wait there is. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CancelledError, Event, Lock, Pool, Process, Queue, ThreadPool, wait, WorkerLostError } from 'plait'
import { Channel, TaskGroup } from 'plait/coroutine'
import { asCompleted, ThreadPoolExecutor, wait as waitForFutures } from 'plait/futures'
import { Popen, run } from 'plait/subprocess'
import { currentThread, Thread } from 'plait/threading'
import { checkLeaks } from '../leaks.js'

checkLeaks()

/** Called in the thread, with something that never happens. */
const waits: Record<string, (never: Queue<never>, told: () => void) => Promise<unknown>> = {
  'Pool.apply': async (never, told) => {
    await using pool = new Pool(1)
    told()
    return await pool.apply(() => never.get())
  },
  'Pool.map': async (never, told) => {
    await using pool = new Pool(1)
    told()
    return await pool.map(() => never.get(), [1, 2, 3])
  },
  'Pool.imap': async (never, told) => {
    await using pool = new ThreadPool(1)
    const results = pool.imap(() => never.get(), [1])
    told()
    for await (const result of results) return result
    return 'nothing came'
  },
  'an AsyncResult': async (never, told) => {
    await using pool = new ThreadPool(1)
    const result = pool.applyAsync(() => never.get())
    told()
    return await result
  },
  'AsyncResult.get': async (never, told) => {
    await using pool = new ThreadPool(1)
    const result = pool.applyAsync(() => never.get())
    told()
    return await result.get()
  },
  'Process.join': async (never, told) => {
    await using process = new Process({ target: () => never.get(), daemon: true }).start()
    told()
    return await process.join()
  },
  'Process.result': async (never, told) => {
    await using process = new Process({ target: () => never.get(), daemon: true }).start()
    told()
    return await process.result
  },
  'Thread.join': async (never, told) => {
    await using thread = new Thread({ target: () => never.get(), daemon: true }).start()
    told()
    return await thread.join()
  },
  'wait()': async (never, told) => {
    await using thread = new Thread({ target: () => never.get(), daemon: true }).start()
    told()
    return await wait([thread])
  },
  'Queue.get': async (never, told) => {
    told()
    return await never.get()
  },
  'Lock.acquire': async (_, told) => {
    const lock = new Lock()
    lock.acquireSync()
    told()
    return await lock.acquire()
  },
  'subprocess.run': async (_, told) => {
    told()
    return await run(['sleep', '600'])
  },
  'Popen.wait': async (_, told) => {
    await using sleeper = new Popen(['sleep', '600'])
    try {
      told()
      return await sleeper.wait()
    } finally {
      sleeper.kill()
    }
  },
}

class Enough extends Error {}

describe('stop() ends, in a thread', { timeout: 120_000 }, () => {
  for (const [name, begin] of Object.entries(waits))
    test(name, async () => {
      const [never, begun] = [new Queue<never>(), new Queue<string>()]
      const thread = new Thread({
        target: () => begin(never, () => begun.putNowait('begun')),
      }).start()
      await begun.get()
      thread.stop(new Enough(name))
      await assert.rejects(thread.result, (error) => error instanceof Enough && error.message === name)
      await thread.join()
    })
})

describe('the failure of a sibling ends', { timeout: 120_000 }, () => {
  for (const [name, begin] of Object.entries(waits))
    test(name, async () => {
      const never = new Queue<never>()
      const failure = new RangeError('a sibling')
      const ended = TaskGroup.run((group) => {
        const begun = new Channel<void>(1)
        void group.spawn(() => begin(never, () => void begun.send()))
        void group.spawn(async () => {
          await begun.receive()
          throw failure
        })
      })
      await assert.rejects(ended, (error: AggregateError) => {
        assert.deepEqual(error.errors, [failure])
        return true
      })
    })
})

test('futures: what waits for them ends, and they go on', { timeout: 60_000 }, async () => {
  const gate = new Queue<number>()
  await using executor = new ThreadPoolExecutor(1)
  const future = executor.submit(() => gate.get())
  const ways = [
    () => future.result(),
    () => future.exception(),
    async () => await future,
    () => waitForFutures([future]),
    async () => {
      for await (const done of asCompleted([future])) return done
      return undefined
    },
  ]
  for (const way of ways) {
    const stop = new AbortController()
    const ended = TaskGroup.run(way, { signal: stop.signal })
    stop.abort(new Enough())
    await assert.rejects(ended, Enough)
  }
  gate.putNowait(7)
  assert.equal(await future, 7)
})

test('what is there already is told all the same', async () => {
  await using executor = new ThreadPoolExecutor(1)
  const future = executor.submit(() => 7)
  await future
  const stop = new AbortController()
  const got: number[] = []
  const ended = TaskGroup.run(
    async () => {
      stop.abort(new Enough())
      got.push(await future.result(), await future)
    },
    { signal: stop.signal },
  )
  await assert.rejects(ended, Enough)
  assert.deepEqual(got, [7, 7])
})

describe('stop() ends, in a thread, a loop that never has to wait', { timeout: 60_000 }, () => {
  const loops: Record<string, (begun: () => void) => unknown> = {
    'Lock.acquire': async (begun) => {
      for (const lock = new Lock(); ; begun()) (await lock.acquire()).release()
    },
    'Lock.acquireSync': (begun) => {
      for (const lock = new Lock(); ; begun()) lock.acquireSync().release()
    },
    'Queue.getSync': (begun) => {
      for (const queue = new Queue<number>(); ; begun()) {
        queue.putSync(1)
        queue.getSync()
      }
    },
    'Queue.get': async (begun) => {
      for (const queue = new Queue<number>(); ; begun()) {
        await queue.put(1)
        await queue.get()
      }
    },
    'Event.wait': async (begun) => {
      const event = new Event()
      event.set()
      for (; ; begun()) await event.wait()
    },
  }
  for (const [name, loop] of Object.entries(loops))
    test(name, async () => {
      const begun = new Event()
      const thread = new Thread({ target: () => loop(() => begun.set()) }).start()
      await begun.wait()
      thread.stop(new Enough(name))
      // A reason that has to be imported cannot be had in a thread that stands still.
      await assert.rejects(
        thread.result,
        (error) => error instanceof Enough || error instanceof CancelledError,
      )
      await thread.join()
    })
})

test('a result that nobody awaits is no unhandled rejection there', async () => {
  const thread = new Thread({
    target: async () => {
      const child = new Process({
        target: () => {
          throw new RangeError('as meant')
        },
      }).start()
      void child.result
      const same = child.result === child.result
      await child.join()
      return [same, await child.result.catch((error: Error) => error.message)]
    },
  }).start()
  assert.deepEqual(await thread.result, [true, 'as meant'])
  await thread.join()
})

test('a thread that waits for what can never come is ended, though its stop would end the wait', async () => {
  const thread = new Thread({
    target: async () => {
      if (currentThread().signal.aborted) return undefined
      return await new Process({ target: () => {} }).result
    },
  }).start()
  await assert.rejects(thread.result, WorkerLostError)
  await thread.join()
})
