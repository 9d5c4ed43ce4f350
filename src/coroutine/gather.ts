/** Waiting for several at once, as Python's asyncio.gather does. It starts nothing and stops nothing. */

/**
 * The results of all, in the order of the arguments: promises, tasks, futures, plain values. The first error
 * rejects it; the others go on, and what becomes of them is nobody's unhandled rejection. Where a failure
 * should stop the others, use a TaskGroup.
 *
 * @example
 * ```ts
 * import { gather, sleep } from 'plait/coroutine'
 *
 * const late = sleep(5).then(() => 'late')
 * await gather(late, 'now', Promise.resolve(3)) // => ['late', 'now', 3]
 * await gather() // => []
 * ```
 * @see Python `asyncio.gather`
 */
export function gather<T extends readonly unknown[]>(
  ...awaitables: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  return Promise.all(awaitables) as Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>
}
