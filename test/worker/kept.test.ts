/** What a program no longer refers to is not kept: those who waited for an end, values of Locals. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Local, Thread as PublicThread } from 'plait/threading'
import { waitable } from '#plait/core/waitable.js'
import { Thread } from '#plait/worker/thread.js'
import { Gate, hold } from '../gate.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Collects until it is gone, a few times at most. */
async function isGone(ref: WeakRef<object>): Promise<boolean> {
  for (let looks = 0; looks < 50; looks++) {
    await new Promise(setImmediate)
    gc()
    if (ref.deref() === undefined) return true
  }
  return false
}

for (const daemon of [false, true])
  test(`a wait for a ${daemon ? 'daemon' : 'thread'}: told once, or taken back and forgotten`, async () => {
    const gate = new Gate()
    const { folder } = gate
    const thread = new Thread({ daemon, target: () => hold(folder, 'go') }).start()
    let told = 0
    const wait = (): WeakRef<object> => {
      const ready = (): void => void (told += 100)
      thread[waitable](ready)!()
      return new WeakRef(ready)
    }
    assert.ok(await isGone(wait()))
    const same = (): void => void told++
    thread[waitable](same)
    thread[waitable](same)!()
    gate.open('go')
    await thread.join()
    assert.equal(told, 1)
    assert.equal(thread[waitable](same), undefined)
  })

test('the value of a Local goes with it in the thread that made it, and stays in any other', async () => {
  const make = (): WeakRef<object> => {
    const local = new Local(() => ({ self: {} }))
    local.value.self = local
    return new WeakRef(local.value)
  }
  assert.ok(await isGone(make()))
  const kept = new Local(() => ({ n: 0 }))
  const ref = new WeakRef(kept.value)
  assert.ok(!(await isGone(ref)))
  const back = await new PublicThread({ target: () => (kept.value.n++, kept) }).start().result
  assert.equal(back.value, ref.deref(), 'what comes home finds it, whatever object stands for it')
})
