/**
 * What cannot travel is an error at submit, which names the variable, who captured it and where, and what to
 * do.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import Module from 'node:module'
import net from 'node:net'
import { test } from 'node:test'
import { capture } from '#plait/closure/capture.js'
import { SerializationError } from '#plait/core/errors.js'
import { Pool } from 'plait'

const what = 'the function given to pool.map'

function refuse(value: unknown): SerializationError {
  try {
    capture(value, { what })
  } catch (error) {
    assert.ok(error instanceof SerializationError, String(error))
    assert.ok(error.stack?.includes(error.message), 'the stack tells the same')
    return error
  }
  throw new assert.AssertionError({ message: 'it was captured' })
}

const db = { pool: [new net.Socket()] }

test('the path within the variable, the function, and its place', () => {
  const error = refuse(function handler() {
    return db
  })
  assert.equal(error.path, 'db.pool[0]')
  assert.equal(error.hint, 'Open it inside the function, or send host and port')
  assert.match(
    error.message,
    /^cannot send `db\.pool\[0\]` \(captured by `handler` at capture-errors\.test\.js:\d+:\d+\): a Socket/,
  )
})

test('functions on the way are named, three at most', () => {
  const a = (): unknown => db
  const b = (): unknown => a()
  const c = (): unknown => b()
  const d = (): unknown => c()
  const { message, path } = refuse(d)
  assert.equal(path, 'db.pool[0]')
  assert.match(
    message,
    /\(captured by `a` at [^,]+, itself captured by `b` at [^,]+, itself captured by `c` at [^,)]+\): /,
  )
})

test('in the root itself the call is named', () => {
  assert.match(refuse(db).message, /^cannot send `pool\[0\]` of the function given to pool\.map: a Socket/)
  assert.match(
    refuse(Promise.resolve()).message,
    /^cannot send the function given to pool\.map: it is a Promise\. Await it first/,
  )
})

test('what an arrow takes from the function around it', () => {
  class Outer extends Object {
    name = 'outer'
    useThis(): () => string {
      return () => this.name
    }
    useSuper(): () => boolean {
      return () => super.hasOwnProperty('name')
    }
  }
  function useArguments(..._: number[]): () => number {
    // oxlint-disable-next-line prefer-rest-params
    return () => arguments.length
  }
  function UseTarget(this: { fn: () => unknown }): void {
    this.fn = () => new.target
  }
  const target = new (UseTarget as never as new () => { fn: () => unknown })().fn
  assert.match(
    refuse(new Outer().useThis()).message,
    /uses `this` of the method around it\. Write `const self = this` first/,
  )
  assert.match(refuse(new Outer().useSuper()).message, /uses `super` of the method around it/)
  assert.match(refuse(useArguments(1)).message, /uses `arguments` of the function around it/)
  assert.match(refuse(target).message, /uses `new\.target` of the function around it/)
})

class Counter {
  value = 1
  read = (): number => this.value
  make(): () => number {
    return () => this.value
  }
}

test('a refused root is named with its place, and so is a refused function in a variable', () => {
  const anonymous = refuse(new Counter().make())
  assert.equal(anonymous.path, '(anonymous)')
  assert.match(
    anonymous.message,
    /^cannot send the function given to pool\.map \(`\(anonymous\)` at capture-errors\.\S+\): it uses `this`/,
  )
  const { read } = new Counter()
  assert.equal(refuse(read).path, 'read')
  assert.match(
    refuse(read).message,
    /\(`read` at capture-errors\.test\.js:\d+:\d+\): it uses `this`.*const self/,
  )
  const within = refuse(() => read())
  assert.equal(within.path, 'read')
  assert.match(
    within.message,
    /^cannot send `read` \(captured by `\(anonymous\)` at [^)]+\): `read` at capture-errors\.\S+ uses/,
  )
  const withData = Object.assign(() => 1, { db })
  const error = refuse(withData)
  assert.equal(error.path, '(anonymous).db.pool[0]')
  assert.match(
    error.message,
    /^cannot send `\(anonymous\)\.db\.pool\[0\]` of the function given to pool\.map at /,
  )
})

test('#private data that cannot travel is told by the variable that led there', () => {
  class Store {
    readonly #socket: unknown
    constructor(socket: unknown) {
      this.#socket = socket
    }
    get socket(): unknown {
      return this.#socket
    }
  }
  const store = new Store(new net.Socket())
  const error = refuse(() => store.socket)
  assert.equal(error.path, 'store.#socket')
  assert.match(error.message, /^cannot send `store\.#socket` \(captured by/)
})

test('eval, with, and private names of a class around', () => {
  const evil = (text: string): unknown => eval(text)
  assert.match(
    refuse(evil).message,
    /\(`evil` at [^)]+\): it calls eval directly, so its variables cannot be known/,
  )
  const within = (0, eval)('(function (o) { with (o) return x })') as unknown
  assert.match(refuse(within).message, /uses a with statement/)
  class Secret {
    #v = 1
    static check(): (x: object) => boolean {
      return (x) => #v in x
    }
    get v(): number {
      return this.#v
    }
  }
  assert.match(refuse(Secret.check()).message, /uses #v of the class that it was written in/)
})

test('a method with #private members that was taken off its class', () => {
  class User {
    #p = 4
    hi(): number {
      return this.#p
    }
  }
  const { hi } = User.prototype
  const { message } = refuse(() => hi)
  assert.match(message, /`hi` at capture-errors\S+ is a method that uses #p of its class.*\. Put it back/)
})

test('`module` of a CommonJS file, and a pool', () => {
  const some = new Module('some')
  assert.match(refuse(() => some).message, /`some` .*it is the `module` of a CommonJS file.*require\.main/)
  const pool = Object.create(Pool.prototype) as Pool
  assert.match(refuse(() => pool).message, /`pool` .*a Pool lives in this process\. Make one inside/)
})

test('a variable that is not initialised yet', () => {
  const { message, path } = refuse(() => later)
  assert.equal(path, 'later')
  assert.match(
    message,
    /`later` \(captured by .*\): it is not initialised yet\. Submit after the line that declares `later`/,
  )
  const later = { now: 1 }
  capture(() => later, { what })
})

test('native functions without a name, and functions inside Node', () => {
  let resolve: unknown
  void new Promise((settle) => {
    resolve = settle
  })
  const { message, path } = refuse(() => resolve)
  assert.equal(path, 'resolve')
  assert.match(message, /a native function not reachable by name/)
})

test('the same code twice with a variable that it assigns', () => {
  const counters = [1, 2].map(() => {
    let n = 0
    return () => ++n
  })
  const { message, path, hint } = refuse(counters)
  assert.equal(path, 'n')
  assert.equal(hint, 'Put `n` in an object or class')
  assert.match(message, /several copies of one function assign to it/)
})

test('copies of one function that only read are no matter', () => {
  const readers = [1, 1].map((n) => () => n)
  capture(readers, { what })
})

test('a global with a getter that the program added', () => {
  Object.defineProperty(globalThis, 'lazyConfig', {
    configurable: true,
    get: () => assert.fail('a getter was run'),
  })
  const { message } = refuse(() => lazyConfig)
  assert.match(message, /`lazyConfig` \(captured by .*\): it is a global with a getter/)
})
declare const lazyConfig: unknown

test('values of every kind that cannot travel, each with a hint', () => {
  const values: [unknown, RegExp][] = [
    [new Proxy({}, {}), /it is a Proxy\. Send the object behind it/],
    [new WeakMap(), /WeakMap.*Use a Map/],
    [new SharedArrayBuffer(8), /new Uint8Array\(shared\)\.slice\(\)/],
    [new Intl.NumberFormat('en'), /Intl\.NumberFormat/],
    [process.stdout, /node:/],
    [new AbortController().signal, /AbortSignal/],
    [(function* () {})(), /generator/i],
    [setTimeout(() => {}, 0).unref(), /Timeout|timer/],
  ]
  for (const [value, text] of values) {
    const error = refuse(() => value)
    assert.equal(error.path, 'value')
    assert.match(error.message, text)
    assert.notEqual(error.hint, '')
  }
})

test('getters are never run, nothing is assigned, and a failed capture leaves no trace', () => {
  const trap = {
    get boom(): never {
      return assert.fail('a getter was run')
    },
  }
  capture(() => trap, { what })
  const before = Reflect.ownKeys(globalThis).length
  refuse(db)
  assert.equal(Reflect.ownKeys(globalThis).length, before)
})

test('without an inspector the missing names are listed, and withDeps supplies them', () => {
  const program = `
    Object.defineProperty(process.versions, 'bun', { value: '1' })
    const { capture } = await import(${JSON.stringify(import.meta.resolve('#plait/closure/capture.js'))})
    const { withDeps } = await import(${JSON.stringify(import.meta.resolve('#plait/closure/with-deps.js'))})
    const { Reviver } = await import(${JSON.stringify(import.meta.resolve('#plait/closure/revive.js'))})
    const helper = (x) => x * 2, cfg = { k: 1 }
    const fn = (x) => helper(x) + cfg.k
    try { capture(fn, { what: 'the target' }) } catch (error) { console.log(error.message) }
    const { templates, bytes } = capture(withDeps(fn, { helper, cfg }), { what: 'the target' })
    const reviver = new Reviver()
    for (const template of templates) reviver.addTemplate(template.bytes)
    console.log(reviver.revive(bytes, 0, bytes.length)(20))`
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.deepEqual(out.trim().split('\n'), [
    'cannot send the target (`fn`): cannot read closures here (no inspector): it uses `helper`, `cfg`. ' +
      'Pass them with withDeps(fn, { helper, cfg })',
    '41',
  ])
})
