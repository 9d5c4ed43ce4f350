/**
 * The results of one map, put together by place. The first error rejects the whole map at once and drops what
 * has not begun of it. (Python waits until every other chunk has run before it says so.)
 */
import { callUser } from '../core/callbacks.ts'
import { onStop, type Stops } from '../core/stops.ts'
import type { Dispatch } from './dispatch.ts'
import type { Image } from './images.ts'
import type { Follower } from './progress.ts'
import { Task, type Arguments, type TaskOptions } from './task.ts'

/** The ends of what a map resolves. */
export interface Settle {
  resolve(value: never): void
  reject(error: unknown): void
  /** It is a promise that whoever submits awaits, and no result to be asked for later. */
  readonly awaited?: boolean
}

/** One map, from its call until it is settled; it hangs on the dispatch and on signals only as long. */
export class Gather {
  readonly #dispatch: Dispatch
  readonly #image: Image
  readonly #settle: Settle
  readonly #halt = new AbortController()
  readonly #tasks = new Set<Task>()
  /** What was taken at the call, and is given back at the end. */
  readonly #releases: (() => void)[]
  #follower: Follower | undefined
  #values: unknown[] = []
  #done = 0
  /** It is settled. */
  over = false

  /** `what` is what messages call it. */
  constructor(dispatch: Dispatch, image: Image, what: string, stops: Stops, settle: Settle) {
    this.#dispatch = dispatch
    this.#image = image
    this.#settle = settle
    const halt = (error: unknown): void => this.fail(error)
    this.#releases = [dispatch.expect(what, { halt }), dispatch.stayAlive()]
    if (stops.length > 0) this.#releases.unshift(onStop(stops, halt))
    dispatch.images.retain(image)
  }

  /** Aborts where the map fails: nobody needs the rest of its input. */
  get halted(): AbortSignal {
    return this.#halt.signal
  }

  /** The items are there, `total` of them: their tasks follow. */
  begin(total: number, follower: Follower): void {
    this.#follower = follower
    follower.start()
    this.#values = new Array<unknown>(total)
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
    const onProgress = this.#follower?.onProgress
    // onProgress may abort the map.
    for (let i = 0; i < values.length && !this.over; i++) {
      this.#values[offset + i] = values[i]
      this.#done++
      if (onProgress !== undefined) callUser(onProgress, this.#done, total)
    }
    if (this.#done === total && !this.over) this.#finish()
  }

  /** What runs is stopped, what has not begun never does; the map rejects. */
  fail(error: unknown): void {
    if (this.drop(error)) this.#settle.reject(error)
  }

  /** As fail(), and tells no one. False where it was over. */
  drop(reason: unknown): boolean {
    if (this.over) return false
    this.over = true
    for (const task of this.#tasks) this.#dispatch.cancel(task, reason)
    this.#tasks.clear()
    this.#halt.abort(reason)
    this.#end()
    return true
  }

  #finish(): void {
    this.over = true
    this.#end()
    this.#settle.resolve(this.#values as never)
  }

  #end(): void {
    this.#follower?.end()
    for (const release of this.#releases) release()
    this.#dispatch.images.release(this.#image)
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
