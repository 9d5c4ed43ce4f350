/**
 * Pipe, Connection and wait: in one process and between processes. Also bound to memory that only threads
 * share, by shared.test.ts, as far as no process is needed.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  ClosedError,
  Connection,
  EOFError,
  InvalidStateError,
  Pipe,
  Pool,
  Process,
  Queue,
  SerializationError,
  TimeoutError,
  wait,
} from 'plait'
import { checkLeaks } from '../leaks.js'

checkLeaks()

const mapped = process.env['PLAIT_TRANSPORT'] === undefined

describe('two ends', () => {
  test('messages keep their bounds and order, both ways and in all forms', async () => {
    const [a, b] = Pipe()
    await a.send({ n: 1 })
    a.sendSync('two')
    await b.send([3])
    assert.deepEqual([await b.recv(), b.recvSync(), await a.recv()], [{ n: 1 }, 'two', [3]])
    assert.ok(a.readable && a.writable && !a.closed)
    for (const end of [a, b]) end.close()
    assert.ok(a.closed)
  })

  test('recv waits for send; an early deadline, a signal', async () => {
    const [a, b] = Pipe<number>()
    const got = [b.recv(), b.recv()]
    await a.send(1)
    await a.send(2)
    assert.deepEqual(await Promise.all(got), [1, 2])
    await assert.rejects(b.recv({ timeout: 0 }), TimeoutError)
    await assert.rejects(b.recv({ timeout: 3 }), TimeoutError)
    assert.throws(() => b.recvSync({ timeout: 3 }), TimeoutError)
    await assert.rejects(b.recv({ signal: AbortSignal.timeout(3) }), { name: 'TimeoutError' })
    await assert.rejects(b.recv({ timeout: -1 }), RangeError)
  })

  test('a megabyte may be on its way, and one message always fits', async () => {
    const [a, b] = Pipe<Buffer>()
    await a.send(Buffer.alloc(5_000_000, 5), { timeout: 0 })
    await assert.rejects(a.send(Buffer.alloc(10), { timeout: 3 }), TimeoutError)
    assert.throws(() => a.sendSync(Buffer.alloc(10), { timeout: 0 }), TimeoutError)
    const late = a.send(Buffer.alloc(10, 1))
    assert.equal((await b.recv()).length, 5_000_000)
    await late
    assert.equal((await b.recv()).length, 10)
    for (let i = 0; i < 100; i++) await a.send(Buffer.alloc(1000), { timeout: 0 })
    for (let i = 0; i < 100; i++) b.recvSync({ timeout: 0 })
  })

  test('what was sent can be received after the other end closed, then the stream ends', async () => {
    const [a, b] = Pipe<number>()
    await a.send(1)
    const pending = Promise.all([b.recv(), b.recv().catch((error: Error) => error.name)])
    a.close()
    assert.deepEqual(await pending, [1, 'EOFError'])
    assert.ok(await b.poll())
    await assert.rejects(b.recv(), EOFError)
    assert.throws(() => b.recvSync(), EOFError)
    await assert.rejects(b.send(1), EOFError)
    assert.throws(() => b.sendSync(1), EOFError)
    b.close()
  })

  test('a sender that waits is told when the reader goes', async () => {
    const [a, b] = Pipe<Buffer>()
    await a.send(Buffer.alloc(2_000_000))
    const late = a.send(Buffer.alloc(10))
    b.close()
    await assert.rejects(late, EOFError)
  })

  test('poll looks and takes nothing', async () => {
    const [a, b] = Pipe<number>()
    assert.equal(await b.poll(), false)
    assert.equal(await b.poll({ timeout: 0 }), false)
    assert.equal(await b.poll({ timeout: 3 }), false)
    const seen = b.poll({ timeout: 5000 })
    await a.send(1)
    assert.equal(await seen, true)
    assert.equal(await b.poll(), true)
    assert.equal(await b.recv(), 1)
  })

  test('duplex: false', async () => {
    const [reader, writer] = Pipe<never, number>({ duplex: false })
    assert.deepEqual([reader.readable, reader.writable], [true, false])
    assert.deepEqual([writer.readable, writer.writable], [false, true])
    await assert.rejects(reader.send(1 as never), InvalidStateError)
    await assert.rejects(writer.recv(), InvalidStateError)
    await assert.rejects(writer.poll(), InvalidStateError)
    for (const n of [1, 2, 3]) writer.sendSync(n)
    writer.close()
    const all: number[] = []
    for await (const n of reader) all.push(n)
    assert.deepEqual(all, [1, 2, 3])
  })

  test('misuse', async () => {
    const [a, b] = Pipe()
    await assert.rejects(a.send(Promise.resolve()), SerializationError)
    const pending = a.recv()
    a.close()
    a.close()
    await assert.rejects(pending, ClosedError)
    await assert.rejects(a.recv(), ClosedError)
    assert.throws(() => a.sendSync(1), ClosedError)
    assert.throws(() => a.readable, ClosedError)
    await assert.rejects(wait([a]), ClosedError)
    assert.throws(() => Reflect.construct(Connection, [3]), TypeError)
    assert.throws(() => Pipe({ duplex: 1 as never }), TypeError)
    b.close()
  })

  test('a connection goes through another, and each copy holds its end', async () => {
    const [a, b] = Pipe<Connection<string>>()
    const [c, d] = Pipe<string>()
    await a.send(d)
    d.close()
    await c.send('still open')
    const other = await b.recv()
    assert.notEqual(other, d)
    assert.equal(await other.recv(), 'still open')
    other.close()
    await assert.rejects(c.recv(), EOFError)
  })
})

describe('wait', () => {
  test('answers those that are ready, in their order', async () => {
    const [a, b] = Pipe<number>()
    const [c, d] = Pipe<number>()
    assert.deepEqual(await wait([], {}), [])
    assert.deepEqual(await wait([b, d], { timeout: 0 }), [])
    assert.deepEqual(await wait([b, d], { timeout: 3 }), [])
    const later = wait([b, d])
    await c.send(1)
    assert.deepEqual(
      (await later).map((one) => one === d),
      [true],
    )
    await a.send(1)
    assert.equal((await wait([d, b])).length, 2)
    assert.equal((await wait([d, b]))[0], d)
    assert.equal(await d.recv(), 1)
    c.close()
    assert.equal((await wait([d]))[0], d, 'the end of a stream is ready')
    await assert.rejects(wait([b, a], { signal: AbortSignal.abort(new Error('no')) }), /no/)
    await assert.rejects(wait([b, 3 as never]), { name: 'TypeError', message: /^objects\[1\] .*got 3$/ })
    await assert.rejects(wait(null as never), { name: 'TypeError', message: /^objects .*got null$/ })
  })

  test('what was ready is told, even where somebody has received it by then', async () => {
    const [a, b] = Pipe<number>()
    const [waiting, received] = [wait([b]), b.recv()]
    await a.send(1)
    assert.deepEqual(await waiting, [b])
    assert.equal(await received, 1)
  })

  test('a connection that is closed meanwhile ends it', async () => {
    const [[a, b], [c, d]] = [Pipe<number>(), Pipe<number>()]
    const waiting = wait([b, d])
    b.close()
    await assert.rejects(waiting, ClosedError)
    const others = wait([d])
    await c.send(1)
    assert.deepEqual(await others, [d])
    for (const end of [a, c, d]) end.close()
  })
})

describe('between processes', { skip: !mapped }, () => {
  test('echo, then the end of the stream, each way', async () => {
    const [here, there] = Pipe<number>()
    const worker = new Process({
      target: async (end: typeof there) => {
        let count = 0
        for await (const n of end) {
          count++
          await end.send(n + 1)
        }
        return count
      },
      args: [there],
    }).start()
    there.close()
    for (let n = 0; n < 200; n++) {
      await here.send(n)
      assert.equal(await here.recv(), n + 1)
    }
    here.close()
    assert.equal(await worker.result, 200)
    await worker.join()
  })

  test('the end of the stream comes with the death of its last holder', async () => {
    const [here, there] = Pipe<number>()
    const worker = new Process({
      target: (end: typeof there) => {
        end.sendSync(1)
        end.recvSync()
      },
      args: [there],
    }).start()
    there.close()
    assert.equal(await here.recv(), 1)
    const next = here.recv()
    worker.kill()
    await assert.rejects(next, EOFError)
    await assert.rejects(here.send(1), EOFError)
    await worker.join()
  })

  test('a child that closes its copy and lives on', async () => {
    const [here, there] = Pipe<string>()
    const [gate, hold] = Pipe<string>()
    const worker = new Process({
      target: async (end: typeof there, hold: typeof gate) => {
        end.close()
        await hold.recv()
      },
      args: [there, hold],
    }).start()
    there.close()
    await assert.rejects(here.recv(), EOFError)
    assert.ok(worker.isAlive())
    await gate.send('go')
    await worker.join()
  })

  test('a copy that came with a pool task closes with it, unless something there holds it', async () => {
    const pool = new Pool(1)
    const [reader, writer] = Pipe<never, string>({ duplex: false })
    await pool.apply((w) => w.sendSync('sent'), [writer])
    await pool.apply(() => writer.sendSync('captured'))
    const [kept, keeper] = Pipe<never, string>({ duplex: false })
    await pool.apply(
      (w) => {
        ;(globalThis as { kept?: unknown }).kept = w
      },
      [keeper],
    )
    writer.close()
    keeper.close()
    assert.deepEqual([await reader.recv(), await reader.recv()], ['sent', 'captured'])
    await assert.rejects(reader.recv({ timeout: 20_000 }), EOFError)
    await assert.rejects(kept.recv({ timeout: 50 }), TimeoutError)
    pool.terminate()
    await pool.join()
    await assert.rejects(kept.recv({ timeout: 20_000 }), EOFError)
  })

  test('wait: processes and connections together', async () => {
    const [here, there] = Pipe<number>()
    const worker = new Process({
      target: async (end: typeof there) => {
        await end.send(1)
        await end.recv()
      },
      args: [there],
    }).start()
    there.close()
    const objects = [worker, here]
    assert.deepEqual(await wait(objects), [here])
    await here.recv()
    await here.send(0)
    assert.deepEqual(await wait([worker]), [worker])
    assert.equal((await wait(objects)).length, 2)
    await worker.join()
  })

  test('large payloads go there and back, and their memory is used again', async () => {
    const [here, there] = Pipe<Float64Array>()
    const worker = new Process({
      target: async (end: typeof there) => {
        for await (const array of end) await end.send(array.map((x) => x + 1))
      },
      args: [there],
    }).start()
    there.close()
    for (let round = 0; round < 10; round++) {
      await here.send(new Float64Array(500_000).fill(round))
      const back = await here.recv()
      assert.equal(back.length, 500_000)
      assert.ok(back.every((x) => x === round + 1))
    }
    here.close()
    await worker.join()
  })

  test('a queue in a message', async () => {
    const [here, there] = Pipe<Queue<number>, never>()
    const queue = new Queue<number>()
    const worker = new Process({
      target: async (end: typeof there) => (await end.recv()).putSync(5),
      args: [there],
    }).start()
    await here.send(queue)
    assert.equal(await queue.get(), 5)
    await worker.join()
  })
})
