/**
 * What the dispatch says to whoever waits for a task that has no outcome of its own: the pool has ended, or
 * the time of the task. Texts and classes of errors only; when they are due is decided by the dispatch.
 */
import { BrokenPoolError, PoolClosedError, PoolTerminatedError, TimeoutError } from '../core/errors.ts'
import type { PoolStatistics } from './statistics.ts'
import type { Task } from './task.ts'

/** 'task 7 (score)', in messages. */
export function about(task: Task): string {
  return `task ${task.id} (${task.image.name})`
}

export function timedOut(task: Task): TimeoutError {
  return new TimeoutError(`${about(task)} ran longer than ${task.options?.timeout} ms`)
}

/** `what` has not ended: 'task 7 (score)'. */
export function terminated(pool: string, what: string): PoolTerminatedError {
  return new PoolTerminatedError(`pool ${pool} was terminated before ${what} ended`)
}

/** No worker can be started, because of `cause`; `text` is what that says. */
export function broken(pool: string, text: string, cause: unknown): BrokenPoolError {
  return new BrokenPoolError(`pool ${pool} cannot start its workers: ${text}`, { cause })
}

/** What user code did while the task was made: an input or a reducer may well end the pool. */
export function tooLate(pool: string, state: PoolStatistics['state'], task: Task): Error {
  const what = `pool ${pool} was ${state} while ${about(task)} was submitted`
  return state === 'closed' ? new PoolClosedError(what) : new PoolTerminatedError(what)
}
