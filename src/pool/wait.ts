/**
 * wait(): many futures, until the first, the first that failed, or all are done. It looks at futures and
 * changes none; asCompleted() is its neighbour in as-completed.ts.
 */
import { checkChoice } from '../core/options.ts'
import { checkWaitOptions, waitFor, type WaitOptions } from '../core/waiting.ts'
import { Future, hasFailed, watch } from './future.ts'

/** For wait(): until one is done, whatever its outcome. */
export const FIRST_COMPLETED = 'FIRST_COMPLETED' as const
/** For wait(): until one is done with an error (a cancelled one is none), or all are done. */
export const FIRST_EXCEPTION = 'FIRST_EXCEPTION' as const
/** For wait(): until all are done. The default. */
export const ALL_COMPLETED = 'ALL_COMPLETED' as const

/** What wait() gives: each future is in one of the two. */
type Waited<F> = { done: Set<F>; notDone: Set<F> }
type WaitRules = WaitOptions & { returnWhen?: (typeof choices)[number] }

const choices = [FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED] as const

/**
 * Waits until as many futures are done as `returnWhen` says, or the time is over: a timeout is no error.
 * Cancelled ones are done. Futures of different executors may mix, and each counts once.
 *
 * @example
 * ```ts
 * import { ProcessPoolExecutor, wait, FIRST_EXCEPTION } from 'plait/futures'
 *
 * await using executor = new ProcessPoolExecutor(2)
 * const futures = [4, 9].map((n) => executor.submit(Math.sqrt, n))
 * const { done, notDone } = await wait(futures, { returnWhen: FIRST_EXCEPTION, timeout: 60_000 })
 * done.size // => 2
 * notDone.size // => 0
 * ```
 * @throws {TypeError} where one of them is no Future. {RangeError} where `returnWhen` is none of the three.
 * @see Python `concurrent.futures.wait`
 */
export function wait<T>(futures: Iterable<Future<T>>, options?: WaitRules): Promise<Waited<Future<T>>>
export function wait<F extends Future<unknown>>(futures: Iterable<F>, options?: WaitRules): Promise<Waited<F>>
export async function wait<F extends Future<unknown>>(
  futures: Iterable<F>,
  options?: WaitRules,
): Promise<Waited<F>> {
  checkWaitOptions(options)
  const { returnWhen = ALL_COMPLETED } = options ?? {}
  checkChoice(returnWhen, 'returnWhen', choices)
  const all = distinct(futures, 'wait')
  const pending = all.filter((future) => !future.done())
  const enough = (future: F): boolean =>
    returnWhen === FIRST_COMPLETED || (returnWhen === FIRST_EXCEPTION && hasFailed(future))

  if (pending.length > 0 && !all.some((future) => future.done() && enough(future))) {
    let unwatch: (() => void)[] = []
    const over = new Promise<void>((resolve) => {
      let left = pending.length
      unwatch = pending.map((future) => watch(future, () => (--left === 0 || enough(future)) && resolve()))
    })
    try {
      await waitFor(over, options, () => {})
    } finally {
      for (const stop of unwatch) stop()
    }
  }
  const done = all.filter((future) => future.done())
  return { done: new Set(done), notDone: new Set(all.filter((future) => !future.done())) }
}

/** Each future once, in the order given. @throws {TypeError} */
export function distinct<F extends Future<unknown>>(futures: Iterable<F>, method: string): F[] {
  const given: unknown = futures
  if (given instanceof Future || given === null || typeof given !== 'object' || !(Symbol.iterator in given))
    throw new TypeError(`${method}() takes an iterable of Futures, such as an array`)
  const all = new Set(futures)
  for (const each of all as Set<unknown>)
    if (!(each instanceof Future))
      throw new TypeError(
        `${method}() takes Futures, which executor.submit() gives; among them is ${nameOf(each)}`,
      )
  return [...all]
}

function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return `an object of class ${(value.constructor as Function | undefined)?.name ?? 'unknown'}`
}
