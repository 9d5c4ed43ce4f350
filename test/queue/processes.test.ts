/**
 * Queue between processes: how handles get there, what a death leaves, and that nothing is lost or doubled
 * when processes die at random.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Empty, InvalidStateError, Pool, Process, Queue, ShutDown } from 'plait'
import { checkLeaks } from '../leaks.js'
import { dieAt, mortal } from '../mortal.js'
import { random } from '../random.js'
import { basenameOf } from './library.js'

// Who dies at any of its writes may leave a block: what a death costs is told in memory/README.
checkLeaks(3, 'blocks')

const seed = Number(process.env['PLAIT_SEED'] ?? 20_261)
const shared = new SharedArrayBuffer(4)

/** Dead, and not yet taken note of by its parent. */
function isDead(pid: number): boolean {
  return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

/** What a worker does with the items, until its write with this number. */
type Target = (items: Queue<string>, list: Queue<string>, write: number, name: string) => void

/** All that is there, with what a dead one has not counted. */
function* drain<T>(queue: Queue<T>): Generator<T> {
  try {
    for (;;) yield queue.getNowait()
  } catch (error) {
    assert.ok(error instanceof Empty)
  }
}

describe('handles travel', () => {
  test('as an argument, captured, in an object, in another queue, as a result', async () => {
    const [captured, given, carrier] = [new Queue<string>(), new Queue<string>(), new Queue()]
    const inside = new Queue<string>()
    carrier.putNowait(inside)
    const worker = new Process({
      target: async (options: { q: Queue<string> }, carrier: Queue<Queue<string>>) => {
        captured.putNowait('captured')
        options.q.putNowait('given')
        const inner = await carrier.get()
        inner.putNowait('inner')
        const own = new Queue<string>()
        own.putNowait('result')
        return { own, same: options.q, twice: [options.q, own], later: () => own.getNowait() }
      },
      args: [{ q: given }, carrier as Queue<Queue<string>>],
    }).start()
    const { own, same, twice, later } = await worker.result
    assert.deepEqual([captured.getNowait(), given.getNowait()], ['captured', 'given'])
    assert.equal(inside.getNowait(), 'inner')
    assert.equal(same, given)
    assert.deepEqual(twice, [given, own])
    await worker.join()
    assert.equal(own.qsize(), 1, 'it lives on after the process that made it')
    assert.equal(later(), 'result')
  })

  test('not to a child that cannot open the memory, which is told why', async () => {
    const worker = new Process({
      target: (queue: Queue) => void new Queue().put(queue),
      args: [new Queue()],
      execArgv: ['--no-addons'],
      stdio: 'ignore',
    }).start()
    await assert.rejects(worker.result, {
      code: 'PLAIT_SERIALIZATION',
      message:
        /a Queue has arrived, and .* cannot reach its memory: .* addons is disabled\. Start it without --no/,
    })
    await worker.join()
  })

  test('to a grandchild', async () => {
    const queue = new Queue<number>()
    const worker = new Process({
      target: async (q: Queue<number>) => {
        const inner = new Process({ target: (q: Queue<number>) => q.putSync(process.pid), args: [q] }).start()
        await inner.join()
        return inner.pid
      },
      args: [queue],
    }).start()
    assert.equal(await worker.result, await queue.get())
    await worker.join()
  })

  test('to a pool: in arguments, captured, in its initializer, and back', async () => {
    const queue = new Queue<number>()
    let kept: Queue<number> | undefined
    const pool = new Pool(2, {
      initializer: (q: Queue<number>) => {
        kept = q
      },
      initargs: [queue],
    })
    await pool.map((n) => queue.put(n), [1, 2, 3])
    const pairs: [Queue<number>, number][] = [
      [queue, 4],
      [queue, 5],
    ]
    await pool.starmap((q, n) => q.put(n), pairs)
    await pool.apply(() => kept!.put(6))
    const back = await pool.apply((q) => ({ q }), [queue])
    assert.equal(back.q, queue)
    const made = await pool.apply(() => {
      const q = new Queue<string>()
      q.putNowait('made there')
      return q
    })
    pool.terminate()
    await pool.join()
    assert.equal(made.getNowait(), 'made there')
    const got: number[] = []
    while (!queue.empty()) got.push(queue.getNowait())
    assert.deepEqual(
      got.toSorted((a, b) => a - b),
      [1, 2, 3, 4, 5, 6],
    )
  })

  test('closed here right after the start, it is open there', async () => {
    const back = new Queue<string>()
    const queue = new Queue<string>()
    queue.putNowait('there')
    const worker = new Process({
      target: (q: Queue<string>, back: Queue<string>) => back.putSync(q.getSync()),
      args: [queue, back],
    }).start()
    queue.close()
    assert.equal(await back.get(), 'there')
    await worker.join()
  })
})

describe('order and waiting', () => {
  test('sync and async, both ways', async () => {
    const [to, from] = [new Queue<number | null>(), new Queue<number>({ maxsize: 3 })]
    const workers = [
      new Process({
        target: (to: Queue<number | null>, from: Queue<number>) => {
          for (let n = to.getSync(); n !== null; n = to.getSync()) from.putSync(n * 2)
        },
        args: [to, from],
      }).start(),
      new Process({
        target: async (to: Queue<number | null>, from: Queue<number>) => {
          for (let n = await to.get(); n !== null; n = await to.get()) await from.put(n * 2)
        },
        args: [to, from],
      }).start(),
    ]
    for (let n = 0; n < 2000; n++) to.putNowait(n)
    let sum = 0
    for (let n = 0; n < 1000; n++) sum += await from.get()
    for (let n = 0; n < 1000; n++) sum += from.getSync()
    assert.equal(sum, 2000 * 1999)
    for (const _ of workers) to.putNowait(null)
    for (const worker of workers) assert.equal(await worker.join(), 0)
  })

  test('items of one producer arrive in its order', async () => {
    const queue = new Queue<[number, number]>()
    const workers = [0, 1].map((who) =>
      new Process({
        target: (q: Queue<[number, number]>, who: number) => {
          for (let n = 0; n < 3000; n++) q.putSync([who, n])
        },
        args: [queue, who],
      }).start(),
    )
    const next = [0, 0]
    for (let i = 0; i < 6000; i++) {
      const [who, n] = await queue.get()
      assert.equal(n, next[who]++)
    }
    for (const worker of workers) await worker.join()
  })

  test('shutdown ends readers in other processes, waiting either way', async () => {
    const [queue, ready] = [new Queue<number>(), new Queue<string>()]
    const workers = [
      new Process({
        target: async (q: Queue<number>, ready: Queue<string>) => {
          ready.putNowait('async')
          for await (const _ of q);
          return 'ended'
        },
        args: [queue, ready],
      }).start(),
      new Process({
        target: (q: Queue<number>, ready: Queue<string>) => {
          ready.putNowait('sync')
          try {
            for (;;) q.getSync()
          } catch (error) {
            return (error as Error).name
          }
        },
        args: [queue, ready],
      }).start(),
    ]
    await ready.get()
    await ready.get()
    queue.putNowait(1)
    queue.shutdown()
    assert.deepEqual(await Promise.all(workers.map((worker) => worker.result)), ['ended', 'ShutDown'])
    await Promise.all(workers.map((worker) => worker.join()))
    assert.throws(() => queue.putNowait(1), ShutDown)
  })

  test('an item that needs a module stays where getSync meets it', async () => {
    const [queue, back] = [new Queue<() => string>(), new Queue()]
    const worker = new Process({
      target: async (q: Queue<() => string>, back: Queue) => {
        let error: unknown
        try {
          q.getSync()
        } catch (thrown) {
          error = thrown
        }
        back.putNowait([error, q.qsize()])
        const [one, two] = await Promise.all([q.get(), q.get()])
        back.putNowait([one(), two()])
      },
      args: [queue, back],
    })
    queue.putNowait(() => basenameOf('/x/y'))
    queue.putNowait(() => 'plain')
    worker.start()
    const [error, left] = (await back.get()) as [Error, number]
    assert.ok(error instanceof InvalidStateError, String(error))
    assert.match(error.message, /plait has not loaded here yet.*await get\(\)/)
    assert.equal(left, 2)
    assert.deepEqual(await back.get(), ['y', 'plain'])
    await worker.join()
  })
})

describe('deaths', () => {
  test('what was put is there, however its producer ends right after', async () => {
    for (let round = 0; round < 3; round++) {
      const queue = new Queue()
      const worker = new Process({
        target: (q: Queue) => {
          for (let n = 0; n < 500; n++) q.putSync(n)
          q.putSync(new Float64Array(50_000).fill(1))
          process.kill(process.pid, 'SIGKILL')
        },
        args: [queue],
      }).start()
      assert.equal(await worker.join(), -9)
      for (let n = 0; n < 500; n++) assert.equal(queue.getNowait(), n)
      assert.equal((queue.getNowait() as Float64Array).length, 50_000)
      assert.ok(queue.empty())
    }
  })

  test('readers that are killed while they wait poison nothing', async () => {
    const queue = new Queue<number>()
    const readers = [true, false, true].map((sync) =>
      new Process({
        target: (q: Queue<number>, sync: boolean) => {
          const end = (): false => (process.kill(process.pid, 'SIGKILL'), false)
          if (!sync) return void (q.get(), end())
          // Its signal is asked before it waits, and again when it stands in line.
          const { signal } = new AbortController()
          let asked = 0
          Object.defineProperty(signal, 'aborted', { get: () => asked++ > 0 && end() })
          q.getSync({ signal })
        },
        args: [queue, sync],
      }).start(),
    )
    for (const { pid } of readers) while (!isDead(pid!)) Atomics.wait(new Int32Array(shared), 0, 0, 1)
    // Put while nobody can have noticed yet: this thread has not come to its events.
    for (let n = 0; n < 100; n++) queue.putNowait(n)
    for (const reader of readers) assert.equal(await reader.join(), -9)
    let got = 0
    for (;;)
      try {
        await queue.get({ timeout: 0 })
        got++
      } catch (error) {
        assert.ok(error instanceof Empty)
        break
      }
    assert.equal(got, 100)
    queue.putNowait(7)
    assert.equal(await queue.get({ timeout: 1000 }), 7)
    const last = queue.get()
    queue.putNowait(8)
    assert.equal(await last, 8)
  })

  test('a waiter that was woken and killed leaves the item to the others', async () => {
    for (let round = 0; round < 5; round++) {
      const [queue, ready] = [new Queue<number>(), new Queue<number>()]
      const reader = new Process({
        target: async (q: Queue<number>, ready: Queue<number>) => {
          const got = q.get()
          ready.putNowait(process.pid)
          // The loop is stopped: it is woken, and does not come.
          await new Promise((resolve) => setImmediate(resolve))
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
          return await got
        },
        args: [queue, ready],
      }).start()
      await ready.get()
      const mine = queue.get()
      queue.putNowait(round)
      reader.kill()
      assert.equal(await mine, round)
      await reader.join()
    }
  })

  test(`nothing is lost or doubled when producers and consumers die (PLAIT_SEED=${seed})`, async () => {
    const next = random(seed)
    const items = new Queue<string>({ maxsize: 50 })
    const [put, got] = [new Queue<string>(), new Queue<string>()]
    const start = (target: Target, name: string): Process<never[]> =>
      new Process({
        target,
        args: [items, name === '' ? got : put, Math.ceil(next() * 20_000), name],
        execArgv: mortal,
      }).start()
    // What is said of each item is said before: a death in between leaves one word too many.
    const produce: Target = (items, put, write, name) => {
      dieAt(write)
      for (let n = 0; ; n++) {
        put.putSync(`${name}-${n}`)
        items.putSync(`${name}-${n}`)
      }
    }
    const consume: Target = (items, got, write) => {
      dieAt(write)
      for (;;) got.putSync(items.getSync())
    }
    const said: string[] = []
    const taken: string[] = []
    for (let round = 0; round < 6; round++) {
      const workers = [start(produce, `p${round}`), start(consume, '')]
      // Whoever lives longer has this one for a partner.
      const alive = workers.map(() => true)
      const ends = workers.map(async (worker, i) => {
        assert.equal(await worker.join(), -9)
        alive[i] = false
      })
      for (let n = 0; alive.includes(true); n++) {
        if (alive[0] && !alive[1]) taken.push(...drain(items))
        if (alive[1] && !alive[0] && !items.full()) {
          said.push(`here${round}-${n}`)
          items.putNowait(`here${round}-${n}`)
        }
        await turn()
      }
      await Promise.all(ends)
      said.push(...drain(put))
      taken.push(...drain(got))
    }
    taken.push(...drain(items))
    assert.equal(new Set(taken).size, taken.length, 'nothing is doubled')
    const known = new Set(said)
    assert.ok(taken.every((item) => known.has(item)))
    // A consumer that dies between get and put loses one; a producer has said one that it did not put.
    assert.ok(said.length - taken.length <= 12, `${said.length} said, ${taken.length} taken`)
    assert.ok(taken.length > 100, `${taken.length} items came through`)
  })
})

test('200 MB wait without a consumer, and are gone afterwards', async () => {
  const queue = new Queue<Buffer>()
  const worker = new Process({
    target: (q: Queue<Buffer>) => {
      for (let n = 0; n < 2000; n++) q.putSync(Buffer.alloc(100_000, n & 255))
      for (let n = 0; n < 2000; n++) q.putSync(Buffer.alloc(1000, n & 255))
    },
    args: [queue],
  }).start()
  assert.equal(await worker.join(), 0)
  assert.equal(queue.qsize(), 4000)
  for (let n = 0; n < 2000; n++) {
    const item = await queue.get()
    assert.ok(item.length === 100_000 && item[n] === (n & 255))
  }
  for (let n = 0; n < 2000; n++) assert.equal(queue.getNowait()[999], n & 255)
})
