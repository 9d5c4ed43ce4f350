/**
 * Several inputs as one input of tuples, as Python's zip: the shortest ends it, and from each is taken only
 * when all before it had an item. Executor.map gives it to its imap. Where it ends, by an input or by its
 * consumer, the others are closed. It waits for nothing but the input whose turn it is.
 */
import { Source, isSync, type Inputs, type Step } from './inputs.ts'

/** Asynchronous where one of the inputs is. @throws {TypeError} where one is no iterable. */
export function zip(inputs: readonly Inputs<unknown>[]): Inputs<unknown[]> {
  if (inputs.every((input) => isSync(input))) return { [Symbol.iterator]: () => new Zip(sourcesOf(inputs)) }
  return { [Symbol.asyncIterator]: () => new AsyncZip(sourcesOf(inputs)) }
}

const sourcesOf = (inputs: readonly Inputs<unknown>[]): Source<unknown>[] =>
  inputs.map((input) => new Source(input))

const end = { done: true, value: undefined } as const

class Zip implements Iterator<unknown[], undefined> {
  readonly #sources: readonly Source<unknown>[]

  constructor(sources: readonly Source<unknown>[]) {
    this.#sources = sources
  }

  next(): IteratorResult<unknown[], undefined> {
    const tuple: unknown[] = []
    try {
      for (const source of this.#sources) {
        const step = source.next() as Step<unknown>
        if (step.done === true) return this.return()
        tuple.push(step.value)
      }
    } catch (error) {
      this.return()
      throw error
    }
    return tuple.length === 0 ? end : { done: false, value: tuple }
  }

  return(): typeof end {
    for (const source of this.#sources) source.close()
    return end
  }
}

class AsyncZip implements AsyncIterator<unknown[], undefined> {
  readonly #sources: readonly Source<unknown>[]
  #left = false

  constructor(sources: readonly Source<unknown>[]) {
    this.#sources = sources
  }

  async next(): Promise<IteratorResult<unknown[], undefined>> {
    const tuple: unknown[] = []
    try {
      for (const source of this.#sources) {
        const step = await source.next()
        if (step.done === true) return await this.return()
        // The consumer may have left meanwhile: nothing is taken for it any more.
        if (this.#left) return end
        tuple.push(step.value)
      }
    } catch (error) {
      await this.return()
      throw error
    }
    return { done: false, value: tuple }
  }

  async return(): Promise<typeof end> {
    this.#left = true
    for (const source of this.#sources) source.close()
    return end
  }
}
