/** Thread when all goes well: results, names, subclasses, who is alive, and what travels. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { threadId } from 'node:worker_threads'
import { currentProcess, InvalidStateError, parentProcess, Process, SerializationError } from 'plait'
import { activeCount, currentThread, enumerate, Local, mainThread, Thread } from 'plait/threading'
import { Gate, hold, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

const names = (): string[] => enumerate().map(({ name }) => name)

test('a closure runs in another thread of this process; its result comes back', async () => {
  const factor = 3
  const t = new Thread({ target: (n: number) => [process.pid, threadId, n * factor], args: [14] })
  assert.equal(t.ident, null)
  assert.equal(t.isAlive(), false)
  assert.equal(t.start(), t)
  assert.equal(t.isAlive(), true)
  const [pid, id, value] = await t.result
  assert.equal(pid, process.pid)
  assert.ok(id > 0)
  assert.equal(value, 42)
  assert.equal(await t.join(), true)
  assert.equal(await t.join(), true)
  assert.equal(t.isAlive(), false)
  assert.ok(t.ident! > 0, 'kept after the end')
})

test('a Thread without a target does nothing, well', async () => {
  const t = new Thread().start()
  assert.equal(await t.result, undefined)
  assert.equal(await t.join(), true)
})

test("names are Python's, and count up whoever starts them", async () => {
  function write(): string {
    return new Thread().name
  }
  const first = new Thread({ target: write })
  const number = Number(/^Thread-(\d+) \(write\)$/.exec(first.name)![1])
  assert.equal(new Thread({ target: () => 1 }).name, `Thread-${number + 1}`)
  assert.equal(new Thread({ name: 'errand' }).name, 'errand')
  assert.equal(await first.start().result, `Thread-${number + 2}`)
  await first.join()
  assert.equal(new Thread().name, `Thread-${number + 3}`)
  const last = new Thread({ target: () => new Process().name }).start()
  const next = await last.result
  await last.join()
  const [, process] = /^Process-(\d+)$/.exec(next)!
  assert.equal(new Process().name, `Process-${Number(process) + 1}`)
})

test('currentThread, mainThread, enumerate, activeCount: from everywhere', async () => {
  assert.deepEqual([currentThread().name, mainThread().name, activeCount()], ['MainThread', 'MainThread', 1])
  assert.equal(currentThread().ident, mainThread().ident)
  assert.ok(mainThread().ident > 0)
  const gate = new Gate()
  const { folder } = gate
  const outer = new Thread({
    name: 'outer',
    daemon: true,
    target: async () => {
      const inner = new Thread({
        name: 'inner',
        target: () => {
          reach(folder, 'inner')
          hold(folder, 'go')
          return [enumerate().map(({ name }) => name), currentThread().daemon, mainThread().name] as const
        },
      }).start()
      return { inner: await inner.result, joined: await inner.join(), me: currentThread().name }
    },
  }).start()
  await gate.reached('inner')
  assert.deepEqual(names(), ['MainThread', 'outer', 'inner'])
  assert.deepEqual(
    enumerate().map(({ daemon }) => daemon),
    [false, true, true],
  )
  assert.equal(activeCount(), 3)
  assert.equal(new Set(enumerate().map(({ ident }) => ident)).size, 3)
  gate.open('go')
  const all = ['MainThread', 'outer', 'inner']
  assert.deepEqual(await outer.result, { inner: [all, true, 'MainThread'], joined: true, me: 'outer' })
  await outer.join()
  assert.deepEqual(names(), ['MainThread'])
})

test('a name that is changed is seen by all', async () => {
  const gate = new Gate()
  const { folder } = gate
  const t = new Thread({
    name: 'first',
    target: () => {
      reach(folder, 'up')
      hold(folder, 'go')
      return currentThread().name
    },
  }).start()
  await gate.reached('up')
  t.name = 'second'
  assert.deepEqual(names(), ['MainThread', 'second'])
  gate.open('go')
  assert.equal(await t.result, 'second')
  assert.equal(t.name, 'second')
  await t.join()
})

class Sum extends Thread<[], unknown[]> {
  readonly numbers: number[]
  #offset = 100
  constructor(numbers: number[]) {
    super({ name: 'sum' })
    this.numbers = numbers
  }
  override async run(): Promise<unknown[]> {
    const joined = await this.join().catch((error: Error) => error.name)
    const sum = this.numbers.reduce((a, b) => a + b, this.#offset)
    return [sum, this.name, this.ident === currentThread().ident, this.isAlive(), this.daemon, joined]
  }
}

test('a subclass: run() is overridden, fields travel, and it is itself inside', async () => {
  const sum = new Sum([1, 2, 3]).start()
  assert.deepEqual(await sum.result, [106, 'sum', true, true, false, 'InvalidStateError'])
  await sum.join()
})

test('states: misuse is an InvalidStateError, and changes nothing', async () => {
  const t = new Thread({ target: () => 1 })
  await assert.rejects(t.join(), InvalidStateError)
  assert.throws(() => t.terminate(), InvalidStateError)
  assert.throws(() => t.stop(), InvalidStateError)
  t.daemon = true
  t.start()
  assert.throws(() => t.start(), InvalidStateError)
  assert.throws(() => (t.daemon = false), InvalidStateError)
  assert.equal(await t.result, 1)
  await t.join()
  assert.throws(() => t.start(), InvalidStateError)
  t.terminate()
  t.stop()
  assert.throws(() => new Thread({ target: 5 as never }), TypeError)
  assert.throws(() => new Thread({ name: 5 as never }), TypeError)
  await assert.rejects(t.join({ timeout: -1 }), RangeError)
})

test('what cannot travel is an error of start(), and nothing was started', async () => {
  const socket = new WeakMap()
  const t = new Thread({ target: () => socket })
  assert.throws(() => t.start(), SerializationError)
  await assert.rejects(t.result, SerializationError)
  assert.equal(activeCount(), 1)
})

test('join with a timeout', async () => {
  const gate = new Gate()
  const { folder } = gate
  const t = new Thread({ target: () => hold(folder, 'go') }).start()
  assert.equal(await t.join({ timeout: 0 }), false)
  assert.equal(await t.join({ timeout: 10 }), false)
  gate.open('go')
  assert.equal(await t.join(), true)
})

test('threads in processes, processes in threads', async () => {
  const inProcess = new Process({
    name: 'far',
    target: async () => {
      const t = new Thread({
        target: () => [currentProcess().name, parentProcess()!.name, currentThread().name],
      })
      return [await t.start().result, mainThread().name]
    },
  }).start()
  assert.deepEqual(await inProcess.result, [['far', 'MainProcess', 'Thread-1'], 'MainThread'])
  const inThread = new Thread({
    target: async () => {
      const p = new Process({ target: (n: number) => [n + 1, parentProcess()!.pid], args: [41] }).start()
      return [await p.result, await p.join()]
    },
  }).start()
  assert.deepEqual(await inThread.result, [[42, process.pid], 0])
  await Promise.all([inProcess.join(), inThread.join()])
})

test('a Local has one value for each thread, and init travels with it', async () => {
  const start = 7
  const local = new Local(() => ({ n: start }))
  local.value.n = 1
  const look = async (local: Local<{ n: number }>): Promise<number[]> => {
    const before = local.value.n++
    const nested = new Thread({ target: () => local.value.n, args: [] }).start()
    return [before, local.value.n, await nested.result]
  }
  assert.deepEqual(await new Thread({ target: look, args: [local] }).start().result, [7, 8, 7])
  assert.deepEqual(await new Process({ target: () => local.value.n++ }).start().result, 7)
  assert.equal(local.value.n, 1)
  assert.throws(() => new Local(5 as never), TypeError)
})

test('neither the flags of this program nor its command line confuse a thread', async () => {
  const { argv, execArgv } = await new Thread({
    target: () => ({ argv: process.argv, execArgv: process.execArgv }),
  }).start().result
  assert.equal(argv.length, 2)
  assert.match(argv[1], /entry\.js$/)
  assert.ok(!execArgv.some((option) => option.startsWith('--test')), execArgv.join())
})

test('await using: a daemon is ended, any other is waited for', async () => {
  let plain: Thread<[], Promise<string>>, daemon: Thread
  {
    await using a = new Thread({ target: () => new Promise<string>((done) => setTimeout(done, 50, 'done')) })
    await using b = new Thread({ daemon: true, target: () => void setInterval(() => {}, 1000) })
    plain = a.start()
    daemon = b.start()
    await using _never = new Thread()
  }
  assert.equal(await plain.result, 'done')
  assert.deepEqual([plain.isAlive(), daemon.isAlive()], [false, false])
})
