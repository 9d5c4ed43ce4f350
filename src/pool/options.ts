/**
 * What a pool and its tasks may be told, and the checks of it at the door.
 */
import { checkArray, checkFunction, checkInteger, checkNumber, checkOptions } from '../core/options.ts'
import { checkSignal, checkString, checkTimeout } from '../core/options.ts'
import { cpuCount } from '../worker/cpus.ts'
import { checkChildOptions } from '../worker/child-options.ts'
import type { TaskOptions } from './task.ts'

export interface PoolOptions {
  /**
   * Runs in every worker before its first task. If it throws, the pool is broken (BrokenPoolError), not
   * respawned for ever. Variables and globals that it assigns belong to the worker: tasks of this pool read
   * the worker's own, not a snapshot.
   * `let db; new Pool(4, { initializer: () => { db = connect() } })` works.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- its arguments are whatever initargs are
  initializer?: ((...args: any[]) => unknown) | undefined
  initargs?: readonly unknown[] | undefined
  /** A worker that had as many tasks ends and is replaced. */
  maxTasksPerChild?: number | undefined
  /** Async tasks one worker runs at the same time ("processes × coroutines"). Default 1. */
  concurrency?: number | undefined
  /** How often a task whose worker died is run again. Default 0: WorkerLostError. */
  retries?: number | undefined
  /** Milliseconds for a worker to boot and finish its initializer. Default 60 000. */
  startTimeout?: number | undefined
  /** In messages; workers are called `<name>-<n>`. */
  name?: string | undefined
  env?: NodeJS.ProcessEnv | undefined
  execArgv?: readonly string[] | undefined
}

/**
 * In map a task is one chunk; errors and onProgress are per item; with `timeout` or `retries` the default
 * chunksize is 1.
 */
export interface MapOptions extends TaskOptions {
  /** Items in one task. Default: a quarter of a worker's share, as in Python. */
  chunksize?: number | undefined
  /**
   * Shows on stderr how far it is, with what the items are called: `progress: 'files'`. A bar on a terminal;
   * elsewhere a line every ten seconds and one at the end. Default false; true calls them items.
   */
  progress?: boolean | string | undefined
  /** After each item, in the order in which results arrive; in the caller's async context. */
  onProgress?: ((done: number, total: number | undefined) => void) | undefined
}

/** As MapOptions; the default chunksize is 1. */
export interface ImapOptions extends MapOptions {
  /**
   * Items taken from the input ahead of the consumer: bounds memory, and is the back-pressure. Default 2 ×
   * workers × concurrency × chunksize.
   */
  buffersize?: number | undefined
}

/** The options with their defaults. */
export interface CheckedPoolOptions extends PoolOptions {
  processes: number
  initargs: readonly unknown[]
  maxTasksPerChild: number
  concurrency: number
  retries: number
  startTimeout: number
}

/** Both forms of the constructor: (processes, options) and (options). */
export function checkPoolOptions(
  first: number | (PoolOptions & { processes?: number }) | undefined,
  second: PoolOptions | undefined,
): CheckedPoolOptions {
  if (typeof first === 'object') checkOptions(first)
  checkOptions(second)
  const given = typeof first === 'object' ? first : { ...second, processes: first }
  const options = {
    ...given,
    processes: given.processes ?? cpuCount(),
    initargs: given.initargs ?? [],
    maxTasksPerChild: given.maxTasksPerChild ?? Infinity,
    concurrency: given.concurrency ?? 1,
    retries: given.retries ?? 0,
    startTimeout: given.startTimeout ?? 60_000,
  }
  checkInteger(options.processes, 'processes', 1)
  if (options.initializer !== undefined) checkFunction(options.initializer, 'initializer')
  checkArray(options.initargs, 'initargs')
  if (options.maxTasksPerChild !== Infinity) checkInteger(options.maxTasksPerChild, 'maxTasksPerChild', 1)
  checkInteger(options.concurrency, 'concurrency', 1)
  if (options.retries !== Infinity) checkInteger(options.retries, 'retries', 0)
  checkTimeout(options.startTimeout, 'startTimeout')
  checkString(options.name, 'name')
  checkChildOptions(options)
  return options
}

export function checkTaskOptions(options: unknown): asserts options is ImapOptions | undefined {
  checkOptions(options)
  if (options === undefined) return
  const { timeout, signal, grace, priority, chunksize, buffersize, progress, onProgress } =
    options as ImapOptions
  checkTimeout(timeout)
  checkSignal(signal)
  checkTimeout(grace, 'grace')
  if (priority !== undefined) checkNumber(priority, 'priority')
  if (chunksize !== undefined) checkInteger(chunksize, 'chunksize', 1)
  if (buffersize !== undefined) checkInteger(buffersize, 'buffersize', 1)
  if (progress !== undefined && typeof progress !== 'boolean') checkString(progress, 'progress')
  if (onProgress !== undefined) checkFunction(onProgress, 'onProgress')
}
