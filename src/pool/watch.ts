/**
 * When a dispatch looks at its busy workers: while anything runs somebody has to see when it is long. A look
 * after a while, and again, more and more rarely while nothing moves. What a look does is the dispatch's.
 */
import { outside } from '../core/context.ts'
import type { PoolWorker } from './pool-worker.ts'

/** Milliseconds between two looks at workers that hold more than they run. */
const silence = 2
/** Repeated more and more rarely while nothing changes, down to this; where none holds more, to that. */
const longestSilence = 64
const longestTask = 1000

/** What a look has found: that none is busy, that one which holds more than it runs goes on, or does not. */
export type Found = 'nothing' | 'moving' | 'loaded' | 'running'

export class Watch {
  readonly #look: () => Found
  #timer: NodeJS.Timeout | undefined
  #patience = silence

  constructor(look: () => Found) {
    this.#look = look
  }

  /** `worker` was given a task. */
  given(worker: PoolWorker): void {
    if (this.#timer === undefined) this.#wait(silence)
    else if (worker.loaded && this.#patience > longestSilence) this.#wait(silence)
  }

  /** A worker is idle, and others are not: what waits there could be done here. */
  hurry(): void {
    if (this.#patience > silence) this.#wait(silence)
  }

  #wait(patience: number): void {
    clearTimeout(this.#timer)
    this.#patience = patience
    this.#timer = outside(() => setTimeout(this.#rung, patience)).unref()
  }

  readonly #rung = (): void => {
    this.#timer = undefined
    const found = this.#look()
    if (found === 'nothing') return
    const longest = found === 'running' ? longestTask : longestSilence
    this.#wait(found === 'moving' ? silence : Math.min(this.#patience * 2, longest))
  }
}
