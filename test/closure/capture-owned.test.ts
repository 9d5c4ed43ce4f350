/** Variables that a pool's initializer assigns are the worker's own. */
import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { after, test } from 'node:test'
import { capture, ownedVariables } from '#plait/closure/capture.js'
import { withDeps } from '#plait/closure/with-deps.js'
import { Remote } from './remote.ts'

let db: { opened: number } | undefined
let count = 5
const untouched = 1

test('a module-level variable', async () => {
  const open = (n: number): void => {
    db = { opened: n + untouched }
    count++
  }
  const owned = ownedVariables(open)
  assert.ok(owned !== null)
  using remote = new Remote({ owned })
  await remote.call(open, 6)
  assert.equal(db, undefined)
  assert.equal(await remote.call(() => db?.opened), 7)
  count = 100
  assert.equal(await remote.call(() => count), 6)
  assert.equal(await remote.call(() => ++count), 7)
  const shorthand = (): unknown => ({ count, twice: [count, typeof db] })
  assert.deepEqual(await remote.call(shorthand), { count: 7, twice: [7, 'object'] })
})

test('a variable of the function around it, and one assigned by a helper', async () => {
  let cache: Map<string, number>
  let ready = false
  const fill = (): void => {
    cache = new Map([['a', 1]])
    ready = true
  }
  const start = (): void => fill()
  using remote = new Remote({ owned: ownedVariables(start) ?? undefined })
  await remote.call(start)
  assert.deepEqual(await remote.call(() => [ready, cache.get('a')]), [true, 1])
  assert.equal(await remote.call(() => cache.set('b', 2).size), 2)
  assert.equal(await remote.call(() => cache.size), 2)
})

test('a global', async () => {
  const start = (): void => {
    ;(globalThis as Record<string, unknown>)['connection'] = 'of the worker'
  }
  // As a program would write it; the cast above is TypeScript's wish.
  const plain = (0, eval)('() => { globalThis.connection = "of the worker" }') as () => void
  ;(globalThis as Record<string, unknown>)['connection'] = 'of the parent'
  using remote = new Remote({ owned: ownedVariables(plain) ?? undefined })
  await remote.call(plain)
  assert.equal(await remote.call(() => connection), 'of the worker')
  assert.equal(ownedVariables(start), null)
})
declare const connection: string

const state: { db: string | null; list: number[]; left?: number; n: number } = {
  db: null,
  list: [7, 8],
  left: 1,
  n: 0,
}
const cache = new Map([['old', 0]])
const defaults = { level: 1 }
const names = ['a', 'b']
class Client {
  open = false
  connect(): void {
    this.open = true
  }
}
const client = new Client()

test("objects that the initializer changes are the worker's own, and begin as in the parent", async () => {
  const start = (): void => {
    state.db = 'open'
    state.list[0] = 9
    state.n++
    delete state.left
    cache.set('k', 1)
    Object.assign(defaults, { level: 2 })
    client.connect()
    if (names.map((name) => name).length === 0) throw new Error('names are only read')
  }
  const owned = ownedVariables(start) ?? undefined
  using remote = new Remote({ owned })
  await remote.call(start)
  assert.deepEqual(await remote.call(() => state), { db: 'open', list: [9, 8], n: 1 })
  assert.deepEqual(await remote.call(() => [...cache]), [
    ['old', 0],
    ['k', 1],
  ])
  assert.deepEqual(await remote.call(() => [defaults.level, client.open, client instanceof Client]), [
    2,
    true,
    true,
  ])
  assert.deepEqual(await remote.call(() => ++state.n), 2)
  assert.deepEqual(await remote.call(() => state.n), 2)
  names.push('c')
  assert.deepEqual(await remote.call(() => names), ['a', 'b', 'c'])
  assert.deepEqual([state.db, client.open, defaults.level], [null, false, 1])
})

test('an object that the initializer changes and that cannot travel is refused with it', () => {
  const port = { socket: new Socket(), opened: false }
  const start = (): void => {
    port.opened = true
  }
  const owned = ownedVariables(start) ?? undefined
  assert.throws(() => capture(start, { what: 'the initializer', owned }), { path: 'port.socket' })
})

test('names of the text itself are no variables of its surroundings', () => {
  const own = (cache: Map<string, number>): void => {
    const state: Record<string, unknown> = {}
    state['db'] = 1
    cache.set('k', 1)
    for (const client of [{ connect() {} }]) client.connect()
  }
  assert.equal(ownedVariables(own), null)
})

test('an initializer that assigns nothing owns nothing', () => {
  assert.equal(
    ownedVariables(() => untouched),
    null,
  )
})

const remote = new Remote()
after(() => remote[Symbol.dispose]())

test('withDeps: names given by hand win over those that are found', async () => {
  const scale = 2
  const fn = withDeps((x: number) => x * scale, { scale: 3 })
  assert.equal(fn(2), 4)
  assert.equal(await remote.call(fn, 2), 6)
  assert.equal(fn.length, 1)
  assert.equal(await remote.call(withDeps(fn, { scale: 5 }), 2), 10)
  assert.throws(() => withDeps(1 as never, {}), TypeError)
})
