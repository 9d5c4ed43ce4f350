/**
 * The ledger of one worker: a few bytes in an unlinked file that pool and worker both hold open, so that the
 * pool can read after a death what the worker had begun and which results had not left it yet; and so that
 * the pool can take back, while the worker is busy, what it has not begun. Two pages:
 *
 *   page 0, written by the worker only:  u32 begun · u32 length · unflushed results, as records · u32 begun
 *   page 1, written by the pool only:    u32 from · u32 to: do not begin tasks from…to
 *
 * Who wins a task that is begun and recalled at the same moment is settled as in Dekker's algorithm: the
 * worker writes `begun`, then reads the recall; the pool writes the recall, then reads `begun`. At least one
 * of them sees the other, because reads and writes of one file are ordered by the kernel. Where both do, the
 * worker yields and says SKIPPED.
 *
 * The worker spares itself the read where the task before was short: then the pool cannot have relied on it.
 * For the pool takes a task back only from a worker that it saw at one task b twice, at least `standing`
 * apart. The worker asks the clock before it writes that b begins and after it has written the next begin.
 * The first is before the pool's first look, the second after its second look, so they are as far apart, and
 * it reads. (A recall of a worker that was not seen standing is a wish: what it skips it says, what it runs
 * it runs. For a task that is REVOCABLE it always reads, so such a one can be taken back at any time.) Costs
 * 1 µs a task; no FFI.
 */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { headBytes, pageBytes, tailBytes } from './ledger-page.ts'

const nothing = Buffer.alloc(0)
/** Milliseconds; more than a worker's own idea of a long task. */
const standing = 1

/** The pool's side; the worker's is in ledger-page.ts. */
export class Ledger {
  readonly fd: number
  readonly #page = Buffer.alloc(pageBytes)
  readonly #head = Buffer.alloc(headBytes)
  readonly #recall = Buffer.alloc(8)
  #seen = -1
  #seenAt = 0

  /** @throws {Error} where no folder for temporary files can be written. */
  constructor() {
    this.fd = openUnlinked()
    writeSync(this.fd, Buffer.alloc(2 * pageBytes), 0, 2 * pageBytes, 0)
  }

  /** Sequence number of the last task that the worker began; 0 before the first. */
  begun(): number {
    readSync(this.fd, this.#head, 0, headBytes, 0)
    return this.#head.readUInt32LE(0)
  }

  /**
   * The results that the worker had not flushed when it began its last task; nothing where it is writing just
   * now. A page is whole where its end names the task that its beginning names (the kernel copies upwards),
   * and was not overwritten while it was read where the beginning is still the same afterwards.
   */
  unflushed(): Buffer {
    readSync(this.fd, this.#page, 0, pageBytes, 0)
    const begun = this.#page.readUInt32LE(0)
    const end = headBytes + this.#page.readUInt32LE(4)
    if (end > pageBytes - tailBytes || this.#page.readUInt32LE(end) !== begun) return nothing
    readSync(this.fd, this.#head, 0, headBytes, 0)
    return this.#head.readUInt32LE(0) === begun ? this.#page.subarray(headBytes, end) : nothing
  }

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

  /**
   * Asks for from…to back; answers the last task that had begun by then. If the worker was standing, those
   * after it will not begin.
   */
  recall(from: number, to: number): number {
    this.#recall.writeUInt32LE(from, 0)
    this.#recall.writeUInt32LE(to, 4)
    writeSync(this.fd, this.#recall, 0, 8, pageBytes)
    return this.begun()
  }

  close(): void {
    closeSync(this.fd)
  }
}

/**
 * In memory where the system has a place for that, else among the temporary files. Nothing of it can be left.
 */
function openUnlinked(): number {
  // The name has to be free for a moment only, and 'wx' sees to it.
  const name = `plait-ledger-${process.pid}-${Math.random().toString(36).slice(2)}`
  const open = (folder: string): number => {
    const path = join(folder, name)
    const fd = openSync(path, 'wx+', 0o600)
    unlinkSync(path)
    return fd
  }
  try {
    return open('/dev/shm')
  } catch {
    return open(tmpdir())
  }
}
