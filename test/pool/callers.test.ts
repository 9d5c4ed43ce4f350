/**
 * The stack of an error that comes from a task: the worker's frames, then the async functions that wait for
 * it, whichever way they do; nothing of plait and Node in between.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Pool, TimeoutError } from 'plait'
import { checkLeaks } from '../leaks.js'

checkLeaks()

function parse(row: number): number {
  if (row > 0) throw new RangeError(`row ${row}`)
  return row
}

/** The functions of a stack down to `caught`, async ones marked. */
function frames(error: unknown): string[] {
  assert.ok(error instanceof Error)
  const lines = error.stack!.split('\n').slice(error.message.split('\n').length)
  const names = lines.map((line) => {
    const [, async = '', name = '(anonymous)'] = /^\s+at (async )?(?:(?:Function\.)?([^ ]+) \()?/.exec(line)!
    return async + name
  })
  return names.slice(0, names.indexOf('async caught') + 1)
}

/** Two callers between here and `work`; what it rejects with. */
async function caught(work: () => PromiseLike<unknown>): Promise<unknown> {
  async function inner(): Promise<void> {
    await work()
  }
  async function outer(): Promise<void> {
    await inner()
  }
  try {
    await outer()
  } catch (error) {
    return error
  }
  return assert.fail('nothing was thrown')
}

const ways: Record<string, (pool: Pool) => PromiseLike<unknown>> = {
  apply: (pool) => pool.apply(parse, [7]),
  'apply with a signal': (pool) => pool.apply(parse, [7], { signal: new AbortController().signal }),
  'apply of an async function': (pool) => pool.apply(async (row: number) => parse(row), [7]),
  map: (pool) => pool.map(parse, [0, 7]),
  'map with a signal': (pool) => pool.map(parse, [0, 7], { signal: new AbortController().signal }),
  'map of an async iterable': (pool) =>
    pool.map(
      parse,
      (async function* () {
        yield 7
      })(),
    ),
  starmap: (pool) => pool.starmap(parse, [[7]]),
  'an AsyncResult': (pool) => pool.applyAsync(parse, [7]),
  'get()': (pool) => pool.applyAsync(parse, [7]).get(),
  'get() with a timeout': (pool) => pool.mapAsync(parse, [7]).get({ timeout: 60_000 }),
  'next() of an imap': (pool) => pool.imap(parse, [7]).next(),
  'next() with a timeout': (pool) => pool.imapUnordered(parse, [7]).next({ timeout: 60_000 }),
  'a chain of promises': (pool) =>
    pool
      .apply(parse, [7])
      .then((value) => value)
      .finally(() => {}),
}

describe("the task's frames, then those who wait", () => {
  for (const [way, work] of Object.entries(ways))
    it(way, async () => {
      await using pool = new Pool(1)
      const found = frames(await caught(() => work(pool)))
      assert.equal(found[0], 'parse')
      assert.deepEqual(found.slice(found.indexOf('async inner')), [
        'async inner',
        'async outer',
        'async caught',
      ])
      const between = found.slice(1, found.indexOf('async inner'))
      assert.ok(
        between.every((name) => name === '(anonymous)'),
        found.join('\n'),
      )
    })

  it('Promise.all says which', async () => {
    await using pool = new Pool(1)
    const error = await caught(() => Promise.all([pool.apply(parse, [0]), pool.apply(parse, [7])]))
    assert.match(
      (error as Error).stack!,
      /at parse .*[^]*at async Promise\.all \(index 1\)\n +at async inner /,
    )
  })

  it('a for await', async () => {
    await using pool = new Pool(1)
    const error = await caught(async () => {
      for await (const row of pool.imap(parse, [7])) assert.fail(String(row))
    })
    assert.match((error as Error).stack!, /at parse .*\n +at async .*callers\.test[^]*at async inner /)
  })

  it('through a pool in a worker', async () => {
    await using pool = new Pool(1)
    const error = await caught(() =>
      pool.apply(async function nested() {
        await using inside = new Pool(1)
        return await inside.apply(parse, [7])
      }),
    )
    const found = frames(error)
    assert.deepEqual([found[0], ...found.slice(-3)], ['parse', 'async inner', 'async outer', 'async caught'])
    assert.ok(found.includes('async nested'), found.join('\n'))
  })
})

describe('errors that plait makes', () => {
  it('have the frames of those who wait, and no others', async () => {
    await using pool = new Pool(1)
    const lost = await caught(() => pool.apply(() => process.exit(3)))
    assert.deepEqual(frames(lost), ['async inner', 'async outer', 'async caught'])
    const late = await caught(() => pool.apply(() => new Promise(() => {}), [], { timeout: 20, grace: 0 }))
    assert.ok(late instanceof TimeoutError)
    assert.deepEqual(frames(late), ['async inner', 'async outer', 'async caught'])
    const waited = await caught(() => pool.applyAsync(() => new Promise(() => {})).get({ timeout: 20 }))
    assert.deepEqual(frames(waited), ['async inner', 'async outer', 'async caught'])
  })

  it('are one for each task where the pool cannot work', async () => {
    const pool = new Pool(1, {
      initializer: () => {
        throw new Error('no database')
      },
    })
    const [one, two] = [pool.apply(parse, [0]), pool.apply(parse, [0])]
    const errors = (await Promise.allSettled([one, two])).map(
      (each) => (each as PromiseRejectedResult).reason as Error,
    )
    assert.notEqual(errors[0], errors[1])
    assert.equal(errors[0].message, errors[1].message)
    assert.equal((errors[0].cause as Error).message, 'no database')
    await pool.join()
  })
})

describe('what is left as it is', () => {
  it("an abort's reason", async () => {
    await using pool = new Pool(1)
    const reason = new Error('enough')
    const stack = reason.stack
    const controller = new AbortController()
    const { signal } = controller
    const running = [
      pool.apply(() => new Promise(() => {}), [], { signal, grace: 0 }),
      pool.map(() => new Promise(() => {}), [1], { signal, grace: 0 }),
    ]
    setImmediate(() => controller.abort(reason))
    for (const one of running) assert.equal(await caught(() => one), reason)
    assert.equal(await caught(() => pool.apply(parse, [0], { signal })), reason)
    assert.equal(await caught(() => pool.imap(parse, [0], { signal }).next()), reason)
    assert.equal(await caught(() => pool.imap(() => new Promise(() => {}), [0]).next({ signal })), reason)
    assert.equal(reason.stack, stack)
  })

  it('an error that is frozen, one whose stack is no text, and what is none', async () => {
    await using pool = new Pool(1)
    const frozen = Object.freeze(new Error('no more rows'))
    const { stack } = frozen
    async function* rows(): AsyncGenerator<number> {
      yield 0
      throw frozen
    }
    assert.equal(await caught(() => pool.map(parse, rows())), frozen)
    // From Node 22 on a stack is set by a setter of V8's, which asks nobody whether the error is frozen.
    assert.ok(frozen.stack?.startsWith(stack!.slice(0, stack!.indexOf('\n', 30))))
    const thrown = await caught(() =>
      pool.apply(() => {
        throw 'text'
      }),
    ) // oxlint-disable-line no-throw-literal
    assert.equal(thrown, 'text')
    const before = Error.prepareStackTrace
    Error.prepareStackTrace = (_, sites) => sites
    try {
      assert.equal(((await caught(() => pool.apply(parse, [7]))) as Error).message, 'row 7')
    } finally {
      Error.prepareStackTrace = before
    }
  })

  it('an error that no one waits for: no unhandled rejection by itself', async () => {
    await using pool = new Pool(1)
    const result = pool.applyAsync(parse, [7])
    await result.wait()
    const forgotten = pool.applyAsync(parse, [7])
    await pool.apply(parse, [0])
    assert.ok(result.ready() && forgotten.ready())
    assert.equal(result.successful(), false)
  })
})

describe('source maps', () => {
  const program = fileURLToPath(new URL('late-error.js', import.meta.url))
  const stackOf = (...flags: string[]): string =>
    spawnSync(process.execPath, [...flags, program], { encoding: 'utf8' }).stdout

  it('map both halves', () => {
    const names = ['fail', 'async importRows', 'async importAll']
    const frames = (extension: string): RegExp =>
      new RegExp(`^RangeError: row 7\n${names.map((name) => ` +at ${name} .*\\.${extension}:.*\n`).join('')}`)
    assert.match(stackOf('--enable-source-maps'), frames('ts'))
    assert.match(stackOf(), frames('js'))
  })
})
