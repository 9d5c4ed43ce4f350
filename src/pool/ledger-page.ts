/**
 * A process's side of its ledger, over the descriptor that it inherited: what it begins, and what it is asked
 * to leave. The layout and the order of reads and writes are told in ledger-file.ts.
 */
import { readSync, writeSync } from 'node:fs'
import type { Unflushed } from '../transport/channel.ts'
import { ledgerRoom, type Page } from './ledger.ts'

/** begun and length, before the results. */
export const headBytes = 8
/** begun once more, behind them. */
export const tailBytes = 4
export const pageBytes = headBytes + ledgerRoom + tailBytes

/** Milliseconds at one task after which the pool may have taken back what follows it. */
const longTask = 0.5

/** So few are copied faster one by one than by a call into native code. */
const fewBytes = 64

export class FilePage implements Page {
  readonly #fd: number
  /** Where its pages begin in the file. */
  readonly #at: number
  readonly #page = Buffer.alloc(pageBytes)
  readonly #recall = Buffer.alloc(8)
  /** Before the last begin was written. */
  #last = -Infinity
  /** How much of the results the page has, and since which flush. */
  #size = 0
  #flushes = -1

  constructor(fd: number, at = 0) {
    this.#fd = fd
    this.#at = at
  }

  begin(seq: number, results: Unflushed, now: number, revocable = false): boolean {
    // What was recalled in good time never looks as if it had begun: the pool kills for what has.
    if (revocable || now - this.#last >= longTask) this.#readRecall()
    if (this.#isRecalled(seq)) return false
    const page = this.#page
    const end = headBytes + this.#take(results)
    page.writeUInt32LE(seq, 0)
    page.writeUInt32LE(end - headBytes, 4)
    page.writeUInt32LE(seq, end)
    writeSync(this.#fd, page, 0, end + tailBytes, this.#at)
    // After the write: see ledger-file.ts for why the clock is asked here, and again before the next one.
    if (revocable || performance.now() - this.#last >= longTask) this.#readRecall()
    this.#last = now
    return !this.#isRecalled(seq)
  }

  #readRecall(): void {
    readSync(this.#fd, this.#recall, 0, 8, this.#at + pageBytes)
  }

  #isRecalled(seq: number): boolean {
    return seq >= this.#recall.readUInt32LE(0) && seq <= this.#recall.readUInt32LE(4)
  }

  /** Copies what the page does not have yet: between two flushes the results only grow. How many bytes. */
  #take({ bytes, size, flushes }: Unflushed): number {
    const from = flushes === this.#flushes ? this.#size : 0
    this.#flushes = flushes
    this.#size = size
    if (size - from > fewBytes) bytes.copy(this.#page, headBytes + from, from, size)
    else for (let i = from; i < size; i++) this.#page[headBytes + i] = bytes[i]!
    return size
  }
}
