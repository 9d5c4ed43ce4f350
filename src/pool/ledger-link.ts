/**
 * The ledger of a worker that shares memory with its pool, both sides: two pages of the link's cell, laid out
 * as in ledger-file.ts. Where the memory is mapped the worker writes into them as into a file, through the
 * descriptor of that memory, until it has opened it. From then on a begin is one store: results are in the
 * ring, and nothing of them can be lost. All is sequentially consistent, so every recall binds. Costs a few
 * nanoseconds a task.
 */
import { load, store } from '../memory/atomics.ts'
import type { LedgerWords } from '../transport/link.ts'
import { resultsIn } from './ledger-file.ts'
import { pageBytes } from './ledger-page.ts'
import { Ledger, type Page } from './ledger.ts'

export class LinkLedger extends Ledger {
  readonly memory = undefined
  readonly #at: LedgerWords

  constructor(words: LedgerWords) {
    super()
    this.#at = words
  }

  begun(): number {
    return load(this.#at.words, this.#at.begun) >>> 0
  }

  unflushed(): Buffer {
    const { words, begun: first } = this.#at
    const begun = this.begun()
    const page = Buffer.from(Buffer.from(words.buffer, words.byteOffset + first * 4, pageBytes))
    const results = resultsIn(page, begun)
    return this.begun() === begun ? results : results.subarray(0, 0)
  }

  recall(from: number, to: number): number {
    // The end comes last, and the worker reads it first: of a range that is half there it sees a part.
    store(this.#at.words, this.#at.from, from)
    store(this.#at.words, this.#at.to, to)
    return this.begun()
  }

  /** The memory is the link's. */
  close(): void {}
}

export class LinkPage implements Page {
  readonly #at: LedgerWords

  constructor(words: LedgerWords) {
    this.#at = words
  }

  begin(seq: number): boolean {
    // What was recalled in good time never looks as if it had begun: the pool kills for what has.
    if (this.#isRecalled(seq)) return false
    store(this.#at.words, this.#at.begun, seq)
    // After the store: the pool stores its recall and then loads `begun`.
    return !this.#isRecalled(seq)
  }

  #isRecalled(seq: number): boolean {
    const { words, from, to } = this.#at
    return seq <= load(words, to) >>> 0 && seq >= load(words, from) >>> 0
  }
}
