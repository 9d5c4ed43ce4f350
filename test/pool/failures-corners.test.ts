/**
 * What the table of failures found, where a cell of its own would say less: user code that ends the pool
 * while it submits, callbacks that throw the unspeakable, workers that do not end, listeners that stay.
 */
import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Pool, PoolClosedError, PoolTerminatedError, registerReducer, TimeoutError } from 'plait'
import { Gate, hold, reach } from '../gate.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

/** Keeps this thread busy until `done`, as a program may that computes. */
function stand(done: () => boolean): void {
  const deadline = performance.now() + 60_000
  while (!done()) assert.ok(performance.now() < deadline, 'what this thread waits for has come to pass')
}

describe('a callback', () => {
  it('that throws what cannot even be shown changes nothing', async () => {
    await using pool = new Pool(1)
    const warned = once(process, 'warning')
    const callback = (): void => {
      throw Object.create(null)
    }
    assert.equal(await pool.applyAsync(() => 1, [], { callback }), 1)
    assert.match(((await warned) as [Error])[0].message, /a callback threw \[Object: null prototype\]/)
  })

  it('that is an async function is no unhandled rejection', async () => {
    await using pool = new Pool(1)
    const warned = once(process, 'warning')
    const callback: () => unknown = () => Promise.reject(new RangeError('later'))
    assert.equal(await pool.applyAsync(() => 1, [], { callback }), 1)
    assert.equal(((await warned) as [Error])[0].message, 'later')
  })
})

describe('user code that runs while work is submitted', () => {
  it('may terminate the pool', async () => {
    const pool = new Pool(1)
    const input = function* () {
      yield 1
      pool.terminate()
      yield 2
    }
    await assert.rejects(
      pool.map((n: number) => n, input()),
      PoolTerminatedError,
    )
    assert.equal(await pool.join(), true)
  })

  it('may abort the very call', async () => {
    await using pool = new Pool(1)
    const controller = new AbortController()
    const input = function* () {
      yield 1
      controller.abort()
      yield 2
    }
    const { signal } = controller
    await assert.rejects(
      pool.map((n: number) => n, input(), { signal }),
      { name: 'AbortError' },
    )
    assert.equal(pool.statistics().queued, 0)
  })

  it('may abort it from an asynchronous input that always has more', async () => {
    await using pool = new Pool(1)
    const controller = new AbortController()
    const { signal } = controller
    let taken = 0
    let closed = 0
    const input: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          if (++taken === 5) controller.abort()
          return Promise.resolve({ done: taken > 100_000, value: taken })
        },
        return: () => {
          closed++
          return Promise.resolve({ done: true, value: undefined })
        },
      }),
    }
    await assert.rejects(
      pool.map((n: number) => n, input, { signal }),
      { name: 'AbortError' },
    )
    assert.deepEqual([taken < 10, closed], [true, 1])
  })

  it('may close it', async () => {
    class Closing {}
    const pool = new Pool(1)
    registerReducer(Closing, { reduce: () => pool.close(), revive: () => new Closing() })
    await assert.rejects(
      pool.apply((x: Closing) => x, [new Closing()]),
      PoolClosedError,
    )
    assert.equal(await pool.join(), true)
  })
})

describe('a worker', () => {
  it('at the end of its life that does not end is killed, and replaced', async () => {
    await using pool = new Pool(1, { maxTasksPerChild: 1 })
    await pool.apply(() => {
      process.exit = (() => {}) as never
      setInterval(() => {}, 1000)
    })
    assert.equal(await pool.apply(() => 'next'), 'next')
    assert.ok(pool.statistics().restarts >= 1)
  })

  it('whose task calls process.exit() has told what ended beside that', async () => {
    await using pool = new Pool(1, { concurrency: 2 })
    const { folder } = new Gate()
    /** Both wait for one moment; the second one lets the first end, and the loop has not turned since. */
    const task = async (dir: string, exits: boolean): Promise<string> => {
      const shared = globalThis as { moment?: Promise<void>; come?: () => void }
      shared.moment ??= new Promise((resolve) => (shared.come = resolve))
      if (exits) setImmediate(shared.come!)
      await shared.moment
      if (!exits) return 'ended'
      for (let turn = 0; turn < 20; turn++) await Promise.resolve()
      reach(dir, 'exits')
      process.exit(3)
    }
    const [ended, exited] = await Promise.allSettled([
      pool.apply(task, [folder, false]),
      pool.apply(task, [folder, true]),
    ])
    assert.deepEqual(ended, { status: 'fulfilled', value: 'ended' })
    assert.equal(exited.status, 'rejected')
  })

  it('that cannot be spawned beside others that were is an error, and the others end', async () => {
    const real = process.execPath
    let reads = 0
    Object.defineProperty(process, 'execPath', {
      get: () => (reads++ === 0 ? real : '/nonexistent'),
      configurable: true,
    })
    try {
      assert.throws(() => new Pool(2), { code: 'EAGAIN' })
    } finally {
      Object.defineProperty(process, 'execPath', { value: real, configurable: true, writable: true })
    }
  })

  it('that cannot be spawned for a moment is spawned a little later', async () => {
    await using pool = new Pool(1)
    const real = process.execPath
    let refused = 0
    Object.defineProperty(process, 'execPath', {
      get: () => (refused++ < 2 ? '/nonexistent' : real),
      configurable: true,
    })
    try {
      await assert.rejects(
        pool.apply(() => process.exit(1)),
        { name: 'WorkerLostError' },
      )
      assert.equal(await pool.apply(() => 1), 1)
      assert.equal(refused, 3)
    } finally {
      Object.defineProperty(process, 'execPath', { value: real, configurable: true, writable: true })
    }
  })
})

