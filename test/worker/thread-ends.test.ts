/** How threads end: errors, exits, memory, stop() and terminate(); programs with threads; their console. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CancelledError, WorkerLostError } from 'plait'
import { activeCount, currentThread, Thread } from 'plait/threading'
import { currentThreadSignal, threadStopRequested } from '#plait/core/context.js'
import { Thread as OwnThread } from '#plait/worker/thread.js'
import { Gate, hold, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'
import { isDead, stand } from '../pool/failures-stage.js'

checkLeaks()

/** Runs an ES module to its end, with what it needs of plait imported. */
function run(program: string): { status: number | null; stdout: string; stderr: string } {
  const imports = `
    import { Process } from 'plait'
    import { Thread, currentThread } from 'plait/threading'`
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', `${imports}\n${program}`],
    { encoding: 'utf8', timeout: 30_000, maxBuffer: 2 ** 24 },
  )
  return { status, stdout, stderr }
}

test('an uncaught error is printed, ends the thread alone, and is its result', () => {
  const { status, stdout, stderr } = run(`
    const t = new Thread({ target: () => { throw new RangeError('oh') } }).start()
    const target = () => { setTimeout(() => { throw new TypeError('later') }) }
    new Thread({ name: 'unseen', target }).start()
    await t.result.catch((error) => console.log(error instanceof RangeError, error.message))
    console.log(await t.join())`)
  assert.equal(status, 0, stderr)
  assert.equal(stdout, 'true oh\ntrue\n')
  assert.match(stderr, /^Exception in thread Thread-1:\nRangeError: oh\n {4}at /m)
  assert.match(stderr, /^Exception in thread unseen:\nTypeError: later\n {4}at /m)
})

test('process.exit ends the thread; memory that is full ends the thread', async () => {
  const exits = new Thread({ name: 'leaver', target: () => process.exit(3) }).start()
  await assert.rejects(
    exits.result,
    (error) =>
      error instanceof WorkerLostError &&
      /^leaver \(thread \d+\) ended with exit code 3 before/.test(error.message) &&
      error.exitcode === 3 &&
      error.signal === null &&
      error.pid === process.pid,
  )
  const fills = new Thread({
    resourceLimits: { maxOldGenerationSizeMb: 16 },
    target: () => {
      for (const all: unknown[] = []; ;) all.push(Array.from({ length: 1000 }, (_, i) => ({ i })))
    },
  }).start()
  await assert.rejects(fills.result, /WorkerLostError.* ran out of memory .*resourceLimits/)
  await Promise.all([exits.join(), fills.join()])
})

test('terminate ends any loop, and the threads that the thread had started', async () => {
  const gate = new Gate()
  const { folder } = gate
  const t = new Thread({
    name: 'spinner',
    target: () => {
      new Thread({
        name: 'below',
        target: () => {
          reach(folder, 'below')
          for (;;);
        },
      }).start()
      hold(folder, 'below')
      reach(folder, 'spins')
      for (;;);
    },
  }).start()
  await gate.reached('spins')
  assert.equal(activeCount(), 3)
  t.terminate()
  await assert.rejects(t.result, /spinner \(thread \d+\) was terminated before its target returned/)
  assert.equal(await t.join(), true)
  assert.equal(activeCount(), 1)
})

test('stop: the signal aborts with the reason, as it was given', async () => {
  class Enough extends Error {
    level = 3
  }
  const target = async (): Promise<unknown> => {
    const { signal } = currentThread()
    await sleep(60_000, 0, { signal }).catch(() => {})
    return signal.reason
  }
  const withReason = new Thread({ target }).start()
  withReason.stop(new Enough('enough'))
  withReason.stop('twice is once')
  const reason = await withReason.result
  assert.ok(reason instanceof Enough && reason.message === 'enough' && reason.level === 3)
  const without = new Thread({ name: 'quiet', target }).start()
  without.stop()
  const plain = await without.result
  assert.ok(plain instanceof CancelledError)
  assert.match(plain.message, /quiet was asked to stop/)
  await Promise.all([withReason.join(), without.join()])
})

