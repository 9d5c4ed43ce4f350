/**
 * For tests of imap: an input that tells how far it was taken, and ways to read an iterator to its end.
 */
import type { ImapIterator } from 'plait'

/** An input that tells how far it was taken, and how it ended. */
export class Counter implements Iterable<number> {
  taken = 0
  closed = false
  readonly #end: number
  constructor(end = Infinity) {
    this.#end = end
  }
  *[Symbol.iterator](): Generator<number> {
    try {
      while (this.taken < this.#end) yield this.taken++
    } finally {
      this.closed = true
    }
  }
}

export async function* asynchronous(counter: Counter): AsyncGenerator<number> {
  for (const item of counter) yield item
}

export async function rest<R>(iterator: AsyncIterable<R>): Promise<R[]> {
  const all: R[] = []
  for await (const value of iterator) all.push(value)
  return all
}

/** Values, and the messages of errors, to the end. */
export async function outcomes<R>(iterator: ImapIterator<R>): Promise<(R | string)[]> {
  const all: (R | string)[] = []
  for (;;) {
    try {
      const step = await iterator.next()
      if (step.done === true) return all
      all.push(step.value)
    } catch (error) {
      all.push((error as Error).message)
    }
  }
}
