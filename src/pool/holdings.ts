/**
 * What one worker holds: in which order it was sent, what of it has begun, what was asked back. Reads the
 * worker's ledger and owns the sequence numbers, and with them the answer to what a death or a recall costs.
 * PoolWorker tells it what is sent and what ended; it sends nothing itself.
 */
import { RecordReader } from '../transport/records.ts'
import { Held } from './held.ts'
import type { Ledger } from './ledger.ts'
import { priorityOf } from './line.ts'
import { FAILURE, MIXED, RESULT } from './protocol.ts'
import type { Task } from './task.ts'

export class Holdings {
  readonly ledger: Ledger
  /** Tasks that ended here, whatever became of them. */
  ended = 0
  /** Bytes of arguments. */
  bytes = 0
  /** Microseconds that all of it should take. */
  expected = 0
  /** A task that is held was stopped: it should be taken back as soon as that can be. */
  #unwanted = false
  /**
   * By sequence number. A task that was stopped stays until it ends, is skipped, or the worker is gone.
   */
  readonly #held = new Held()
  #sent = 0
  /** The last that is known to have begun. */
  #begun = 0
  /** What was asked back and not yet answered for; both 0 where nothing. */
  #recalledFrom = 0
  #recalledTo = 0

  constructor(ledger: Ledger) {
    this.ledger = ledger
  }

  get size(): number {
    return this.#held.size
  }

  /** The worker has not said what became of the last recall: it is at something long. */
  get recalling(): boolean {
    return this.#recalledTo !== 0
  }

  /** How many have not begun as far as is known: what has ended since may not have been heard yet. */
  get left(): number {
    return Math.min(this.#held.size, this.#sent - this.#begun)
  }

  /** Looks how far the worker has come. */
  look(): void {
    this.#begun = this.ledger.begun()
  }

  get(seq: number): Task | undefined {
    return this.#held.get(seq)
  }

  has(task: Task): boolean {
    return this.#held.get(task.seq) === task
  }

  all(): Task[] {
    return this.#held.from(0)
  }

  /** Takes the task in, and gives it its number. */
  add(task: Task): void {
    task.seq = ++this.#sent
    task.expected = Math.min(Math.ceil(task.image.profile.mean), 1e9)
    this.expected += task.expected
    this.bytes += task.end - task.start
    this.#held.add(task.seq, task)
  }

  /** The task ended. Undefined where its end is known. */
  end(seq: number): Task | undefined {
    const task = this.#held.get(seq)
    if (task === undefined) return undefined
    this.#release(task)
    // Tasks begin in order: what was recalled has begun or was skipped by now.
    if (seq >= this.#recalledTo) this.#recalledTo = 0
    this.ended++
    return task
  }

  /** The worker did not begin the task because it was recalled. */
  skip(seq: number): Task | undefined {
    if (seq === this.#recalledTo) this.#recalledTo = 0
    const task = this.#held.get(seq)
    if (task !== undefined) this.#release(task)
    return task
  }

  /**
   * What has begun, has not ended as far as the ledger tells, and is not settled. Of `overlap` 1 is the last
   * that has begun, if any: an end may be on its way here, and the ledger has forgotten it.
   */
  running(overlap: number): Task[] {
    if (this.size === 0) return []
    const ended = new Set<number>()
    const reader = new RecordReader((kind, bytes, start) => {
      if (kind === RESULT || kind === FAILURE || kind === MIXED) ended.add(bytes.readUInt32LE(start))
    })
    reader.take(this.ledger.unflushed())
    const begun = this.ledger.begun()
    const first = overlap === 1 ? begun : 0
    return this.#held.from(first).filter(({ seq, settled }) => seq <= begun && !settled && !ended.has(seq))
  }

  /** Nothing of what it holds has begun. */
  get waiting(): boolean {
    return this.size > 0 && this.ledger.begun() < this.#held.oldest
  }

  hasBegun(task: Task): boolean {
    return this.ledger.begun() >= task.seq
  }

  /** A stopped task is not to begin. A wish, until the worker is seen standing. */
  unwant(task: Task): void {
    this.#unwanted = true
    this.#recall(task.seq)
  }

  /** For a REVOCABLE task: true where it has not begun and never will. */
  revoke(task: Task): boolean {
    if (this.hasBegun(task)) return false
    const begun = this.#recall(task.seq)
    return begun !== undefined && begun < task.seq
  }

  /**
   * For a worker that stands at one task, which binds a recall: what has not begun there, where some of it
   * was stopped, or is of a priority below this one or below that of what was sent after it.
   */
  takeBack(below: number): Task[] {
    const next = this.ledger.begun() + 1
    if (!this.#unwanted && !isOvertaken(this.#held.from(next), below)) return []
    this.#unwanted = false
    const begun = this.#recall(next)
    if (begun === undefined) return []
    const tasks = this.#held.from(Math.max(this.#recalledFrom, begun + 1))
    for (const task of tasks) this.#release(task)
    return tasks
  }

  /** The worker is gone: what it had begun, and what it had not. */
  close(): { lost: Task[]; unbegun: Task[] } {
    const begun = this.ledger.begun()
    const tasks = this.all()
    for (const task of tasks) this.#release(task, false)
    const lost = tasks.filter((task) => task.seq <= begun)
    const unbegun = tasks.filter((task) => task.seq > begun)
    for (const task of tasks) task.seq = 0
    return { lost, unbegun }
  }

  /**
   * Asks for `first` and all after it back. The last task that had begun by then, or undefined where nothing
   * could be asked.
   */
  #recall(first: number): number | undefined {
    const to = this.#sent
    let begun = this.ledger.begun()
    if (begun >= to || first > to) return undefined
    // The ledger has room for one range. While that is not answered for it may grow, never shrink: the worker
    // may just be reading it, at a task that was promised not to begin.
    const from = this.#recalledTo === 0 ? first : Math.min(first, this.#recalledFrom)
    begun = this.ledger.recall(from, to)
    if (begun >= to) return undefined
    this.#recalledFrom = from
    this.#recalledTo = to
    return begun
  }

  #release(task: Task, forget = true): void {
    if (task.timer !== undefined) clearTimeout(task.timer)
    this.#held.delete(task.seq)
    this.bytes -= task.end - task.start
    this.expected = this.#held.size === 0 ? 0 : this.expected - task.expected
    if (forget) task.seq = 0
  }
}

/** Is the priority of one of these below this one, or below that of one behind it? */
function isOvertaken(tasks: Task[], below: number): boolean {
  let highest = below
  for (const task of tasks.reverse()) {
    const priority = priorityOf(task)
    if (priority < highest) return true
    highest = priority
  }
  return false
}
