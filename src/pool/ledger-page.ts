/**
 * The worker's side of its ledger, over the descriptor that it inherited: what it begins, and what it is
 * asked to leave. The layout and the order of reads and writes are told in ledger.ts.
 */
import { readSync, writeSync } from 'node:fs'

export const pageBytes = 4096
/** begun and length, before the results. */
export const headBytes = 8
/** begun once more, behind them. */
export const tailBytes = 4

/** Unflushed results beyond this are flushed before the next task begins. */
export const ledgerRoom = pageBytes - headBytes - tailBytes

/** Milliseconds at one task after which the pool may have taken back what follows it. */
const longTask = 0.5

export class LedgerPage {
  readonly #fd: number
  readonly #page = Buffer.alloc(pageBytes)
  readonly #recall = Buffer.alloc(8)
  /** Before the last begin was written. */
  #last = -Infinity

  constructor(fd: number) {
    this.#fd = fd
  }

  /**
   * Writes that `seq` begins, beside the results that have not left yet; false where it was recalled. Where
   * it is `revocable` the recall is read whatever the time.
   */
  begin(seq: number, unflushed: Buffer, now: number, revocable = false): boolean {
    // What was recalled in good time never looks as if it had begun: the pool kills for what has.
    if (revocable || now - this.#last >= longTask) this.#readRecall()
    if (this.#isRecalled(seq)) return false
    const { length } = unflushed
    this.#page.writeUInt32LE(seq, 0)
    this.#page.writeUInt32LE(length, 4)
    unflushed.copy(this.#page, headBytes, 0, length)
    this.#page.writeUInt32LE(seq, headBytes + length)
    writeSync(this.#fd, this.#page, 0, headBytes + length + tailBytes, 0)
    // After the write: see ledger.ts for why the clock is asked here, and again before the next one.
    if (revocable || performance.now() - this.#last >= longTask) this.#readRecall()
    this.#last = now
    return !this.#isRecalled(seq)
  }

  #readRecall(): void {
    readSync(this.#fd, this.#recall, 0, 8, pageBytes)
  }

  #isRecalled(seq: number): boolean {
    return seq >= this.#recall.readUInt32LE(0) && seq <= this.#recall.readUInt32LE(4)
  }
}
