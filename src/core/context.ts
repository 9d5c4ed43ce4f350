/**
 * What is current: the task that runs here, the owner of what is locked here, the signal that ends waits
 * here, the process that this is, and the async context of a caller. Ground-floor state, so that a lock, a
 * wait, a log line or an error can ask without an arrow upwards. With one task at a time all of it is in
 * plain variables; AsyncLocalStorage (which makes awaits ~3x slower on Node 20) is entered only where tasks
 * overlap, in a TaskGroup, and by an RLock's run().
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

/**
 * Who holds a re-entrant lock. A thread, a pool task and a child of a TaskGroup each start a chain (`parent`
 * is null), and each RLock.run() adds a link: whoever holds a lock may take it again from any link below its
 * own. Owners are compared by identity.
 */
export interface Owner {
  /** From 1; never used again in this thread. */
  readonly id: number
  readonly parent: Owner | null
}

/** What is current for `fn` and all it awaits: one store for all of it, as each storage more costs again. */
interface Scope {
  readonly task: TaskInfo | null
  readonly owner: Owner
  /** Of the innermost child of a TaskGroup; undefined where there is none. */
  readonly signal: AbortSignal | undefined
}

let scopes: AsyncLocalStorage<Scope> | undefined
let lastOwner = 0
const rootOwner = newOwner(null)
let running: TaskInfo | null = null
/** Made when somebody asks: most tasks lock nothing. */
let ownerOfRunning: Owner | undefined
let threadSignal: AbortSignal | undefined

function newOwner(parent: Owner | null): Owner {
  return { id: ++lastOwner, parent }
}

/** Inside a task; null elsewhere. */
export function currentTask(): TaskInfo | null {
  return scopes?.getStore()?.task ?? running
}

/** The innermost link here; where nothing has started a chain, this thread's own. */
export function currentOwner(): Owner {
  const scope = scopes?.getStore()
  if (scope !== undefined) return scope.owner
  return running === null ? rootOwner : (ownerOfRunning ??= newOwner(null))
}

/**
 * What ends every wait of plait's here: the signal of the innermost child of a TaskGroup, else this thread's.
 */
export function currentSignal(): AbortSignal | undefined {
  return scopes?.getStore()?.signal ?? threadSignal
}

/** What ends every wait of plait's in this thread; undefined where nothing does. */
export function currentThreadSignal(): AbortSignal | undefined {
  return threadSignal
}

/** One task at a time: `task` runs until the next call. */
export function setTask(task: TaskInfo | null): void {
  running = task
  ownerOfRunning = undefined
}

/** Aborts when this thread is asked to stop. Written by worker/ at the start of a thread. */
export function setThreadSignal(signal: AbortSignal | undefined): void {
  threadSignal = signal
}

/** How a thread that blocks looks whether it was asked to stop. */
let askedToStop: (() => boolean) | undefined

/**
 * Asks again and again in waits that block this thread, between their slices: true where the thread was asked
 * to stop. The signal of the thread has aborted then, and its reason is what the wait throws.
 */
export function threadStopRequested(): boolean {
  return askedToStop?.() ?? false
}

/** Written by worker/ at the start of a thread, beside its signal. */
export function setThreadStop(asked: () => boolean): void {
  askedToStop = asked
}

/** Many tasks at a time: `fn` and all it awaits run as `task`, which starts a chain of owners. */
export function runAsTask<R>(task: TaskInfo, fn: () => R): R {
  return enter({ task, owner: newOwner(null), signal: undefined }, fn)
}

/**
 * `fn` and all it awaits run as a new owner: a link below `parent`, or the start of a chain. `signal` is what
 * ends waits there, where it is not what ends them here.
 */
export function runAsOwner<R>(parent: Owner | null, fn: () => R, signal?: AbortSignal): R {
  const owner = newOwner(parent)
  return enter({ task: currentTask(), owner, signal: signal ?? scopes?.getStore()?.signal }, fn)
}

/** The waits of `fn`, and of all it awaits, end with `signal`; its owner is the one here. */
export function runWithSignal<R>(signal: AbortSignal, fn: () => R): R {
  return enter({ task: currentTask(), owner: currentOwner(), signal }, fn)
}

function enter<R>(scope: Scope, fn: () => R): R {
  scopes ??= new AsyncLocalStorage()
  return scopes.run(scope, fn)
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
