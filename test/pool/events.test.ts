/**
 * What a pool publishes on node:diagnostics_channel: each event exactly once, the same numbers as in
 * statistics(), and nothing that disturbs the work.
 */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, it } from 'node:test'
import { Pool, WorkerLostError, type TaskEvent, type WorkerEvent } from 'plait'
import { checkLeaks } from '../leaks.js'

checkLeaks()

interface Heard {
  readonly on: string
  readonly message: TaskEvent & WorkerEvent
  /** As it was when it was published. */
  readonly copy: TaskEvent & WorkerEvent
}

const names = ['task:submit', 'task:end', 'task:error', 'worker:start', 'worker:ready', 'worker:exit']

/** Listens to the channels until it is disposed. */
function listen(...only: string[]): { heard: Heard[]; of(on: string): Heard[]; [Symbol.dispose](): void } {
  const heard: Heard[] = []
  const listener = (message: unknown, name: string | symbol): void => {
    const event = message as TaskEvent & WorkerEvent
    heard.push({ on: String(name).replace('plait:', ''), message: event, copy: { ...event } })
  }
  const channels = (only.length > 0 ? only : names).map((name) => `plait:${name}`)
  for (const name of channels) subscribe(name, listener)
  return {
    heard,
    of: (on) => heard.filter((each) => each.on === on),
    [Symbol.dispose]: () => channels.forEach((name) => unsubscribe(name, listener)),
  }
}

function half(x: number): number {
  if (x === 13) throw new RangeError('13')
  if (x === 9) process.kill(process.pid, 'SIGKILL')
  return x / 2
}

describe('tasks', () => {
  it('are one submit and one end or error each, as in statistics()', async () => {
    using events = listen()
    await using pool = new Pool(2, { name: 'halves' })
    await Promise.allSettled([
      ...[2, 13, 4, 9, 6].map((x) => pool.apply(half, [x])),
      pool.map(half, [2, 4, 6, 8], { chunksize: 2 }),
      pool.map(half, [13, 13, 13, 13], { chunksize: 1 }),
      pool.apply(half, [2], { signal: AbortSignal.abort() }),
      pool.apply(() => new Promise(() => {}), [], { timeout: 20, grace: 0 }),
      pool.apply(half, [() => process] as never),
    ])
    pool.close()
    await pool.join()
    const { completed, failed } = pool.statistics()
    const ids = (on: string): number[] => events.of(on).map(({ message }) => message.task)
    assert.equal(ids('task:end').length, completed)
    assert.equal(ids('task:error').length, failed)
    assert.deepEqual(new Set(ids('task:submit')), new Set([...ids('task:end'), ...ids('task:error')]))
    assert.equal(ids('task:submit').length, completed + failed)
    assert.equal(new Set(ids('task:submit')).size, completed + failed)
  })

  it('say what, where and how long', async () => {
    using events = listen()
    await using pool = new Pool(1, { name: 'halves', retries: 1 })
    await pool.apply(half, [2])
    const [submit, end] = [...events.of('task:submit'), ...events.of('task:end')]
    assert.equal(submit.message, end.message, 'the same object: a subscriber may keep something with it')
    const { pid, name } = pool.statistics().workers[0]
    const common = { pool: 'halves', task: end.copy.task, name: 'half', attempt: 1, error: undefined }
    assert.deepEqual(submit.copy, { ...common, worker: undefined, pid: undefined, duration: undefined })
    const { duration, ...rest } = end.copy
    assert.deepEqual(rest, { ...common, worker: name, pid })
    assert.ok(duration !== undefined && duration >= 0 && duration < 60_000)

    const error: unknown = await pool.apply(half, [9]).catch((reason: unknown) => reason)
    assert.ok(error instanceof WorkerLostError)
    const [lost] = events.of('task:error')
    assert.deepEqual(
      [lost.copy.attempt, lost.copy.pid, lost.copy.duration, lost.copy.error],
      [2, error.pid, undefined, error],
    )
  })

  it('are told before their caller is', async () => {
    const order: string[] = []
    using events = listen('task:end')
    await using pool = new Pool(1)
    await pool.applyAsync(half, [2], { callback: () => order.push(`callback after ${events.heard.length}`) })
    assert.deepEqual(order, ['callback after 1'])
  })

  it('are told to who subscribes in the middle', async () => {
    await using pool = new Pool(1)
    const pending = pool.apply(half, [2])
    using events = listen('task:end')
    await pending
    assert.equal(events.heard[0].copy.name, 'half')
  })

  it('whose subscriber throws are settled all the same', async () => {
    const thrown: unknown[] = []
    const listener = (): void => {
      throw new Error('not my day')
    }
    const catcher = (error: unknown): void => void thrown.push(error)
    const before = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException').on('uncaughtException', catcher)
    subscribe('plait:task:end', listener)
    try {
      await using pool = new Pool(1)
      assert.deepEqual(await pool.map(half, [2, 4]), [1, 2])
    } finally {
      unsubscribe('plait:task:end', listener)
      process.off('uncaughtException', catcher)
      for (const each of before) process.on('uncaughtException', each)
    }
    assert.match(String(thrown), /not my day/)
  })
})

describe('workers', () => {
  it('start, are ready and exit, once each', async () => {
    using events = listen('worker:start', 'worker:ready', 'worker:exit')
    const pool = new Pool(1, { name: 'halves' })
    await pool.apply(half, [9]).catch(() => {})
    await pool.apply(half, [2])
    pool.close()
    await pool.join()
    const order = events.heard.map(({ on }) => on)
    const life = ['worker:start', 'worker:ready', 'worker:exit']
    assert.deepEqual(order, [...life, ...life])
    assert.equal(events.of('worker:start').length, 1 + pool.statistics().restarts)
    const [first, second] = events.of('worker:exit').map(({ copy }) => copy)
    assert.equal(events.heard[0].message, events.heard[2].message)
    assert.ok(first.startup! > 0)
    const { pool: of, exitcode, signal, tasks, lost } = first
    assert.deepEqual(
      { of, exitcode, signal, tasks, lost },
      { of: 'halves', exitcode: -9, signal: 'SIGKILL', tasks: 0, lost: 1 },
    )
    assert.deepEqual([second.exitcode, second.signal, second.tasks, second.lost], [0, null, 1, 0])
    assert.notEqual(first.pid, second.pid)
  })

  it('that never start well exit too', async () => {
    using events = listen('worker:start', 'worker:ready', 'worker:exit')
    const pool = new Pool(2, {
      initializer: () => {
        throw new Error('no database')
      },
    })
    await pool.apply(half, [2]).catch(() => {})
    await pool.join()
    assert.equal(events.of('worker:start').length, 2)
    assert.equal(events.of('worker:ready').length, 0)
    assert.equal(events.of('worker:exit').length, 2)
  })
})
