/**
 * The ledger of one worker process: a few bytes in an unlinked file that pool and worker both hold open, as
 * told in ledger.ts. Two pages:
 *
 *   page 0, written by the worker only:  u32 begun · u32 length · unflushed results, as records · u32 begun
 *   page 1, written by the pool only:    u32 from · u32 to: do not begin tasks from…to
 *
 * Reads and writes of one file are ordered by the kernel, which is what a recall needs.
 *
 * The worker spares itself the read where the task before was short: then the pool cannot have relied on it.
 * For the pool takes a task back only from a worker that it saw at one task b twice, at least `standing`
 * apart. The worker asks the clock before it writes that b begins and after it has written the next begin.
 * The first is before the pool's first look, the second after its second look, so they are as far apart, and
 * it reads. For a task that is REVOCABLE it always reads. Costs 1 µs a task; no FFI.
 */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ledger } from './ledger.ts'
import { headBytes, pageBytes, tailBytes } from './ledger-page.ts'

const nothing = Buffer.alloc(0)
/** The pool's side; the worker's is in ledger-page.ts. */
export class FileLedger extends Ledger {
  readonly memory: number
  readonly #page = Buffer.alloc(pageBytes)
  readonly #head = Buffer.alloc(headBytes)
  readonly #recall = Buffer.alloc(8)

  /** @throws {Error} where no folder for temporary files can be written. */
  constructor() {
    super()
    this.memory = openUnlinked()
    writeSync(this.memory, Buffer.alloc(2 * pageBytes), 0, 2 * pageBytes, 0)
  }

  begun(): number {
    readSync(this.memory, this.#head, 0, headBytes, 0)
    return this.#head.readUInt32LE(0)
  }

  unflushed(): Buffer {
    readSync(this.memory, this.#page, 0, pageBytes, 0)
    const begun = this.#page.readUInt32LE(0)
    const results = resultsIn(this.#page, begun)
    if (results.length === 0) return nothing
    readSync(this.memory, this.#head, 0, headBytes, 0)
    return this.#head.readUInt32LE(0) === begun ? results : nothing
  }

  recall(from: number, to: number): number {
    this.#recall.writeUInt32LE(from, 0)
    this.#recall.writeUInt32LE(to, 4)
    writeSync(this.memory, this.#recall, 0, 8, pageBytes)
    return this.begun()
  }

  close(): void {
    closeSync(this.memory)
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

/**
 * A page is whole where its end names the task that its beginning names (the kernel copies upwards). The
 * caller sees to it that it was not overwritten while it was read: then its beginning is still the same.
 */
export function resultsIn(page: Buffer, begun: number): Buffer {
  const end = headBytes + page.readUInt32LE(4)
  if (end > pageBytes - tailBytes || page.readUInt32LE(end) !== begun) return nothing
  return page.subarray(headBytes, end)
}
