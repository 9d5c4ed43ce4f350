/**
 * The results of one map, put together by place. The first error rejects the whole map at once and drops what
 * has not begun of it. (Python waits until every other chunk has run before it says so.)
 */
import { callUser } from '../core/callbacks.ts'
import type { Image } from './images.ts'
import { Task, type Arguments, type TaskOptions } from './task.ts'

/** What a map needs of its dispatch. */
interface Canceller {
  cancel(task: Task, reason: unknown): void
}

export class Gather {
  readonly #values: unknown[]
  readonly #tasks = new Set<Task>()
  readonly #canceller: Canceller
  readonly #onProgress: ((done: number, total: number) => void) | undefined
  readonly #resolve: (values: unknown[]) => void
  readonly #reject: (error: unknown) => void
  #done = 0
  over = false

  constructor(
    total: number,
    canceller: Canceller,
    onProgress: ((done: number, total: number) => void) | undefined,
    resolve: (values: unknown[]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#values = new Array<unknown>(total)
    this.#canceller = canceller
    this.#onProgress = onProgress
    this.#resolve = resolve
    this.#reject = reject
    if (total === 0) this.#finish()
  }

  /** The task for the items from `offset` on. */
  chunk(
    image: Image,
    args: Arguments,
    flags: number,
    options: TaskOptions,
    retries: number,
    offset: number,
  ): Task {
    const task = new ChunkTask(image, args, flags, options, retries, this, offset)
    this.#tasks.add(task)
    return task
  }

  add(task: Task, offset: number, values: readonly unknown[]): void {
    if (this.over) return
    this.#tasks.delete(task)
    const total = this.#values.length
    // onProgress may abort the map.
    for (let i = 0; i < values.length && !this.over; i++) {
      this.#values[offset + i] = values[i]
      this.#done++
      if (this.#onProgress !== undefined) callUser(this.#onProgress, this.#done, total)
    }
    if (this.#done === total && !this.over) this.#finish()
  }

  fail(error: unknown): void {
    if (this.over) return
    this.over = true
    for (const task of this.#tasks) this.#canceller.cancel(task, error)
    this.#tasks.clear()
    this.#reject(error)
  }

  #finish(): void {
    this.over = true
    this.#resolve(this.#values)
  }
}

class ChunkTask extends Task {
  readonly #gather: Gather
  readonly #offset: number

  constructor(
    image: Image,
    args: Arguments,
    flags: number,
    options: TaskOptions,
    retries: number,
    gather: Gather,
    offset: number,
  ) {
    super(image, args, flags, options, retries)
    this.#gather = gather
    this.#offset = offset
  }

  succeed(values: unknown): void {
    this.#gather.add(this, this.#offset, values as unknown[])
  }

  fail(error: unknown): void {
    this.#gather.fail(error)
  }
}
