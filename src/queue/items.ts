/**
 * The async iterator of a Queue and of a Connection: takes one by one until there will be none. Unlike a bare
 * generator it can be ended while it waits: `return()` ends the wait, and takes nothing.
 */
import type { WaitOptions } from '../core/waiting.ts'

/** `isEnd` says which error of `take` is the end. */
export function items<T>(
  take: (options: WaitOptions) => Promise<T>,
  isEnd: (error: unknown) => boolean,
): AsyncGenerator<T, void, undefined> {
  const stop = new AbortController()
  const generator = each(take, isEnd, stop.signal)
  // Both are queued behind the pending next(), which would settle when something comes, or never.
  const end = generator.return.bind(generator)
  generator.return = (value) => (stop.abort(), end(value))
  const fail = generator.throw.bind(generator)
  generator.throw = (error) => (stop.abort(), fail(error))
  return generator
}

async function* each<T>(
  take: (options: WaitOptions) => Promise<T>,
  isEnd: (error: unknown) => boolean,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const options = { signal }
  for (;;) {
    let item: T
    try {
      item = await take(options)
    } catch (error) {
      if (signal.aborted || isEnd(error)) return
      throw error
    }
    yield item
  }
}
