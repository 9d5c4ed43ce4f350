/** Process when all goes well: results, names, subclasses, stdio, and its end. */
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { Process, currentProcess, parentProcess } from 'plait'

test('a closure runs in another process; result and exit code come back', async () => {
  const factor = 3
  const p = new Process({ target: (n: number) => ({ pid: process.pid, value: n * factor }), args: [14] })
  assert.equal(p.pid, null)
  assert.equal(p.exitcode, null)
  assert.equal(p.isAlive(), false)
  assert.equal(p.start(), p)
  assert.equal(p.isAlive(), true)
  const { pid, value } = await p.result
  assert.equal(value, 42)
  assert.equal(pid, p.pid)
  assert.notEqual(pid, process.pid)
  assert.equal(await p.join(), 0)
  assert.equal(p.exitcode, 0)
  assert.equal(p.isAlive(), false)
})

test('a Process without a target does nothing, well', async () => {
  const p = new Process().start()
  assert.equal(await p.result, undefined)
  assert.equal(await p.join(), 0)
})

test("names count up, and a grandchild's says whose it is", async () => {
  const first = new Process({
    target: async () => {
      const child = new Process({
        target: () => [currentProcess().name, parentProcess()!.name, parentProcess()!.pid],
      })
      const named = new Process({ name: 'errand' })
      const names = await child.start().result
      return {
        me: currentProcess().name,
        mine: child.name,
        names,
        next: new Process().name,
        named: named.name,
      }
    },
  })
  const number = Number(/^Process-(\d+)$/.exec(first.name)![1])
  assert.equal(new Process().name, `Process-${number + 1}`)
  assert.deepEqual(await first.start().result, {
    me: `Process-${number}`,
    mine: `Process-${number}:1`,
    names: [`Process-${number}:1`, `Process-${number}`, first.pid],
    next: `Process-${number}:3`,
    named: 'errand',
  })
  await first.join()
})

test('currentProcess and parentProcess', async () => {
  assert.equal(currentProcess().name, 'MainProcess')
  assert.equal(currentProcess().pid, process.pid)
  assert.equal(currentProcess().daemon, false)
  assert.equal(currentProcess().isAlive(), true)
  assert.equal(parentProcess(), null)
  const p = new Process({
    name: 'inner',
    daemon: true,
    target: () => {
      const { name, pid, daemon } = parentProcess()!
      return {
        self: { ...currentProcess(), isAlive: 0 },
        name,
        pid,
        daemon,
        alive: parentProcess()!.isAlive(),
      }
    },
  }).start()
  assert.deepEqual(await p.result, {
    self: { name: 'inner', pid: p.pid, daemon: true, isAlive: 0 },
    name: 'MainProcess',
    pid: process.pid,
    daemon: false,
    alive: true,
  })
})

test("a daemon's children are daemons, if nobody says otherwise", async () => {
  const target = (): boolean[] => [new Process().daemon, new Process({ daemon: false }).daemon]
  assert.deepEqual(await new Process({ target, daemon: true }).start().result, [true, false])
  assert.deepEqual(await new Process({ target }).start().result, [false, false])
})

test('after its target a child ends as a Node program ends', async () => {
  const p = new Process({
    stdio: 'pipe',
    target: () => {
      setTimeout(() => process.stdout.write('later'), 100)
      return 'now'
    },
  }).start()
  const output = text(p.stdout!)
  assert.equal(await p.result, 'now')
  assert.equal(await output, 'later')
  assert.equal(await p.join(), 0)
})

class Sum extends Process<[], number> {
  readonly numbers: number[]
  #offset = 100
  constructor(numbers: number[]) {
    super({ name: 'sum' })
    this.numbers = numbers
  }
  override run(): number {
    const { name, pid, daemon } = this
    if (
      name !== 'sum' ||
      pid !== process.pid ||
      daemon ||
      !(this instanceof Sum) ||
      !(this instanceof Process)
    )
      return NaN
    return this.add()
  }
  add(): number {
    return this.numbers.reduce((a, b) => a + b, this.#offset)
  }
}

test('a subclass with run(): its fields travel, `this` is one of it', async () => {
  const p = new Sum([1, 2, 3]).start()
  assert.equal(await p.result, 106)
  assert.equal(await p.join(), 0)
})

class Loud extends Process<[string], string> {
  override async run(): Promise<string> {
    return `${await super.run()}!`
  }
}

test('run() of a subclass can call the target through super', async () => {
  assert.equal(await new Loud({ target: (word) => word.toUpperCase(), args: ['hey'] }).start().result, 'HEY!')
  assert.equal(await new Loud({ target: (word) => word, args: ['here'] }).run(), 'here!')
  assert.match(new Loud().name, /^Loud-\d+$/)
})

test('a Process can be used by the one who made it only', async () => {
  const p = new Process()
  const used = new Process({ stdio: 'ignore', target: () => p.start() }).start()
  await assert.rejects(used.result, {
    name: 'InvalidStateError',
    message: /^this Process was not made by Process-\d+ \(pid \d+\): who made it/,
  })
})

test('stdio', async () => {
  const target = (): void => {
    console.log('to stdout')
    console.error('to stderr')
  }
  const piped = new Process({ target, stdio: 'pipe' }).start()
  assert.deepEqual(await Promise.all([text(piped.stdout!), text(piped.stderr!)]), [
    'to stdout\n',
    'to stderr\n',
  ])
  await piped.join()
  const ignored = new Process({ target, stdio: 'ignore' }).start()
  assert.equal(ignored.stdout, null)
  assert.equal(await ignored.join(), 0)
})

test('cwd, env, execArgv', async () => {
  const p = new Process({
    target: () => [process.cwd(), process.env.WHO, process.execArgv],
    cwd: tmpdir(),
    env: { WHO: 'me' },
    execArgv: ['--no-warnings'],
  }).start()
  assert.deepEqual(await p.result, [tmpdir(), 'me', ['--no-warnings']])
  const lost = new Process({ cwd: '/does/not/exist' })
  assert.throws(() => lost.start(), { code: 'ENOENT' })
  assert.equal(lost.pid, null)
})

test('50 MB there and back', async () => {
  const bytes = Buffer.alloc(50_000_000, 'plait')
  const p = new Process({ target: (given: Buffer) => given.subarray(1), args: [bytes] }).start()
  assert.ok((await p.result).equals(bytes.subarray(1)))
  assert.equal(await p.join(), 0)
})

test('await using joins, and terminates a daemon first', async () => {
  const forever = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60_000))
  let seen: Process[]
  {
    await using plain = new Process({ target: () => 1 }).start()
    await using daemon = new Process({ target: forever, daemon: true }).start()
    await using never = new Process()
    seen = [plain, daemon, never]
  }
  assert.deepEqual(
    seen.map((p) => p.exitcode),
    [0, -15, null],
  )
})
