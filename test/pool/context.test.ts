/**
 * AsyncLocalStorage: what a caller gave (callbacks, inputs) runs in the caller's context, whoever else waits
 * for the same worker; and a pool keeps no context of anybody.
 */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Pool } from 'plait'
import { checkLeaks } from '../leaks.js'

checkLeaks()

const storage = new AsyncLocalStorage<string>()
const seen = (): string => storage.getStore() ?? 'none'

function half(x: number): number {
  if (x % 2 === 1) throw new RangeError('odd')
  return x / 2
}

/** One caller's use of everything that calls back, by its name; what each saw. */
async function useAll(pool: Pool): Promise<Record<string, string>> {
  const saw: Record<string, string> = {}
  const note = (what: string) => () => {
    saw[what] = seen()
  }
  const items = function* () {
    saw['input'] = seen()
    try {
      for (let i = 0; i < 8; i++) {
        yield i * 2
        if (seen() !== saw['input']) saw['input'] = `${saw['input']}, then ${seen()}`
      }
    } finally {
      saw["input's end"] = seen()
    }
  }
  await Promise.all([
    pool.applyAsync(half, [4], { callback: note('callback') }),
    pool.applyAsync(half, [3], { errorCallback: note('errorCallback') }).wait(),
    pool.mapAsync(half, [2, 4], { callback: note('callback of a map'), onProgress: note('onProgress') }),
    pool.apply(half, [2]).then(note('then')),
    pool.applyAsync(half, [2]).then(note('then of a result')),
    pool.applyAsync(half, [3]).get({ timeout: 60_000 }).catch(note('catch of get()')),
  ])
  saw['await'] = seen()
  for await (const each of pool.imap(half, items(), { onProgress: note('onProgress of an imap') }))
    if (each === 5) break
  saw['after the loop'] = seen()
  return saw
}

describe('the context of the caller', () => {
  it('is seen by all that it gave, and by what goes on', async () => {
    // Made inside of a context: it must not be the one that others see.
    const pool = storage.run('maker', () => new Pool(1))
    const names = ['a', 'b', 'c']
    const all = await Promise.all(names.map((name) => storage.run(name, () => useAll(pool))))
    for (const [index, saw] of all.entries()) {
      assert.equal(Object.keys(saw).length, 12, Object.keys(saw).join(', '))
      for (const [what, who] of Object.entries(saw)) assert.equal(who, names[index], what)
    }
    const outside = await useAll(pool)
    for (const [what, who] of Object.entries(outside)) assert.equal(who, 'none', what)
    pool.terminate()
    await pool.join()
  })

  it('is not kept by the pool', async () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const stores = new AsyncLocalStorage<object>()
    const refs: WeakRef<object>[] = []
    const within = <R>(fn: () => R): R => {
      const store = { big: new Array(1000).fill(0) }
      refs.push(new WeakRef(store))
      return stores.run(store, fn)
    }
    const pool = within(() => new Pool(1, { maxTasksPerChild: 2 }))
    // Each in a context of its own: the first that is sent, those that wait, those whose worker is replaced.
    const tasks = Array.from({ length: 10 }, (_, i) => within(() => pool.apply(half, [i * 2])))
    assert.deepEqual(await Promise.all(tasks), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    tasks.length = 0
    await within(() => pool.applyAsync(half, [3], { errorCallback: () => {} }).wait())
    // What a turn of the loop holds is free some turns later.
    let kept = refs.length
    for (let turn = 0; turn < 100 && kept > 0; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      gc()
      kept = refs.filter((ref) => ref.deref() !== undefined).length
    }
    assert.equal(kept, 0, `${kept} of ${refs.length} contexts are kept`)
    assert.equal(await pool.apply(half, [2]), 1)
    pool.terminate()
    await pool.join()
  })
})
