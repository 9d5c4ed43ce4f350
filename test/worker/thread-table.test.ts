/** The tables that threads are entered in: whatever ends a thread, and whenever, no place stays taken. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { activeCount, currentThread, enumerate, Thread as PublicThread } from 'plait/threading'
import { load } from '#plait/memory/atomics.js'
import * as at from '#plait/memory/layout.js'
import { me, slotAt } from '#plait/memory/participants.js'
import { region } from '#plait/memory/region.js'
import { Thread } from '#plait/worker/thread.js'
import { takeSlot } from '#plait/worker/threads.js'
import { checkLeaks } from '../leaks.js'
import { until } from '../tasks.js'

checkLeaks()

/** How many threads could still be started. */
function freePlaces(): number {
  const taken: { free(): unknown }[] = []
  try {
    for (;;) taken.push(takeSlot('probe', false))
  } catch {
    for (const slot of taken) slot.free()
  }
  return taken.length
}

/** Milliseconds that a thread stays where it is to be ended: who ends it looks within a few. */
const stay = 150

for (const how of ['exits', 'is ended'])
  test(`a thread that ${how} while it starts another leaves no place taken`, async () => {
    const before = freePlaces()
    const said = new Int32Array(new SharedArrayBuffer(8))
    const outer = new Thread({
      target: () => {
        const kit = process.getBuiltinModule('node:worker_threads')
        const { Worker } = kit
        Object.assign(kit, {
          Worker: class extends Worker {
            constructor(...args: ConstructorParameters<typeof Worker>) {
              super(...args)
              if (how === 'exits') process.exit(3)
              Atomics.store(said, 0, 1)
              Atomics.wait(said, 1, 0)
              Atomics.wait(said, 1, 1, stay)
            }
          },
        })
        new Thread({ target: () => {}, daemon: true }).start()
      },
    }).start()
    if (how === 'is ended') {
      await until('the start', () => Atomics.load(said, 0) === 1)
      Atomics.store(said, 1, 1)
      Atomics.notify(said, 1)
      outer.terminate()
    }
    await outer.join()
    assert.equal(freePlaces(), before)
    assert.equal(activeCount(), 1)
  })

test('a thread that is ended while it claims its slot of the memory leaves none claimed', async () => {
  const said = new Int32Array(new SharedArrayBuffer(8))
  const thread = new Thread({
    target: () => {
      const fs = process.getBuiltinModule('node:fs')
      const { readFileSync } = fs
      // What a claim reads once the slot is its own, and before it says so.
      const slowly = (...args: Parameters<typeof readFileSync>): unknown => {
        if (String(args[0]).includes('/task/')) {
          Atomics.store(said, 0, 1)
          Atomics.wait(said, 1, 0)
          Atomics.wait(said, 1, 1, stay)
        }
        return readFileSync(...args)
      }
      Object.assign(fs, { readFileSync: slowly })
      process.getBuiltinModule('node:module').syncBuiltinESMExports()
      return me()
    },
  }).start()
  await until('the claim', () => Atomics.load(said, 0) === 1)
  Atomics.store(said, 1, 1)
  Atomics.notify(said, 1)
  thread.terminate()
  await thread.join()
  const { words } = region()
  const claimed = Array.from({ length: at.slots }, (_, slot) => slotAt(slot)).filter(
    (first) =>
      load(words, first + at.S_PID) === process.pid && (load(words, first + at.S_STATE) & 3) === at.FREE_SLOT,
  )
  assert.deepEqual(claimed, [])
})

test('a long name is the same whoever asks', async () => {
  const given = '名'.repeat(40)
  const thread = new PublicThread({
    name: given,
    target: () => [currentThread().name, ...enumerate().map(({ name }) => name)],
  }).start()
  const [own, , others] = await thread.result
  assert.equal(own, given.slice(0, 37), '112 bytes, in whole characters')
  assert.deepEqual([thread.name, others], [own, own])
  await thread.join()
  thread.name = 'n'.repeat(150)
  assert.equal(thread.name.length, 112)
})