test('stop reaches a thread that blocks, where it looks', async () => {
  const gate = new Gate()
  const { folder } = gate
  const t = new OwnThread({
    target: () => {
      reach(folder, 'blocks')
      const signal = currentThreadSignal()!
      while (!threadStopRequested());
      return [signal.aborted, signal.reason as unknown]
    },
  }).start()
  await gate.reached('blocks')
  t.stop({ why: 'test' })
  assert.deepEqual(await t.result, [true, { why: 'test' }])
  await t.join()
})

test('a thread that stops because it was asked to says nothing', () => {
  const { stdout, stderr } = run(`
    import { setTimeout as sleep } from 'node:timers/promises'
    const target = async () => {
      const { signal } = currentThread()
      await sleep(60_000, 0, { signal }).catch(() => {})
      signal.throwIfAborted()
    }
    const t = new Thread({ target }).start()
    t.stop(new RangeError('enough'))
    await t.result.catch((error) => console.log(error.message))`)
  assert.equal(stdout, 'enough\n')
  assert.equal(stderr, '')
})

test('a program waits for its threads, but not for daemons', () => {
  const { status, stdout } = run(`
    process.on('exit', () => console.log('main ends'))
    new Thread({ target: () => { setTimeout(() => console.log('plain ends'), 200) } }).start()
    new Thread({ daemon: true, target: () => { setTimeout(() => console.log('never'), 20_000) } }).start()
    new Thread({ daemon: true, target: () => { for (;;); } }).start()`)
  assert.equal(status, 0)
  assert.equal(stdout, 'plain ends\nmain ends\n')
})

test('the console of a thread appears at once, while the main thread stands', () => {
  const { stdout, stderr } = run(`
    import { writeSync } from 'node:fs'
    const word = new Int32Array(new SharedArrayBuffer(4))
    const printed = () => {
      Atomics.store(word, 0, 1)
      Atomics.notify(word, 0)
    }
    new Thread({ target: () => {
      console.log('a line')
      console.error('an error')
      process.stdout.write(Buffer.from('bytes'), () => process.stdout.write(', called back\\n', printed))
    } }).start()
    Atomics.wait(word, 0, 0)
    writeSync(1, 'main goes on\\n')`)
  assert.equal(stdout, 'a line\nbytes, called back\nmain goes on\n')
  assert.equal(stderr, 'an error\n')
})

test('what a thread prints into a pipe that is full is all there', () => {
  const { stdout } = run(`
    new Thread({ target: () => { for (let i = 0; i < 2000; i++) console.log('x'.repeat(999)) } }).start()`)
  assert.equal(stdout.length, 2_000_000)
})

test('the processes of a thread end with it', () => {
  const { folder } = new Gate()
  const { stdout } = run(`
    import { readdirSync, writeFileSync } from 'node:fs'
    import { setTimeout as sleep } from 'node:timers/promises'
    const folder = ${JSON.stringify(folder)}
    const forever = () => new Promise(() => setInterval(() => {}, 1000))
    const inner = () => {
      writeFileSync(folder + '/' + process.pid, '')
      return forever()
    }
    const target = () => {
      new Process({ target: inner }).start()
      return forever()
    }
    const t = new Thread({ target }).start()
    while (readdirSync(folder).length === 0) await sleep(2)
    t.terminate()
    console.log(await t.join(), readdirSync(folder)[0])`)
  const [joined, pid] = stdout.split(' ')
  assert.equal(joined, 'true')
  // Or a zombie, until whoever adopts it looks.
  stand(() => isDead(Number(pid)), 'the end of the process')
})

const waysToWait: Record<string, (signal: AbortSignal, done: () => void) => void> = {
  listener: (signal, done) => signal.addEventListener('abort', done),
  derived: (signal, done) => AbortSignal.any([signal]).addEventListener('abort', done),
}

for (const [how, wait] of Object.entries(waysToWait))
  test(`a thread that waits for nothing but its stop stays until then: ${how}`, async () => {
    const gate = new Gate()
    const { folder } = gate
    const thread = new Thread({
      target: async () => {
        const stopped = new Promise<void>((done) => wait(currentThread().signal, done))
        // Here a thread that waits for what can never come is ended.
        process.once('beforeExit', () => reach(folder, 'idle'))
        await stopped
        return 'cleaned up'
      },
    }).start()
    await gate.reached('idle')
    thread.stop()
    assert.equal(await thread.result, 'cleaned up')
    await thread.join()
  })
