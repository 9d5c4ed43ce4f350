/**
 * The ledger of one worker: a few bytes that pool and worker both can get at, so that the pool can read after
 * a death what the worker had begun and which results had not left it yet; and so that the pool can take
 * back, while the worker is busy, what it has not begun. This is the pool's side, wherever the bytes are: for
 * a worker with a link in ledger-link.ts, else for a process in ledger-file.ts, for a thread in
 * ledger-memory.ts. The worker's is a Page.
 *
 * Who wins a task that is begun and recalled at the same moment is settled as in Dekker's algorithm: the
 * worker writes `begun`, then reads the recall; the pool writes the recall, then reads `begun`. At least one
 * of them sees the other. Where both do, the worker yields and says SKIPPED. A recall binds where the worker
 * was seen standing; else it is a wish: what it skips it says, what it runs it runs. A task that is REVOCABLE
 * can be taken back at any time.
 */
import type { Unflushed } from '../transport/channel.ts'
import type { Ledger as Memory } from '../worker/handle.ts'

/** Milliseconds; more than a worker's own idea of a long task. */
const standing = 1

export abstract class Ledger {
  /** What the worker is given, to write into; undefined where it has that memory already. */
  abstract readonly memory: Memory | undefined
  #seen = -1
  #seenAt = 0

  /** Sequence number of the last task that the worker began; 0 before the first. */
  abstract begun(): number

  /**
   * The results that the worker had not flushed when it began its last task; nothing where it is writing just
   * now.
   */
  abstract unflushed(): Buffer

  /**
   * Asks for from…to back; answers the last task that had begun by then. If the worker was standing, those
   * after it will not begin.
   */
  abstract recall(from: number, to: number): number

  abstract close(): void

  /**
   * Has the worker been at its last task for so long that a recall binds it? Takes two calls.
   */
  standing(): boolean {
    const now = performance.now()
    const begun = this.begun()
    if (begun === this.#seen) return now - this.#seenAt >= standing
    this.#seen = begun
    this.#seenAt = performance.now()
    return false
  }
}

/** The worker's side. */
export interface Page {
  /**
   * Writes that `seq` begins, beside the results that have not left yet; false where it was recalled. Where
   * it is `revocable` a recall is seen whatever the time.
   */
  begin(seq: number, results: Unflushed, now: number, revocable?: boolean): boolean
}

/** Unflushed results beyond this are flushed before the next task begins. */
export const ledgerRoom = 4084
