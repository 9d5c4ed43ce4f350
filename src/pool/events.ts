/**
 * What a pool tells those who watch it from outside: channels of node:diagnostics_channel for tools, log
 * lines for people. Called by the dispatch as things happen; it decides nothing, and nothing of a task is put
 * together before somebody has subscribed. The same numbers as in statistics(): a task is one `submit` and
 * one `end` or `error`.
 */
import { channel } from 'node:diagnostics_channel'
import { log } from '../core/log.ts'
import { textOf } from '../core/text.ts'
import type { Exit } from '../worker/handle.ts'
import { howEnded } from '../worker/lost.ts'
import type { PoolWorker } from './pool-worker.ts'
import type { Task } from './task.ts'

/**
 * The message on `plait:task:submit`, then on `plait:task:end` (it has a value) or `plait:task:error`. The
 * same object each time, so that a subscriber may keep something of its own with it. In a map a task is one
 * chunk.
 */
export interface TaskEvent {
  /** The pool's name. */
  readonly pool: string
  /** As `currentTask().id` in the worker. */
  readonly task: number
  /** Of the function; '(anonymous)' where it has none. */
  readonly name: string
  /** From 1; more where workers died and the pool has `retries`. */
  attempt: number
  /** Who had it last; undefined where no worker did. */
  worker: string | undefined
  pid: number | undefined
  /** Milliseconds that it ran, as its worker measured; undefined where it did not come to an end there. */
  duration: number | undefined
  /** On `plait:task:error`: what the caller gets. */
  error: unknown
}

/**
 * The message on `plait:worker:start`, `plait:worker:ready` and `plait:worker:exit`; the same object each
 * time.
 */
export interface WorkerEvent {
  readonly pool: string
  readonly worker: string
  readonly pid: number
  /** Milliseconds from its start until it was ready, initializer included. */
  startup: number | undefined
  /** As on `Process`; undefined before its end. */
  exitcode: number | undefined
  signal: string | null | undefined
  /** How many tasks have ended there, and how many were running when it ended itself. */
  tasks: number
  lost: number
}

export const channels = {
  submit: channel('plait:task:submit'),
  end: channel('plait:task:end'),
  error: channel('plait:task:error'),
  start: channel('plait:worker:start'),
  ready: channel('plait:worker:ready'),
  exit: channel('plait:worker:exit'),
}

const taskEvents = new WeakMap<Task, TaskEvent>()
const workerEvents = new WeakMap<PoolWorker, WorkerEvent>()

/** Once per task. */
export function tellSubmitted(pool: string, task: Task): void {
  if (channels.submit.hasSubscribers) channels.submit.publish(eventOf(pool, task))
}

/** Once per task, before its caller hears of it. `worker` had it last, and ended it after `took` µs. */
export function tellSettled(
  pool: string,
  task: Task,
  succeeded: boolean,
  outcome: unknown,
  worker: PoolWorker | undefined,
  took: number | undefined,
): void {
  const to = succeeded ? channels.end : channels.error
  if (!to.hasSubscribers) return
  const event = eventOf(pool, task)
  event.attempt = task.attempt
  event.worker = worker?.name
  event.pid = worker?.pid
  if (took !== undefined) event.duration = took / 1000
  if (!succeeded) event.error = outcome
  to.publish(event)
}

/** A worker was spawned. */
export function tellStarted(pool: string, worker: PoolWorker): void {
  const { name, pid } = worker
  log(`${pool}: ${name} (pid ${pid}) started`)
  const event: WorkerEvent = {
    pool,
    worker: name,
    pid,
    startup: undefined,
    exitcode: undefined,
    signal: undefined,
    tasks: 0,
    lost: 0,
  }
  workerEvents.set(worker, event)
  channels.start.publish(event)
}

/** It has booted, and its initializer is done. */
export function tellReady(pool: string, worker: PoolWorker): void {
  const event = workerEvents.get(worker)!
  event.startup = performance.now() - worker.since
  log(`${pool}: ${worker.name} (pid ${worker.pid}) is ready after ${Math.round(event.startup)} ms`)
  channels.ready.publish(event)
}

/** It is gone, with `lost` tasks that ran. */
export function tellExited(pool: string, worker: PoolWorker, exit: Exit, lost: number): void {
  const { name, pid, killedFor, crash } = worker
  const event = workerEvents.get(worker)!
  event.exitcode = exit.exitcode
  event.signal = exit.signal
  event.tasks = worker.holdings.ended
  event.lost = lost
  log(
    `${pool}: ${name} (pid ${pid}) ${howEnded(exit)} after ${event.tasks} tasks, with ${lost} running` +
      (killedFor === undefined ? '' : `; killed by its pool: ${killedFor}`) +
      (crash === undefined ? '' : `; an error outside of any task: ${textOf(crash)}`),
  )
  channels.exit.publish(event)
}

function eventOf(pool: string, task: Task): TaskEvent {
  let event = taskEvents.get(task)
  if (event !== undefined) return event
  event = {
    pool,
    task: task.id,
    name: task.image.name,
    attempt: task.attempt,
    worker: undefined,
    pid: undefined,
    duration: undefined,
    error: undefined,
  }
  taskEvents.set(task, event)
  return event
}
