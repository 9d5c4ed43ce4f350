/**
 * What is current: the task that runs here, the process that this is, and the async context of a caller.
 * Ground-floor state, so that a lock, a log line or an error can ask without an arrow upwards. With one task
 * at a time the task is a plain variable; AsyncLocalStorage (which makes awaits ~3x slower on Node 20) is
 * entered only where tasks overlap.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

/** Inside a task: which one, which attempt (from 1), and the signal that asks it to stop. */
export interface TaskInfo {
  readonly id: number
  readonly attempt: number
  readonly signal: AbortSignal
}

/** How a process is called and where it comes from; set once by a child's first file. */
export interface Identity {
  name: string
  daemon: boolean
  /** Numbers from the main process down: [1, 2] is "Process-1:2". */
  path: readonly number[]
  parent: { name: string; pid: number; daemon: boolean } | null
}

/** The identity of this process. Written by worker/ at start, read by all. */
export const identity: Identity = { name: 'MainProcess', daemon: false, path: [], parent: null }

let running: TaskInfo | null = null
let overlapping: AsyncLocalStorage<TaskInfo> | undefined

/** Inside a task; null elsewhere. */
export function currentTask(): TaskInfo | null {
  return overlapping?.getStore() ?? running
}

/** One task at a time: `task` runs until the next call. */
export function setTask(task: TaskInfo | null): void {
  running = task
}

/** Many tasks at a time: `fn` and all it awaits run as `task`. */
export function runAsTask<R>(task: TaskInfo, fn: () => R): R {
  overlapping ??= new AsyncLocalStorage()
  return overlapping.run(task, fn)
}

let importing = 0

/**
 * Modules are imported on behalf of a task or target, and nothing else of the user's runs here. What they
 * start at their top level every worker would start again, and so on without end.
 */
export async function whileImporting(modules: Promise<void> | undefined): Promise<void> {
  if (modules === undefined) return
  importing++
  try {
    await modules
  } finally {
    importing--
  }
}

/** Asked before a process is started. */
export function isImporting(): boolean {
  return importing > 0
}

/**
 * Calls `fn` outside of every caller's async context. What lives on (a worker's socket, a timer of the pool)
 * is made so: it would keep the context of whoever happened to come first, and show it to all who follow.
 */
export const outside: <R>(fn: () => R) => R = AsyncLocalStorage.snapshot()

/**
 * Results arrive outside of any caller's context. What calls back the user's code for a result calls it
 * through this, made at submit: it runs a function in the async context of now.
 */
export function callersContext(): <R>(fn: () => R) => R {
  return AsyncLocalStorage.snapshot()
}

/** `fn` itself, to be called in the async context of now. */
export function inCallersContext<F extends (...args: never[]) => unknown>(fn: F): F
export function inCallersContext<F extends (...args: never[]) => unknown>(fn: F | undefined): F | undefined
export function inCallersContext<F extends (...args: never[]) => unknown>(fn: F | undefined): F | undefined {
  return fn && AsyncLocalStorage.bind(fn)
}
