/** A subclass with a run() of its own: what it may ask of itself in the child, and what of it travels. */
import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { Process } from 'plait'

const fixture = pathToFileURL(join(resolve('test/fixtures/worker'), 'library.js')).href
const { Counted, Guarded, constructed } = (await import(fixture)) as {
  Counted: new (secret: number) => Process<[], [secret: number, constructed: number]>
  Guarded: new () => Process<[], number>
  constructed: () => number
}

test('inside run() it knows that it is this process, and that it lives', async () => {
  class Curious extends Process {
    override run(): unknown {
      const { pid, daemon, exitcode, stdout, stderr } = this
      const before = this.name
      this.name = 'renamed'
      const own = pid === process.pid
      return { own, before, after: this.name, daemon, exitcode, stdout, stderr, alive: this.isAlive() }
    }
  }
  const p = new Curious({ name: 'curious', daemon: true }).start()
  assert.deepEqual(await p.result, {
    own: true,
    before: 'curious',
    after: 'renamed',
    daemon: true,
    exitcode: null,
    stdout: null,
    stderr: null,
    alive: true,
  })
  assert.equal(p.name, 'curious')
  await p.join()
})

test('inside run() it shows itself as Python does', async () => {
  class Shown extends Process<[], string> {
    override run(): string {
      return inspect(this)
    }
  }
  const p = new Shown({ name: 'S', daemon: true }).start()
  assert.equal(await p.result, `<Shown name='S' pid=${p.pid} started daemon>`)
  await p.join()
})

test("inside run() what is the parent's alone is refused", async () => {
  class Meddler extends Process<[], string[]> {
    override async run(): Promise<string[]> {
      const uses: (() => unknown)[] = [
        () => this.join(),
        () => this.start(),
        () => this.result,
        () => this.terminate(),
        () => this.close(),
        () => (this.daemon = true),
      ]
      const outcomes: string[] = []
      for (const use of uses)
        try {
          await use()
          outcomes.push('allowed')
        } catch (error) {
          outcomes.push((error as Error).name)
        }
      return outcomes
    }
  }
  const p = new Meddler().start()
  assert.deepEqual(await p.result, Array(6).fill('InvalidStateError'))
  await p.join()
})

test('private fields and methods of a class that travels by value go with it', async () => {
  let made = 0
  class Base extends Process {
    #count = new Map([['a', 1]])
    constructor() {
      super()
      made++
    }
    #read(): number {
      return this.#count.get('a')!
    }
    override run(): unknown {
      return [this.#read(), #count in this, made]
    }
  }
  class Derived extends Base {
    #own = { deep: [2] }
    arrow = (): string => this.name
    override run(): unknown {
      return [super.run(), this.#own.deep, this.arrow()]
    }
  }
  const p = new Derived().start()
  assert.deepEqual(await p.result, [[1, true, 1], [2], p.name])
  assert.equal(await p.join(), 0)
})

test('a class that travels by reference is not constructed again', async () => {
  const p = new Counted(5).start()
  assert.equal(constructed(), 1)
  assert.deepEqual(await p.result, [5, 0])
  await p.join()
})

test('fields that cannot travel are named as the class names them', () => {
  class Open extends Process {
    socket = { pending: Promise.resolve(1) }
    override run(): void {}
  }
  class Closed extends Process {
    #socket = new WeakMap()
    override run(): void {
      void this.#socket
    }
  }
  assert.throws(() => new Open({ name: 'O' }).start(), {
    name: 'SerializationError',
    path: 'this.socket.pending',
    message: /^cannot send `this\.socket\.pending` of O: it is a Promise/,
  })
  assert.throws(() => new Closed({ name: 'C' }).start(), {
    name: 'SerializationError',
    message: /^cannot send `.*#socket` of C: it is a WeakMap/,
  })
})

test('private fields of a class by reference are refused, with what to do', () => {
  assert.throws(() => new Guarded().start(), {
    name: 'SerializationError',
    path: 'this',
    message: /#private fields of Guarded, a class that each process imports by itself/,
    hint: /registerReducer\(Guarded, …\)/,
  })
})
