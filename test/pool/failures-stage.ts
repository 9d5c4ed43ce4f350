/**
 * Brings a task into a state, for real: in the line, held by a worker that stands at another task, running,
 * or with its result written and not read. Used by the walk over the table of failures and by the program
 * that the walk kills. Strikes nothing, asserts nothing of outcomes.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Pool, PoolOptions, PoolStatistics, TaskOptions } from 'plait'
import { FaceExecutor } from '#plait/pool/executor.js'
import { processes as inProcesses, threads as inThreads } from '#plait/pool/bodies.js'
import { Face } from '#plait/pool/face.js'
import { checkPoolOptions } from '#plait/pool/options.js'
import { backend, TestPool } from '../backend.js'
import { Gate } from '../gate.js'
import { act, type Fault, type Orders } from './failures-worker.js'

export const states = ['queued', 'sent', 'running', 'on its way'] as const
export type State = (typeof states)[number]

/** One way to submit a call, and what else the walk needs of whoever takes it. */
export interface Method {
  readonly name: string
  open(processes: number, options: PoolOptions): Host
}

export interface Host {
  submit(fn: (item: Orders) => unknown, item: Orders, options: TaskOptions): Promise<unknown>
  /** As submit, with a callback that throws. */
  submitCalling(fn: (item: Orders) => unknown, item: Orders, callback: () => void): Promise<unknown>
  statistics(): PoolStatistics
  close(): void
  terminate(): void
  /** What `await using` does, where that is not to close. */
  dispose?(): Promise<void>
  /** The end of the last worker. */
  join(): Promise<unknown>
}

const onPool = (
  name: string,
  submit: (pool: Pool, ...rest: Parameters<Host['submit']>) => Promise<unknown>,
  submitCalling: (pool: Pool, ...rest: Parameters<Host['submitCalling']>) => Promise<unknown>,
): Method => ({
  name,
  open(processes, options) {
    const pool = new TestPool(processes, options)
    return {
      statistics: () => pool.statistics(),
      close: () => pool.close(),
      terminate: () => pool.terminate(),
      dispose: () => pool[Symbol.asyncDispose](),
      join: () => pool.join(),
      submit: (...rest) => submit(pool, ...rest),
      submitCalling: (...rest) => submitCalling(pool, ...rest),
    }
  },
})

async function first(
  pool: Pool,
  fn: (item: Orders) => unknown,
  item: Orders,
  options: object,
): Promise<unknown> {
  const results = pool.imap(fn, [item], options)
  try {
    return (await results.next()).value
  } finally {
    await results.return()
  }
}

const poolMethods: readonly Method[] = [
  onPool(
    'apply',
    (pool, fn, item, options) => pool.apply(fn, [item], options),
    (pool, fn, item, callback) => pool.applyAsync(fn, [item], { callback }).get(),
  ),
  onPool(
    'map',
    async (pool, fn, item, options) => (await pool.map(fn, [item], options))[0],
    async (pool, fn, item, callback) => (await pool.mapAsync(fn, [item], { callback }).get())[0],
  ),
  onPool(
    'imap',
    (pool, fn, item, options) => first(pool, fn, item, options),
    (pool, fn, item, onProgress) => first(pool, fn, item, { onProgress }),
  ),
]

/** An executor with what its face knows; it has no statistics of its own, and no terminate(). */
const onExecutor: Method = {
  name: 'submit',
  open(processes, options) {
    const checked = checkPoolOptions(processes, options)
    const runsIn = backend === 'thread' ? inThreads : inProcesses
    const face = new Face(
      FaceExecutor.prototype,
      { noun: 'executor', name: 'Executor', body: runsIn },
      checked,
    )
    const executor = new FaceExecutor(face)
    return {
      statistics: () => face.dispatch.statistics(),
      close: () => void executor.shutdown({ wait: false }),
      terminate: () => face.dispatch.terminate(),
      join: () => executor.shutdown(),
      submit: async (fn, item, options) => executor.withOptions(options).submit(fn, item).result(),
      async submitCalling(fn, item, callback) {
        const future = executor.submit(fn, item)
        future.addDoneCallback(callback)
        return future.result()
      },
    }
  },
}

export const methods: readonly Method[] = [...poolMethods, onExecutor]

export type Settled = PromiseSettledResult<unknown>

/** A promise that is looked at later is no unhandled rejection. */
export function settled(promise: Promise<unknown>): Promise<Settled> {
  return Promise.allSettled([promise]).then(([outcome]) => outcome)
}

export interface Setting {
  readonly processes: number
  readonly options: (folder: string) => PoolOptions
  /** Of the task that runs where the watched one waits. */
  readonly before: TaskOptions
  /** Of the watched task. */
  readonly task: TaskOptions
  readonly fault: Fault
  readonly callback: (() => void) | undefined
}

/** A task in its state, and what is around it. */
export interface Scene {
  readonly host: Host
  readonly gate: Gate
  /** Of the worker that runs, or has run, what there is; of a thread the system's number. */
  readonly pid: number
  readonly task: Promise<Settled>
  /** What runs or waits before it. */
  readonly others: Promise<Settled>[]
  /** Lets the fault inside come, where one is set. */
  release(): void
}

/** From here on the event loop stands until `done`: nothing is read meanwhile. */
export function stand(done: () => boolean, what: string): void {
  const word = new Int32Array(new SharedArrayBuffer(4))
  const deadline = performance.now() + 60_000
  while (!done()) {
    assert.ok(performance.now() < deadline, `never came: ${what}`)
    Atomics.wait(word, 0, 0, 1)
  }
}

/** It runs no more, whether or not its parent has noticed. */
export function isDead(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}

export function isStopped(pid: number): boolean {
  return / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/, ''))
}

const counts = (host: Host): [number, number] => {
  const { queued, running } = host.statistics()
  return [queued, running]
}

/** Opens a host, and brings its task into `state`. */
export async function stage(method: Method, state: State, setting: Setting): Promise<Scene> {
  const gate = new Gate()
  const { folder } = gate
  const host = method.open(setting.processes, setting.options(folder))
  const watched = (fault: Fault, when: Orders['when']): Promise<Settled> => {
    const orders = { folder, name: 'task', fault, when }
    const { callback, task } = setting
    return settled(callback ? host.submitCalling(act, orders, callback) : host.submit(act, orders, task))
  }
  // The one that runs, whoever it is: others may still be starting.
  const pid = (): number =>
    Number(/^by-(\d+)-ran-/.exec(gate.names().find((name) => name.startsWith('by-'))!)![1])
  if (state === 'running' || state === 'on its way') {
    const task = watched(setting.fault, state === 'running' ? 'inside' : 'after')
    await gate.reached('task')
    const scene = { host, gate, pid: pid(), task, others: [], release: () => gate.open('task-go') }
    assert.deepEqual(counts(host), [0, 1])
    if (state === 'running') return scene
    gate.open('task-go')
    stand(() => gate.count('task-written') === 1, 'the result is written')
    return { ...scene, release: () => {} }
  }
  const before: Orders = { folder, name: 'before', fault: setting.fault, when: 'inside' }
  const others = [settled(host.submit(act, before, setting.before))]
  await gate.reached('before')
  gate.open('task-go')
  gate.open('next-go')
  // A worker that stands at a long task is given one more, and no second one.
  if (state === 'queued')
    others.push(settled(host.submit(act, { ...before, name: 'next', fault: 'none' }, {})))
  const task = watched('none', 'inside')
  assert.deepEqual(counts(host), [others.length, 1])
  return { host, gate, pid: pid(), task, others, release: () => gate.open('before-go') }
}
