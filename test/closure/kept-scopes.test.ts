/** What is remembered of a captured function keeps nothing alive of the scope in which it stood. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Pool } from 'plait'
import { checkLeaks } from '../leaks.js'

checkLeaks()

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

async function isCollected(ref: WeakRef<object>): Promise<boolean> {
  for (let turn = 0; turn < 20; turn++) {
    // A look keeps it until the turn ends: so none before the collection.
    await new Promise((resolve) => setImmediate(resolve))
    gc()
  }
  return ref.deref() === undefined
}

test('a function without free names, beside one that holds much', async () => {
  await using pool = new Pool(1)
  const call = async (): Promise<WeakRef<object>> => {
    const much = { bytes: new Uint8Array(1000) }
    const holds = (): object => much
    assert.equal(await pool.apply((n: number) => n + 1, [1]), 2)
    assert.equal(await pool.apply((n: number) => n + 1, [2]), 3)
    return new WeakRef(holds())
  }
  assert.ok(await isCollected(await call()))
})

test('the variables of an initializer, when their pool has ended', async () => {
  const call = async (): Promise<WeakRef<object>> => {
    const much = { bytes: new Uint8Array(1000) }
    let length = 0
    await using pool = new Pool(1, { initializer: () => void (length = much.bytes.length) })
    assert.equal(await pool.apply(() => length, []), 1000)
    assert.equal(await pool.apply((n: number) => n * 2, [2]), 4)
    return new WeakRef(much)
  }
  assert.ok(await isCollected(await call()))
})
