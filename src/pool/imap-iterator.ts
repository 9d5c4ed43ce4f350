/**
 * What imap gives to its caller: an async iterator, and nothing but a handle on the work (imap.ts). A handle
 * that is collected as garbage has left its loop, so the work knows nothing of it while nobody waits.
 */
import { checkWaitOptions, type WaitOptions } from '../core/waiting.ts'

/**
 * What imap returns. Demand-driven: nothing is taken from the input before the first next(). An item that
 * threw is thrown by its own next(); nothing more is taken until the following one, with which iteration goes
 * on. The input is closed by return() (break), by the end of the pool, or by garbage collection.
 */
export interface ImapIterator<R> extends AsyncIterableIterator<R> {
  /** The next result. With `timeout`: TimeoutError where none is ready by then; nothing is lost by it. */
  next(options?: WaitOptions): Promise<IteratorResult<R, undefined>>
  /**
   * Ends the iteration: what runs for it is stopped, the input is closed. Rejects with what the input throws
   * then.
   */
  return(): Promise<IteratorResult<R, undefined>>
  [Symbol.asyncDispose](): Promise<void>
}

/** What goes on behind an iterator. */
interface Work<R> {
  /** `holder` is kept as long as the promise is pending. */
  next(options: WaitOptions | undefined, holder: object): Promise<IteratorResult<R, undefined>>
  /** Answers what the input says to being closed, where it can. */
  leave(): Promise<void> | undefined
}

const forgotten = new FinalizationRegistry<Work<unknown>>((work) => void work.leave())

export class Results<R> implements ImapIterator<R> {
  readonly #work: Work<R>
  #registered = false

  /** `eager` work has begun, and goes on where its iterator is never used. */
  constructor(work: Work<R>, eager: boolean) {
    this.#work = work
    if (!eager) this.watch()
  }

  async next(options?: WaitOptions): Promise<IteratorResult<R, undefined>> {
    checkWaitOptions(options)
    this.watch()
    return this.#work.next(options, this)
  }

  async return(): Promise<IteratorResult<R, undefined>> {
    await this.#work.leave()
    return { done: true, value: undefined }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#work.leave()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** From now on the work is left when this is collected. */
  watch(): void {
    if (this.#registered) return
    this.#registered = true
    forgotten.register(this, this.#work)
  }
}
