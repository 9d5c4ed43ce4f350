/**
 * Queue in one process: what each call does, waits for, and refuses. Also bound to memory that only threads
 * share, by shared.test.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import {
  ClosedError,
  Empty,
  Full,
  InvalidStateError,
  Queue,
  registerReducer,
  SerializationError,
  ShutDown,
  TimeoutError,
} from 'plait'
import { checkLeaks } from '../leaks.js'

checkLeaks()

const filled = <T>(...items: T[]): Queue<T> => {
  const queue = new Queue<T>()
  for (const item of items) queue.putNowait(item)
  return queue
}

describe('put and get', () => {
  test('first in, first out, in all forms', async () => {
    const queue = new Queue<number>()
    await queue.put(1)
    queue.putSync(2)
    queue.putNowait(3)
    assert.equal(queue.qsize(), 3)
    assert.deepEqual([await queue.get(), queue.getSync(), queue.getNowait()], [1, 2, 3])
    assert.ok(queue.empty())
  })

  test('an item is a copy, made by put', async () => {
    const item = { list: [1] }
    const queue = filled(item)
    item.list.push(2)
    const got = await queue.get()
    assert.deepEqual(got, { list: [1] })
    assert.notEqual(got, item)
  })

  test('items of every size, chunks and blocks included, come out as they went in', async () => {
    const queue = new Queue<Buffer>()
    const sizes = [0, 1, 95, 96, 97, 4000, 5000, 16_000, 17_000, 65_535, 65_536, 70_000, 300_000]
    for (let round = 0; round < 20; round++) {
      for (const size of sizes) queue.putNowait(Buffer.alloc(size, (size + round) & 255))
      for (const size of sizes)
        assert.ok(queue.getNowait().equals(Buffer.alloc(size, (size + round) & 255)), `${size} bytes`)
    }
    queue.close()
  })

  test('long texts, many small items, and undefined', () => {
    const queue = new Queue()
    const text = 'ab€'.repeat(20_000)
    queue.putNowait(text)
    queue.putNowait(undefined)
    for (let i = 0; i < 50_000; i++) queue.putNowait({ i, name: `item ${i}` })
    assert.equal(queue.getNowait(), text)
    assert.equal(queue.getNowait(), undefined)
    for (let i = 0; i < 50_000; i++) assert.deepEqual(queue.getNowait(), { i, name: `item ${i}` })
    assert.throws(() => queue.getNowait(), Empty)
  })

  test('large typed arrays keep their kind, and what they share', async () => {
    const queue = new Queue<[Float64Array, Uint8Array, Float64Array]>()
    const all = new Float64Array(100_000).map((_, i) => i)
    queue.putNowait([all, new Uint8Array(all.buffer, 8, 200_000), all.subarray(10, 20)])
    const [floats, bytes, part] = await queue.get()
    assert.deepEqual(floats, all)
    assert.equal(bytes.buffer, floats.buffer)
    assert.equal(part[0], 10)
    part[0] = -1
    assert.equal(floats[10], -1)
    assert.equal(all[10], 10)
  })

  test('functions, closures and classes are items', async () => {
    const factor = 7
    class Point {
      x: number
      constructor(x: number) {
        this.x = x
      }
      double(): number {
        return this.x * 2
      }
    }
    const queue = new Queue()
    await queue.put((n: number) => n * factor)
    await queue.put(new Point(21))
    const times = (await queue.get()) as (n: number) => number
    assert.equal(times(6), 42)
    assert.equal(((await queue.get()) as Point).double(), 42)
  })

  test('a queue is an item, and the same one', async () => {
    const inner = filled('deep')
    const outer = filled({ inner })
    const got = (await outer.get()).inner
    assert.equal(got, inner)
    assert.equal(await got.get(), 'deep')
  })

  test('what cannot travel is refused by put, and nothing is put', async () => {
    const queue = new Queue()
    const bad = { deep: [Promise.resolve()] }
    await assert.rejects(queue.put(bad), (error: SerializationError) => {
      assert.ok(error instanceof SerializationError)
      assert.match(error.message, /deep\[0\]/)
      return true
    })
    assert.throws(() => queue.putSync(bad), SerializationError)
    assert.throws(() => queue.putNowait(bad), SerializationError)
    assert.ok(queue.empty())
  })
})

describe('waiting', () => {
  test('get waits for put, and concurrent gets resolve in their order', async () => {
    const queue = new Queue<number>()
    const order: string[] = []
    const gets = ['a', 'b', 'c'].map(async (name) => order.push(name + (await queue.get())))
    await turn()
    for (const n of [1, 2]) queue.putNowait(n)
    const late = queue.get().then((n) => order.push(`d${n}`))
    for (const n of [3, 4]) queue.putNowait(n)
    await Promise.all([...gets, late])
    assert.deepEqual(order, ['a1', 'b2', 'c3', 'd4'])
  })

  test('put waits for room, in order', async () => {
    const queue = new Queue<number>({ maxsize: 2 })
    const puts = [1, 2, 3, 4].map((n) => queue.put(n))
    assert.ok(queue.full())
    assert.equal(queue.qsize(), 2)
    assert.throws(() => queue.putNowait(9), Full)
    const got: number[] = []
    for (let i = 0; i < 4; i++) got.push(await queue.get())
    await Promise.all(puts)
    assert.deepEqual(got, [1, 2, 3, 4])
  })

  test('a put that waits packs its item once', async () => {
    const queue = new Queue({ maxsize: 1 })
    await queue.put(0)
    let packed = 0
    class Counted {}
    registerReducer(Counted, { reduce: () => ++packed, revive: (n) => n })
    const put = queue.put(new Counted())
    await assert.rejects(queue.put(new Counted(), { timeout: 0 }), Full)
    assert.equal(packed, 2)
    await queue.get()
    await put
    assert.equal(await queue.get(), 1)
    assert.equal(packed, 2)
  })

  test('deadlines: Empty and Full, at once with 0', async () => {
    const queue = new Queue<number>({ maxsize: 1 })
    for (const timeout of [0, 5]) {
      await assert.rejects(queue.get({ timeout }), Empty)
      assert.throws(() => queue.getSync({ timeout }), Empty)
    }
    queue.putNowait(1)
    for (const timeout of [0, 5]) {
      await assert.rejects(queue.put(2, { timeout }), Full)
      assert.throws(() => queue.putSync(2, { timeout }), Full)
    }
    assert.equal(await queue.get({ timeout: 0 }), 1)
    assert.ok(queue.empty(), 'what was late was not put')
  })

  test('a signal ends a wait with its reason, and takes nothing', async () => {
    const queue = new Queue<number>({ maxsize: 1 })
    const controller = new AbortController()
    const get = queue.get({ signal: controller.signal })
    const next = queue.get()
    controller.abort(new RangeError('enough'))
    await assert.rejects(get, /enough/)
    queue.putNowait(1)
    assert.equal(await next, 1)
    queue.putNowait(2)
    await assert.rejects(queue.put(3, { signal: controller.signal }), /enough/)
    await assert.rejects(queue.get({ signal: controller.signal }), /enough/)
    assert.throws(() => queue.getSync({ signal: controller.signal }), /enough/)
    assert.equal(queue.qsize(), 1)
  })

  test('ten thousand pending gets', async () => {
    const queue = new Queue<number>()
    const gets = Array.from({ length: 10_000 }, () => queue.get())
    for (let i = 0; i < 10_000; i++) queue.putNowait(i)
    const got = await Promise.all(gets)
    assert.ok(got.every((n, i) => n === i))
  })

  test('bad arguments are refused at the door', async () => {
    const queue = new Queue()
    await assert.rejects(queue.get({ timeout: -1 }), RangeError)
    await assert.rejects(queue.put(1, { timeout: NaN }), RangeError)
    assert.throws(() => queue.getSync({ timeout: -1 }), RangeError)
    assert.throws(() => queue.putSync(1, { timeout: '1' as never }), TypeError)
    assert.throws(() => new Queue({ maxsize: 1.5 }), RangeError)
    assert.throws(() => new Queue({ maxsize: '1' as never }), TypeError)
    assert.throws(() => new Queue(3 as never), TypeError)
    assert.equal(new Queue({ maxsize: -1 }).full(), false)
  })
})

describe('join and taskDone', () => {
  test('join resolves when all is done', async () => {
    const queue = filled(1, 2)
    await new Queue().join()
    let joined = false
    const join = queue.join().then(() => (joined = true))
    await queue.get()
    queue.taskDone()
    await queue.get()
    await turn()
    assert.equal(joined, false)
    queue.taskDone()
    await join
    assert.throws(() => queue.taskDone(), RangeError)
  })

  test('join past its deadline, or aborted', async () => {
    const queue = filled(1)
    await assert.rejects(queue.join({ timeout: 5 }), TimeoutError)
    await assert.rejects(queue.join({ signal: AbortSignal.timeout(5) }), { name: 'TimeoutError' })
    queue.taskDone()
    await queue.join({ timeout: 0 })
  })
})

describe('shutdown and close', () => {
  test('after shutdown what is there can be taken, and nothing put', async () => {
    const queue = filled(1, 2)
    queue.shutdown()
    await assert.rejects(queue.put(3), ShutDown)
    assert.throws(() => queue.putNowait(3), ShutDown)
    assert.equal(await queue.get(), 1)
    assert.equal(queue.getSync(), 2)
    await assert.rejects(queue.get(), ShutDown)
    assert.throws(() => queue.getSync(), ShutDown)
    assert.throws(() => queue.getNowait(), ShutDown)
  })

  test('shutdown ends those who wait', async () => {
    const queue = new Queue<number>({ maxsize: 1 })
    const gets = [queue.get(), queue.get()]
    queue.shutdown()
    for (const get of gets) await assert.rejects(get, ShutDown)
    const full = new Queue<number>({ maxsize: 1 })
    full.putNowait(1)
    const put = full.put(2)
    full.shutdown()
    await assert.rejects(put, ShutDown)
    assert.equal(await full.get(), 1)
  })

  test('immediate drains, and ends join', async () => {
    const queue = filled<unknown>(1, Buffer.alloc(100_000), new Queue())
    const join = queue.join()
    queue.shutdown({ immediate: true })
    await join
    assert.equal(queue.qsize(), 0)
    await assert.rejects(queue.get(), ShutDown)
  })

  test('iteration ends with shutdown', async () => {
    const queue = filled(1, 2, 3)
    queue.shutdown()
    const items: number[] = []
    for await (const item of queue) items.push(item)
    assert.deepEqual(items, [1, 2, 3])
  })

  test('return() ends a pending next(), and takes nothing', async () => {
    const queue = new Queue<number>()
    const items = queue[Symbol.asyncIterator]()
    const next = items.next()
    assert.deepEqual(await items.return(), { done: true, value: undefined })
    assert.deepEqual(await next, { done: true, value: undefined })
    queue.putNowait(1)
    assert.equal(queue.qsize(), 1)
    assert.deepEqual(await items.next(), { done: true, value: undefined })
    const others = queue[Symbol.asyncIterator]()
    assert.equal((await others.next()).value, 1)
    const pending = others.next()
    await assert.rejects(others.throw(new Error('enough')), /enough/)
    assert.equal((await pending).done, true)
    queue.close()
  })

  test('close ends the use of this object alone', async () => {
    const queue = filled(1)
    const carrier = filled({ queue })
    const pending = new Queue<number>()
    const get = pending.get()
    pending.close()
    await assert.rejects(get, ClosedError)
    queue.close()
    queue.close()
    for (const use of [
      () => queue.getNowait(),
      () => queue.putNowait(1),
      () => queue.qsize(),
      () => queue.empty(),
      () => queue.full(),
      () => queue.taskDone(),
      () => queue.shutdown(),
    ])
      assert.throws(use, ClosedError)
    await assert.rejects(queue.get(), ClosedError)
    await assert.rejects(queue.join(), ClosedError)
    assert.throws(
      () => carrier.putNowait({ queue }),
      (error) =>
        error instanceof SerializationError && error.path === 'queue' && error.cause instanceof ClosedError,
    )
    const again = (await carrier.get()).queue
    assert.equal(again.getNowait(), 1)
  })

  test('a subclass of Queue cannot travel', () => {
    class Mine extends Queue {}
    assert.throws(() => filled<unknown>(new Mine()), /derives from Queue/)
  })
})

test('an item that needs a module: getSync leaves it, get imports it', async () => {
  const queue = new Queue<() => string>()
  const { basenameOf } = await import('./library.js')
  await queue.put(() => basenameOf('/a/b'))
  await queue.put(() => 'second')
  try {
    queue.getSync()
  } catch (error) {
    assert.ok(error instanceof InvalidStateError)
    assert.match(error.message, /await get\(\)/)
    assert.equal(queue.qsize(), 2)
  }
  const [one, two] = await Promise.all([queue.get(), queue.get()])
  assert.deepEqual([one(), two()], ['b', 'second'])
})