describe('time that passes while this process is busy', () => {
  it('makes no timeout of a task that ended in time', async () => {
    await using pool = new Pool(1)
    const gate = new Gate()
    const { folder } = gate
    const task = (dir: string): string => {
      reach(dir, 'begun')
      hold(dir, 'go')
      setImmediate(() => reach(dir, 'written'))
      return 'in time'
    }
    const work = pool.apply(task, [folder], { timeout: 2000, grace: 0 })
    await gate.reached('begun')
    // BEGUN is written before the call: one turn of the loop reads it, and the timer runs.
    await new Promise((resolve) => setImmediate(resolve))
    gate.open('go')
    stand(() => gate.count('written') === 1)
    const end = performance.now() + 2100
    stand(() => performance.now() > end)
    assert.equal(await work, 'in time')
    assert.equal(pool.statistics().restarts, 0)
  })

  it('makes no failed start of a worker that started in time', async () => {
    const gate = new Gate()
    const initializer = (dir: string): void => {
      reach(dir, 'begun')
      hold(dir, 'go')
      setImmediate(() => setImmediate(() => reach(dir, 'started')))
    }
    const end = performance.now() + 5100
    await using pool = new Pool(1, { startTimeout: 5000, initializer, initargs: [gate.folder] })
    await gate.reached('begun')
    gate.open('go')
    stand(() => gate.count('started') === 1 && performance.now() > end)
    assert.equal(await pool.apply(() => 1), 1)
  })
})

describe('a result that waits for a module here', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plait-failures-'))
  const path = join(folder, 'slow.mjs')
  // The parent imports it to know the class, and does not get far.
  writeFileSync(
    path,
    `if ('slowModule' in globalThis) {
       globalThis.slowModule()
       await new Promise(() => {})
     }
     export class Slow {}`,
  )

  it('is rejected by terminate, and counts as running until then', async () => {
    const importing = new Promise<void>((resolve) => Object.assign(globalThis, { slowModule: resolve }))
    const pool = new Pool(1)
    const work = pool.apply(
      async (url: string) => {
        const { Slow } = (await import(url)) as { Slow: new () => object }
        return new Slow()
      },
      [pathToFileURL(path).href],
    )
    const rejected = assert.rejects(work, PoolTerminatedError)
    await importing
    const { queued, running } = pool.statistics()
    assert.deepEqual([queued, running], [0, 1])
    pool.terminate()
    await rejected
    assert.equal(await pool.join(), true)
    rmSync(folder, { recursive: true })
  })
})

describe('listeners', () => {
  it('of a signal go with the last task that hangs on it', async () => {
    await using pool = new Pool(1)
    const { signal } = new AbortController()
    const derived = AbortSignal.any([signal])
    await Promise.all([1, 2, 3].map((n) => pool.apply((x: number) => x, [n], { signal: derived })))
    await pool.map((x: number) => x, [1, 2], { signal: derived })
    await assert.rejects(
      pool.apply((dir: string) => hold(dir, 'never'), ['/nonexistent'], { signal, timeout: 20, grace: 0 }),
      TimeoutError,
    )
    assert.deepEqual(
      [getEventListeners(derived, 'abort').length, getEventListeners(signal, 'abort').length],
      [0, 0],
    )
  })
})
