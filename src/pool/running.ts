/**
 * A task while it runs in a worker, which is what `currentTask()` shows there, and all that run now. The
 * signal is made when somebody looks: most tasks never do, and an AbortController costs as much as a small
 * task.
 */
import type { TaskInfo } from '../core/context.ts'
import { CancelledError, TimeoutError } from '../core/errors.ts'
import { TIMED_OUT } from './protocol.ts'

export class Running implements TaskInfo {
  readonly seq: number
  readonly id: number
  readonly attempt: number
  /** As in its TASK record. */
  readonly flags: number
  /** When it began; milliseconds of performance.now(). */
  readonly begun: number
  /** It was told to stop. */
  stopped = false
  #reason: unknown
  #controller: AbortController | undefined

  constructor(seq: number, id: number, attempt: number, flags: number, begun: number) {
    this.seq = seq
    this.id = id
    this.attempt = attempt
    this.flags = flags
    this.begun = begun
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.stopped) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  stop(why: number): void {
    this.stopped = true
    const what = `task ${this.id}`
    this.#reason =
      why === TIMED_OUT
        ? new TimeoutError(`${what} ran longer than its timeout`)
        : new CancelledError(`${what} was cancelled`)
    this.#controller?.abort(this.#reason)
  }
}

/** What runs in this worker: one, or a few. A Map would allocate each time that its only entry goes. */
export class Runs {
  readonly #tasks: Running[] = []

  get size(): number {
    return this.#tasks.length
  }

  get(seq: number): Running | undefined {
    return this.#tasks.find((task) => task.seq === seq)
  }

  add(task: Running): void {
    this.#tasks.push(task)
  }

  delete(task: Running): void {
    const last = this.#tasks.pop()!
    if (last !== task) this.#tasks[this.#tasks.indexOf(task)] = last
  }
}
