/**
 * Where the system does not say which thread is which, on macOS and Windows, nobody sees a thread die: it is
 * ended with nothing half done, and buried by whoever started it. Programs that take this for such a system.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

const elsewhere = `Object.defineProperty(process, 'platform', { value: 'darwin' })`

/** What an ES module prints there. */
function run(program: string): string {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${elsewhere}`, '--input-type=module', '--eval', program],
    { encoding: 'utf8', timeout: 30_000 },
  )
  assert.equal(stderr, '')
  return stdout
}

test('a thread is not ended with a guard, which its main thread may need at once', () => {
  const stdout = run(`
    import { Thread } from '#plait/worker/thread.js'
    import { enter, leave } from '#plait/memory/guard.js'
    import { allocate, wordAt } from '#plait/memory/heap.js'
    import { kinds } from '#plait/memory/layout.js'
    import { region } from '#plait/memory/region.js'
    const guard = wordAt(allocate(64, kinds.payload))
    const said = new Int32Array(new SharedArrayBuffer(8))
    const target = () => {
      const { words } = region()
      enter(words, guard)
      allocate(64, kinds.payload) // one inside of the other
      Atomics.store(said, 0, 1)
      Atomics.wait(said, 1, 0)
      Atomics.wait(said, 1, 1, 150) // whoever ends it looks within a few milliseconds
      leave(words, guard)
      for (;;);
    }
    const thread = new Thread({ target, daemon: true }).start()
    while (Atomics.load(said, 0) === 0) await new Promise(setImmediate)
    Atomics.store(said, 1, 1)
    Atomics.notify(said, 1)
    thread.terminate()
    console.log(enter(region().words, guard) ? 'its holder died' : 'it was left')`)
  assert.equal(stdout, 'it was left\n')
})

test('what the threads of a thread held is handed on when it is ended', () => {
  const stdout = run(`
    import { Lock, Queue } from 'plait'
    import { Thread } from 'plait/threading'
    const lock = new Lock()
    const held = new Queue()
    const below = async () => {
      await lock.acquire()
      await held.put('held')
      await new Promise(() => setInterval(() => {}, 1000))
    }
    const target = () => new Thread({ target: below }).start().result
    const thread = new Thread({ target }).start()
    console.log(await held.get())
    thread.terminate()
    await thread.join()
    console.log((await lock.acquire({ timeout: 5000 }))?.ownerDied)
    process.exit()`)
  assert.equal(stdout, 'held\ntrue\n')
})
