/** Timer: when it calls, when it does not, and that who cancels it disturbs nothing. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { Thread, Timer } from 'plait/threading'
import { threadStopRequested } from '#plait/core/context.js'
import { Queue } from '#plait/queue/queue.js'
import { Timer as OwnTimer } from '#plait/worker/timer.js'
import { Gate, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

test('it calls once its time has come, and not where it was cancelled', async () => {
  const gate = new Gate()
  const { folder } = gate
  const call = (name: string): void => reach(folder, name)
  const soon = new Timer(20, call, ['soon']).start()
  assert.match(soon.name, /^Thread-\d+$/)
  const late = new Timer(60_000, call, ['late']).start()
  const before = new Timer(0, call, ['before'])
  before.cancel()
  before.start()
  late.cancel()
  const elsewhere = new Timer(60_000, call, ['elsewhere']).start()
  await new Thread({ target: () => elsewhere.cancel() }).start().join()
  const stopped = new Timer(60_000, call, ['stopped']).start()
  stopped.stop()
  for (const timer of [soon, late, before, elsewhere, stopped]) assert.equal(await timer.join(), true)
  soon.cancel()
  assert.deepEqual(gate.names(), ['soon'])
  assert.throws(() => new Timer(-1, call, ['never']), RangeError)
})

test('cancel() does nothing to a function that is called already', async () => {
  const items = new Queue<string>()
  const heard = new Queue()
  const timer = new OwnTimer(0, async () => {
    await heard.put('called')
    const item = await items.get().catch((error: unknown) => error)
    await heard.put([item, threadStopRequested()])
  }).start()
  assert.equal(await heard.get(), 'called')
  timer.cancel()
  await items.put('an item')
  assert.deepEqual(await heard.get(), ['an item', false])
  await timer.join()
  for (const queue of [items, heard]) queue.close()
})

class Hesitant extends Timer<[string, string]> {
  override async run(): Promise<void> {
    setImmediate(() => this.cancel())
    await super.run()
  }
}

test('a subclass can cancel itself, while it waits too', async () => {
  const gate = new Gate()
  const timer = new Hesitant(60_000, reach, [gate.folder, 'called']).start()
  await timer.result
  await timer.join()
  assert.deepEqual(gate.names(), [])
})

test('a start that failed leaves no time behind', () => {
  const socket = new WeakMap()
  const timer = new Timer(5, () => socket)
  assert.throws(() => timer.start(), /WeakMap/)
  assert.equal(timer.due, 0)
})

test('a clock that is set back keeps no timer waiting', () => {
  const threads = 'process.getBuiltinModule("node:worker_threads").isMainThread'
  const { stdout, status } = spawnSync(
    process.execPath,
    [
      '--import',
      `data:text/javascript,if (!${threads}) Date.now = () => 0`,
      '--input-type=module',
      '--eval',
      `import { Timer } from 'plait/threading'
       new Timer(5, () => console.log('called', Date.now())).start()`,
    ],
    { encoding: 'utf8', timeout: 20_000 },
  )
  assert.deepEqual([status, stdout], [0, 'called 0\n'])
})
