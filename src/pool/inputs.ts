/**
 * What a map may be given: anything iterable, synchronous or not. An array is taken as it is; the rest is
 * gathered first, as in Python.
 */
import { checkFunction } from '../core/options.ts'

export type Inputs<T> = Iterable<T> | AsyncIterable<T>

/** The items as an array where they are there now, else the promise of them. TypeError where not iterable. */
export function collect<T>(items: Inputs<T>, halted: AbortSignal): readonly T[] | Promise<readonly T[]> {
  if (Array.isArray(items)) return items as readonly T[]
  if (items !== null && items !== undefined) {
    if (Symbol.iterator in Object(items)) return Array.from(items as Iterable<T>)
    if (Symbol.asyncIterator in Object(items)) return drain(items as AsyncIterable<T>, halted)
  }
  throw new TypeError(
    'items must be an iterable or an async iterable; an object of items is none: use Object.values()',
  )
}

/** Ends early, and closes the input, where the map does: an input that never answers must not hold it up. */
async function drain<T>(items: AsyncIterable<T>, halted: AbortSignal): Promise<readonly T[]> {
  const all: T[] = []
  const iterator = items[Symbol.asyncIterator]()
  checkFunction(iterator.next, 'the next method of items')
  const halt = new Promise<never>((_, reject) => {
    halted.addEventListener('abort', () => reject(halted.reason as Error), { once: true })
  })
  halt.catch(() => {})
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), halt])
      if (next.done === true) return all
      all.push(next.value)
    }
  } catch (error) {
    if (halted.aborted) void Promise.resolve(iterator.return?.()).catch(() => {})
    throw error
  }
}
