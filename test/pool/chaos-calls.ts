/**
 * The calls of a run of chaos, and the judgement over what comes of each: the right value, or an error that
 * its own fate, or what was done to its pool, allows. Used by chaos.ts, which decides what is called when.
 */
import assert from 'node:assert/strict'
import type { ImapOptions, Pool } from 'plait'
import type { Executor } from 'plait/futures'
import { act, answer, isLethal, type Item } from './chaos-plan.js'

/** What has been, or may be, done to a pool, as far as its tasks can feel it. */
export interface Weather {
  /** Somebody kills its workers. */
  readonly vandal: boolean
  /** Tasks run beside others in one worker, and die with them. */
  readonly shared: boolean
  terminated: boolean
}

export interface Ask {
  /** Told of every outcome: 'value', or the name of an error. */
  readonly tally: (outcome: string) => void
  readonly pool: Pool
  readonly weather: Weather
  readonly items: readonly Item[]
  readonly options: ImapOptions & { readonly grace: number }
}

/**
 * Where a task hangs its call has a short timeout, which others of the call may miss; else none is ever due.
 */
export const patience = 120_000

/** Tells what is wrong with `error` as the outcome of a task that did these items. */
function judge(
  { weather, options, items: all, tally }: Omit<Ask, 'pool'>,
  items: readonly Item[],
  error: unknown,
): void {
  const { name, message } = error as Error
  const some = (fate: Item['fate']): boolean => items.some((item) => item.fate === fate)
  const fits = (): boolean => {
    switch (name) {
      case 'RangeError':
        return items.some((item) => item.fate === 'throw' && message === `task ${item.n}`)
      case 'SerializationError':
        return some('unsendable')
      case 'TimeoutError':
        return options.timeout !== undefined && options.timeout < patience
      case 'AbortError':
        return options.signal?.aborted === true
      case 'PoolTerminatedError':
        return weather.terminated
      case 'WorkerLostError':
        if (weather.shared || items.some((item) => isLethal(item.fate))) return true
        // Killed by the pool itself: only what was at fault, and that was told so before.
        return weather.vandal && !message.includes('by its pool')
      default:
        return false
    }
  }
  if (fits()) return tally(name)
  const what = JSON.stringify(items.filter(({ fate }) => fate !== 'fast').slice(0, 5))
  throw new Error(`${items.length} of ${all.length} items, ${what}, came out as ${name}: ${message}`, {
    cause: error,
  })
}

/** One task, through callbacks, each of which is called once at most. */
export async function callApply(ask: Ask): Promise<void> {
  const item = ask.items[0]
  let told = 0
  const tell = (): void => void told++
  const result = ask.pool.applyAsync(act, [item], { ...ask.options, callback: tell, errorCallback: tell })
  try {
    assert.deepEqual(await result, answer(item))
    ask.tally('value')
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    judge(ask, [item], error)
  }
  assert.equal(told, 1, 'callbacks are called once')
}

export async function callMap(ask: Ask): Promise<void> {
  const { pool, items, options } = ask
  let last = 0
  let over = false
  const onProgress = (done: number, total: number | undefined): void => {
    assert.ok(!over && done === last + 1 && total === items.length, `progress ${done} after ${last}`)
    last = done
  }
  let values: unknown[]
  try {
    values = await pool.map(act, items, { ...options, onProgress })
  } catch (error) {
    return judge(ask, items, error)
  } finally {
    over = true
  }
  assert.deepEqual(values, items.map(answer))
  assert.equal(last, items.length)
  ask.tally('value')
}

/** All of the iterator, or as much as `leaves` says. */
export async function callImap(ask: Ask, ordered: boolean, leaves: number): Promise<void> {
  const { pool, items, options } = ask
  const results = pool[ordered ? 'imap' : 'imapUnordered'](act, items, options)
  const left = new Set(items.map(answer))
  const size = options.chunksize ?? 1
  let place = 0
  for (; place < leaves; place++) {
    try {
      const step = await results.next()
      if (step.done === true) break
      if (ordered) assert.deepEqual(step.value, answer(items[place]))
      assert.ok(left.delete(step.value), 'each value comes once')
      ask.tally('value')
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
      const from = place - (place % size)
      // The end of all may come in the middle of a chunk, and so may an item's own error.
      judge(ask, ordered ? items.slice(from, from + size) : items, error)
    }
  }
  await results.return?.()
  const cut = options.signal?.aborted === true || ask.weather.terminated
  if (!cut) assert.equal(place, Math.min(leaves, items.length), 'each item has an outcome')
}

/** One future of an executor, which is cancelled now and then, and told of once. */
export async function callSubmit(
  ask: Omit<Ask, 'pool'>,
  executor: Executor,
  cancels: boolean,
): Promise<void> {
  const item = ask.items[0]
  let told = 0
  const future = executor.withOptions(ask.options).submit(act, item)
  future.addDoneCallback(() => told++)
  const cancelled = cancels && future.cancel()
  try {
    assert.deepEqual(await future.result(), answer(item))
    assert.equal(cancelled, false, 'what was cancelled has no value')
    ask.tally('value')
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    if (!cancelled) judge(ask, [item], error)
    else {
      assert.equal((error as Error).name, 'CancelledError')
      ask.tally('CancelledError')
    }
  }
  assert.ok(future.done() && told === 1, 'callbacks are called once')
}
