/**
 * asCompleted(): futures in the order in which they end. A written-out iterator, because an async generator
 * would await each Future, which is thenable, and yield its value instead. It holds a timer only while
 * somebody waits for the next one.
 */
import { TimeoutError } from '../core/errors.ts'
import { checkWaitOptions, waitFor, type WaitOptions } from '../core/waiting.ts'
import { watch, type Future } from './future.ts'
import { distinct } from './wait.ts'

/**
 * A future that is not awaited. TypeScript takes it that `for await` awaits what an iterator hands out, and
 * would call it a value; with this it is the Future that it is.
 */
export type Itself<F> = F & { readonly then: never }

/**
 * Hands out each future once when it is done: those that are done already first, in the order given, the rest
 * as they end. Futures are thenable: what is handed out is the Future itself, never its value. Futures of
 * different executors may mix. Leaving the loop leaves the futures as they are.
 *
 * @param options `timeout` counts from this call. Past it next() hands out what is done, then rejects with
 * TimeoutError, which says how many are not; `signal` likewise, with its reason. That ends the iteration.
 * @example
 * ```ts
 * import { ProcessPoolExecutor, asCompleted } from 'plait/futures'
 *
 * await using executor = new ProcessPoolExecutor(2)
 * const lengths: number[] = []
 * const futures = ['one', 'three'].map((word) => executor.submit((text: string) => text.length, word))
 * for await (const future of asCompleted(futures)) lengths.push(await future.result())
 * lengths.sort() // => [3, 5]
 * ```
 * @throws {TypeError} where one of them is no Future.
 * @see Python `concurrent.futures.as_completed`
 */
export function asCompleted<T>(
  futures: Iterable<Future<T>>,
  options?: WaitOptions,
): AsyncIterableIterator<Itself<Future<T>>>
export function asCompleted<F extends Future<unknown>>(
  futures: Iterable<F>,
  options?: WaitOptions,
): AsyncIterableIterator<Itself<F>>
export function asCompleted<F extends Future<unknown>>(
  futures: Iterable<F>,
  options?: WaitOptions,
): AsyncIterableIterator<Itself<F>> {
  checkWaitOptions(options)
  return new Completed(distinct(futures, 'asCompleted'), options)
}

type Step<F> = IteratorResult<Itself<F>, undefined>

class Completed<F extends Future<unknown>> implements AsyncIterableIterator<Itself<F>> {
  readonly #total: number
  readonly #signal: AbortSignal | undefined
  readonly #deadline: number
  /** Done; the first #handed of them are handed out. To shift each off would take time with their square. */
  readonly #ready: Itself<F>[] = []
  #handed = 0
  /** Not done, and how to stop watching them. */
  readonly #pending = new Map<F, () => void>()
  /** Steps are answered one after the other, as a generator does it. */
  #last: Promise<unknown> = Promise.resolve()
  #wake: (() => void) | undefined

  constructor(futures: readonly F[], options: WaitOptions | undefined) {
    this.#total = futures.length
    this.#signal = options?.signal
    this.#deadline = performance.now() + (options?.timeout ?? Infinity)
    for (const future of futures)
      if (future.done()) this.#ready.push(future as Itself<F>)
      else
        this.#pending.set(
          future,
          watch(future, () => this.#ended(future)),
        )
  }

  next(): Promise<Step<F>> {
    const step = this.#last.then(() => this.#step())
    this.#last = step.catch(() => {})
    return step
  }

  async return(): Promise<Step<F>> {
    this.#end()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #step(): Promise<Step<F>> {
    if (this.#ready.length === 0 && this.#pending.size > 0) await this.#someone()
    if (this.#ready.length === 0) return { done: true, value: undefined }
    const future = this.#ready[this.#handed++]!
    if (this.#handed === this.#ready.length) this.#ready.length = this.#handed = 0
    return { done: false, value: future }
  }

  /** Until one is done, or the iteration was left. What gives up ends the iteration. */
  async #someone(): Promise<void> {
    const left = Math.max(0, this.#deadline - performance.now())
    const signal = this.#signal
    const ended = new Promise<void>((resolve) => (this.#wake = resolve))
    try {
      await waitFor(ended, { timeout: left, ...(signal && { signal }) }, () => this.#tooLate())
    } catch (error) {
      // One may have ended between the alarm and this line: it is handed out first.
      if (this.#ready.length > 0) return
      this.#end()
      throw error
    } finally {
      this.#wake = undefined
    }
  }

  #ended(future: F): void {
    this.#pending.delete(future)
    this.#ready.push(future as Itself<F>)
    this.#wake?.()
  }

  #end(): void {
    for (const stop of this.#pending.values()) stop()
    this.#pending.clear()
    this.#ready.length = this.#handed = 0
    this.#wake?.()
  }

  #tooLate(): never {
    throw new TimeoutError(`${this.#pending.size} (of ${this.#total}) futures unfinished`)
  }
}
