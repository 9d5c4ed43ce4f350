/**
 * Queues and pipes as a program meets them: all are done, what a shutdown says to those who wait elsewhere,
 * deadlines of every wait, many writers and one reader, and a writer that dies within a message. Python: the
 * cases of test_multiprocessing and test_queue.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Barrier,
  type Connection,
  Condition,
  Empty,
  EOFError,
  Event,
  Full,
  Lock,
  Pipe,
  Process,
  Queue,
  Semaphore,
  ShutDown,
  wait,
} from 'plait'
import { Thread } from 'plait/threading'
import { checkLeaks } from '../leaks.ts'
import { random } from '../random.ts'
import { end, resultOf, soon, start, wheres } from './kit.ts'

checkLeaks(4)

for (const where of wheres) {
  test(`join ends when the last item is done, by whichever ${where}`, async () => {
    const queue = new Queue<number | null>()
    const [begun, go] = [new Semaphore(0), new Event()]
    const work = (): number => {
      let sum = 0
      for (let item = queue.getSync(); item !== null; item = queue.getSync()) {
        sum += item
        if (item === 9) {
          begun.release()
          go.waitSync()
        }
        queue.taskDone()
      }
      queue.taskDone()
      return sum
    }
    const workers = [start(where, work, []), start(where, work, [])]
    for (let n = 0; n < 10; n++) await queue.put(n)
    await begun.acquire()
    await assert.rejects(queue.join({ timeout: 30 }), { name: 'TimeoutError' })
    go.set()
    await queue.join()
    for (const _ of workers) queue.putNowait(null)
    const sums = await Promise.all(workers.map((worker) => resultOf(worker)))
    await queue.join()
    assert.equal(sums[0] + sums[1], 45)
    assert.throws(() => queue.taskDone(), RangeError)
  })

  test(`shutdown is said to a ${where} that waits for room, and nothing is lost`, async () => {
    const queue = new Queue<string>({ maxsize: 1 })
    queue.putNowait('first')
    const ready = new Queue<string>()
    const put = async (sync: boolean): Promise<string> => {
      ready.putSync('comes')
      try {
        if (sync) queue.putSync('more')
        else await queue.put('more')
        return 'put'
      } catch (error) {
        return (error as Error).name
      }
    }
    const putters = [start(where, put, [true]), start(where, put, [false])]
    for (const _ of putters) await ready.get()
    queue.shutdown()
    for (const putter of putters) assert.equal(await resultOf(putter), 'ShutDown')
    assert.equal(queue.getNowait(), 'first')
    assert.throws(() => queue.getNowait(), ShutDown)
  })

  test(`shutdown at once ends the getters and joiners of a ${where}`, async () => {
    const [queue, other] = [new Queue<number>(), new Queue<number>()]
    const [ready, shut] = [new Queue<string>(), new Event()]
    for (let n = 0; n < 5; n++) queue.putNowait(n)
    const nameOf = (fn: () => number): string => {
      try {
        return `got ${fn()}`
      } catch (error) {
        return (error as Error).name
      }
    }
    const taker = start(where, () => {
      const first = queue.getSync()
      ready.putSync('took')
      const waited = nameOf(() => other.getSync())
      shut.waitSync()
      const second = nameOf(() => queue.getSync())
      queue.taskDone() // the first one: it alone is not done
      return [first, waited, second]
    }, [])
    await ready.get()
    const joiner = start(where, async () => {
      ready.putSync('joins')
      await queue.join()
      return queue.qsize()
    }, [])
    await ready.get()
    other.shutdown({ immediate: true })
    queue.shutdown({ immediate: true })
    shut.set()
    assert.deepEqual(await resultOf(taker), [0, 'ShutDown', 'ShutDown'])
    assert.equal(await resultOf(joiner), 0)
  })

  test(`no wait of a ${where} gives up before its time, and each does after it`, async () => {
    const took = start(where, async () => {
      const timeout = 60
      const [lock, never, event, changed] = [new Lock(), new Semaphore(0), new Event(), new Condition()]
      const [empty, full, [a, b]] = [new Queue(), new Queue({ maxsize: 1 }), Pipe()]
      lock.acquireSync()
      changed.acquireSync()
      full.putNowait(1)
      const waits: [string, () => unknown][] = [
        ['lock', () => lock.acquire({ timeout })],
        ['lock sync', () => lock.acquireSync({ timeout })],
        ['semaphore', () => never.acquire({ timeout })],
        ['semaphore sync', () => never.acquireSync({ timeout })],
        ['event', () => event.wait({ timeout })],
        ['event sync', () => event.waitSync({ timeout })],
        ['condition', () => changed.wait({ timeout })],
        ['condition sync', () => changed.waitSync({ timeout })],
        ['barrier', () => new Barrier(2).wait({ timeout })],
        ['barrier sync', () => new Barrier(2).waitSync({ timeout })],
        ['get', () => empty.get({ timeout })],
        ['get sync', () => empty.getSync({ timeout })],
        ['put', () => full.put(2, { timeout })],
        ['put sync', () => full.putSync(2, { timeout })],
        ['recv', () => a.recv({ timeout })],
        ['recv sync', () => b.recvSync({ timeout })],
        ['poll', () => a.poll({ timeout })],
        ['wait', () => wait([a, b], { timeout })],
        ['join', () => full.join({ timeout })],
      ]
      const took: [string, number, string][] = []
      for (const [name, wait] of waits) {
        const began = performance.now()
        let outcome: unknown
        try {
          outcome = await wait()
        } catch (error) {
          outcome = (error as Error).name
        }
        took.push([name, performance.now() - began, JSON.stringify(outcome)])
      }
      return took
    }, [])
    const outcomes: Record<string, string> = {}
    for (const [name, ms, outcome] of await resultOf(took)) {
      outcomes[name] = outcome
      assert.ok(ms >= 59 && ms < 5000, `${name}: ${ms} ms`)
    }
    const both = (name: string, outcome: string) => ({ [name]: outcome, [`${name} sync`]: outcome })
    assert.deepEqual(outcomes, {
      ...both('lock', 'null'),
      ...both('semaphore', 'null'),
      ...both('event', 'false'),
      ...both('condition', 'false'),
      ...both('barrier', '"BrokenBarrierError"'),
      ...both('get', '"Empty"'),
      ...both('put', '"Full"'),
      ...both('recv', '"TimeoutError"'),
      poll: 'false',
      wait: '[]',
      join: '"TimeoutError"',
    })
  })

  test(`wait: four writers, each in a ${where}, and one who reads what is ready`, async () => {
    const writers: unknown[] = []
    let readers: Connection<never, [number, number]>[] = []
    for (let who = 0; who < 4; who++) {
      const [reader, writer] = Pipe<never, [number, number]>({ duplex: false })
      const write = (end: typeof writer): void => {
        for (let n = 0; n < 25; n++) end.sendSync([who, n])
        end.close()
      }
      writers.push(start(where, write, [writer]))
      writer.close()
      readers.push(reader)
    }
    const units = writers as (Process<any, void> | Thread<any, void>)[]
    const got = [0, 0, 0, 0]
    while (readers.length > 0)
      for (const ready of await wait(readers)) {
        try {
          const [who, n] = await ready.recv()
          assert.equal(n, got[who]++)
        } catch (error) {
          assert.equal((error as Error).name, 'EOFError')
          readers = readers.filter((one) => one !== ready)
          ready.close()
        }
      }
    assert.deepEqual(got, [25, 25, 25, 25])
    let left = units
    while (left.length > 0) {
      const ended = await wait(left)
      assert.ok(ended.length > 0 && ended.every((unit) => !unit.isAlive()))
      left = left.filter((unit) => !ended.includes(unit))
    }
    await Promise.all(units.map((unit) => resultOf(unit)))
  })

  for (const how of ['ends', 'closes it and lives on'])
    test(`a pipe to a ${where} that ${how} ends for one who stands still`, async () => {
      const [mine, theirs] = Pipe<never, string>()
      const go = new Event()
      const other = start(
        where,
        async (end: typeof theirs) => {
          end.sendSync('last')
          if (how === 'ends') return
          end.close()
          await go.wait()
        },
        [theirs],
      )
      theirs.close()
      // From the start on: this thread's event loop hears nothing of the other.
      assert.equal(mine.recvSync(soon), 'last')
      assert.throws(() => mine.recvSync(soon), EOFError)
      go.set()
      await resultOf(other)
    })

  test(`a ${where} that ends within a message: it was sent whole, or not at all`, async () => {
    const roll = random(20_262)
    for (let round = 0; round < 4; round++) {
      const [mine, theirs] = Pipe<never, Float64Array>()
      const writer = start(
        where,
        (end: typeof theirs) => {
          for (let n = 0; ; n++) end.sendSync(new Float64Array(n % 3 === 0 ? 200_000 : 100).fill(n))
        },
        [theirs],
      )
      theirs.close()
      writer.result.catch(() => {})
      const most = Math.floor(10 * roll())
      let ended: Promise<void> | undefined
      let n = 0
      for await (const message of mine) {
        assert.ok(
          message.every((one) => one === n),
          `message ${n}`,
        )
        if (++n > most) ended ??= end(writer)
      }
      await ended
      assert.ok(n > most)
      mine.close()
    }
  })
}

test('what is empty is a message, and an item', async () => {
  const [a, b] = Pipe()
  const queue = new Queue()
  for (const nothing of ['', undefined, null, 0, false, new Uint8Array(0), [], {}]) {
    await a.send(nothing)
    assert.equal(await b.poll(), true)
    assert.equal(await b.poll({ timeout: 1 }), true, 'looking takes nothing')
    assert.deepEqual(await b.recv(), nothing)
    assert.equal(await b.poll(), false)
    queue.putNowait(nothing)
    assert.deepEqual([queue.qsize(), queue.empty()], [1, false])
    assert.deepEqual(queue.getNowait(), nothing)
    assert.throws(() => queue.getNowait(), Empty)
  }
  const one = new Queue({ maxsize: 1 })
  one.putNowait(undefined)
  assert.throws(() => one.putNowait(undefined), Full)
})
