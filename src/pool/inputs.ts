/**
 * What a map may be given: anything iterable, synchronous or not. `map` gathers it first, as in Python (an
 * array is taken as it is); `imap` takes item by item from a Source. Neither waits for an input that does not
 * answer once the work is over.
 */
import { callersContext } from '../core/context.ts'
import { checkFunction } from '../core/options.ts'

export type Inputs<T> = Iterable<T> | AsyncIterable<T>

/** What an iterator answers. */
export type Step<T> = IteratorResult<T, unknown>

/** The items as an array where they are there now, else the promise of them. TypeError where not iterable. */
export function collect<T>(items: Inputs<T>, halted: AbortSignal): readonly T[] | Promise<readonly T[]> {
  if (Array.isArray(items)) return items as readonly T[]
  return isSync(items) ? Array.from(items) : drain(items, halted)
}

/** Read as `for await` reads it: asynchronous wherever it can be. TypeError where `items` is no iterable. */
export function isSync<T>(items: Inputs<T>, what = 'items'): items is Iterable<T> {
  if (items !== null && items !== undefined) {
    if (Symbol.asyncIterator in Object(items)) return false
    if (Symbol.iterator in Object(items)) return true
  }
  throw new TypeError(
    `${what} must be an iterable or an async iterable; an object of items is none: use Object.values()`,
  )
}

/** Ends early, and closes the input, where the map does: an input that never answers must not hold it up. */
function drain<T>(items: AsyncIterable<T>, halted: AbortSignal): Promise<readonly T[]> {
  return new Promise((resolve, reject) => {
    const source = new Source(items)
    const halt = (): void => {
      source.close()
      reject(halted.reason)
    }
    if (halted.aborted) return halt()
    halted.addEventListener('abort', halt, { once: true })
    takeAll(source).then(resolve, reject)
  })
}

async function takeAll<T>(source: Source<T>): Promise<readonly T[]> {
  const all: T[] = []
  for (;;) {
    const step = await source.next()
    if (source.over) return all
    all.push((step as IteratorYieldResult<T>).value)
  }
}

/**
 * One pass over an input, opened at the first `next()`, closed once. The input's own code runs in the async
 * context of whoever made this, whenever more of it is needed.
 */
export class Source<T> {
  /** How many items there are, where that is known without a look at them. */
  readonly size: number | undefined
  readonly #items: Inputs<T>
  readonly #sync: boolean
  readonly #inContext = callersContext()
  #iterator: Iterator<T> | AsyncIterator<T> | undefined
  /** It has ended, or nothing more is wanted of it. */
  over = false
  /** Its own code runs. */
  #stepping = false

  /** @throws {TypeError} where `items` cannot be iterated. */
  constructor(items: Inputs<T>) {
    this.#sync = isSync(items)
    this.#items = items
    this.size = Array.isArray(items) ? items.length : undefined
  }

  /** The next step; of an asynchronous input the promise of it. What the input throws ends it. */
  next(): Step<T> | Promise<Step<T>> {
    try {
      if (this.#sync) return this.#nextSync()
      return Promise.resolve(this.#inContext(this.#step) as Promise<Step<T>>).then(
        (answer) => this.#checked(answer),
        (error: unknown) => this.#fail(error),
      )
    } catch (error) {
      return this.#fail(error)
    }
  }

  /** What the input says to being closed before its end; it is there once close() was called. */
  closing: Promise<void> | undefined

  /** Tells an input that has not ended that no more is needed; does not wait for its answer. */
  close(): void {
    if (this.over) return
    this.over = true
    // A generator that runs cannot be closed: it is once it has answered.
    if (!this.#stepping) this.#leave()
  }

  #nextSync(): Step<T> {
    this.#stepping = true
    try {
      const step = this.#checked(this.#inContext(this.#step) as Step<T>)
      if (this.over && step.done !== true) this.#leave()
      return step
    } finally {
      this.#stepping = false
    }
  }

  #leave(): void {
    this.closing = this.#inContext(async () => void (await this.#return()))
    // Whoever leaves is told; where the work ends otherwise, nobody is left who could be.
    this.closing.catch(() => {})
  }

  #return(): unknown {
    const ended: unknown = this.#open().return?.()
    return this.#sync ? undefined : ended
  }

  readonly #step = (): unknown => this.#open().next()

  #open(): Iterator<T> | AsyncIterator<T> {
    if (this.#iterator !== undefined) return this.#iterator
    const iterator = this.#sync
      ? (this.#items as Iterable<T>)[Symbol.iterator]()
      : (this.#items as AsyncIterable<T>)[Symbol.asyncIterator]()
    checkFunction(iterator.next, 'the next method of items')
    return (this.#iterator = iterator)
  }

  #checked(step: Step<T>): Step<T> {
    if (Object(step) !== step)
      return this.#fail(new TypeError(`the iterator of items answered a ${typeof step}, not { done, value }`))
    if (step.done === true) {
      this.over = true
      return step
    }
    // Read here: it may be a getter that throws.
    return { done: false, value: step.value }
  }

  #fail(error: unknown): never {
    this.over = true
    throw error
  }
}
