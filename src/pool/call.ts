/**
 * How a task calls its function in the worker: once, or item by item. Used by role.ts; it knows nothing of
 * records and decides nothing about what becomes of the outcome.
 */
import { CHUNK, EACH, STAR } from './protocol.ts'
import type { Running } from './running.ts'

export type Call = (...args: unknown[]) => unknown

/** The outcome of a chunk some of whose items failed, alone. */
export class Mixed {
  readonly values: unknown[]
  /** Index in the chunk, and what was thrown there. */
  readonly failures: [index: number, error: unknown][]

  constructor(values: unknown[], failures: [index: number, error: unknown][]) {
    this.values = values
    this.failures = failures
  }
}

/** What the task returns: a value, the values of its items, or a Mixed; or the promise of that. */
export function callTask(task: Running, fn: Call, args: unknown[]): unknown {
  if ((task.flags & CHUNK) === 0) return fn(...args)
  const call: Call = (task.flags & STAR) === 0 ? fn : (item) => fn(...(item as unknown[]))
  // A single item fails as its task does.
  if ((task.flags & EACH) !== 0 && args.length > 1) return callEach(task, call, args)
  return callItems(task, call, args)
}

/** Item by item; asynchronous ones one after the other, as the worker's concurrency is a number of tasks. */
function callItems(task: Running, call: Call, items: unknown[]): unknown {
  const values = new Array<unknown>(items.length)
  for (let i = 0; i < items.length; i++) {
    const value = call(items[i])
    if (isThenable(value)) return finishItems(task, call, items, values, i, value)
    values[i] = value
  }
  return values
}

async function finishItems(
  task: Running,
  call: Call,
  items: unknown[],
  values: unknown[],
  from: number,
  first: PromiseLike<unknown>,
): Promise<unknown[]> {
  values[from] = await first
  for (let i = from + 1; i < items.length && !task.stopped; i++) values[i] = await call(items[i])
  return values
}

/** As callItems, and an item that throws fails alone. */
function callEach(task: Running, call: Call, items: unknown[]): unknown {
  const outcome = new Mixed(new Array<unknown>(items.length), [])
  for (let i = 0; i < items.length; i++) {
    try {
      const value = call(items[i])
      if (isThenable(value)) return finishEach(task, call, items, outcome, i, value)
      outcome.values[i] = value
    } catch (error) {
      outcome.failures.push([i, error])
    }
  }
  return outcome.failures.length === 0 ? outcome.values : outcome
}

async function finishEach(
  task: Running,
  call: Call,
  items: unknown[],
  outcome: Mixed,
  from: number,
  first: PromiseLike<unknown>,
): Promise<unknown> {
  for (let i = from; i < items.length && !task.stopped; i++) {
    try {
      outcome.values[i] = await (i === from ? first : call(items[i]))
    } catch (error) {
      outcome.failures.push([i, error])
    }
  }
  return outcome.failures.length === 0 ? outcome.values : outcome
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
