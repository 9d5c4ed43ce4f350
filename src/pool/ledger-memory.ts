/**
 * The ledger of a worker thread without a link, which says all over its port (PLAIT_TRANSPORT=stream), both
 * sides: words that pool and thread share, as told in ledger.ts.
 *
 *   [0] begun · [1] from · [2] to: do not begin tasks from…to
 *   then two pages of: seq · length · unflushed results
 *
 * A thread may be ended between any two of its steps. So it writes what belongs to its next begin into the
 * page that does not belong to the last one, and stores `begun` when that is whole. Every word is read and
 * written atomically, so there is one order of all steps: whoever finds `begun` unchanged after reading its
 * page has read what was written for it. A recall is two words, and of a range that is half written the
 * thread sees none of it, or a part; the pool reads `begun` when both are there. Costs 0.2 µs a task.
 */
import { load, store } from '../memory/atomics.ts'
import type { Unflushed } from '../transport/channel.ts'
import { Ledger, ledgerRoom, type Page } from './ledger.ts'

const BEGUN = 0
const FROM = 1
const TO = 2
const headWords = 4
/** seq and length, then the results. */
const pageWords = 2 + Math.ceil(ledgerRoom / 4)

const nothing = Buffer.alloc(0)

export class MemoryLedger extends Ledger {
  readonly memory = new SharedArrayBuffer((headWords + 2 * pageWords) * 4)
  readonly #words = new Int32Array(this.memory)
  readonly #copy = new Int32Array(pageWords)

  begun(): number {
    return load(this.#words, BEGUN) >>> 0
  }

  unflushed(): Buffer {
    const words = this.#words
    const begun = load(words, BEGUN)
    const page = [headWords, headWords + pageWords].find((at) => load(words, at) === begun)
    if (page === undefined || begun === 0) return nothing
    const length = load(words, page + 1)
    const whole = Math.ceil(length / 4)
    for (let i = 0; i < whole; i++) this.#copy[i] = load(words, page + 2 + i)
    return load(words, BEGUN) === begun ? Buffer.from(this.#copy.buffer, 0, length) : nothing
  }

  recall(from: number, to: number): number {
    store(this.#words, FROM, from | 0)
    store(this.#words, TO, to | 0)
    return this.begun()
  }

  close(): void {}
}

/** What a page has: up to which byte, since which flush. */
interface Written {
  readonly at: number
  size: number
  flushes: number
}

export class MemoryPage implements Page {
  readonly #words: Int32Array
  #last: Written = { at: headWords, size: 0, flushes: -1 }
  #next: Written = { at: headWords + pageWords, size: 0, flushes: -1 }

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory)
  }

  begin(seq: number, results: Unflushed): boolean {
    if (this.#isRecalled(seq)) return false
    const page = this.#next
    this.#take(page, results)
    store(this.#words, page.at + 1, results.size)
    store(this.#words, page.at, seq | 0)
    store(this.#words, BEGUN, seq | 0)
    this.#next = this.#last
    this.#last = page
    return !this.#isRecalled(seq)
  }

  #isRecalled(seq: number): boolean {
    return seq >= load(this.#words, FROM) >>> 0 && seq <= load(this.#words, TO) >>> 0
  }

  /** Copies what the page does not have yet: between two flushes the results only grow. */
  #take(page: Written, { bytes, size, flushes }: Unflushed): void {
    const from = flushes === page.flushes ? page.size & ~3 : 0
    page.flushes = flushes
    page.size = size
    for (let i = from; i < size; i += 4) store(this.#words, page.at + 2 + (i >> 2), wordAt(bytes, i))
  }
}

/** Four bytes, or what there is of them. */
function wordAt(bytes: Buffer, i: number): number {
  return bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
}
