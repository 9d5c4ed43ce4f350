/**
 * What workers give back: held there, never begun, not yet in the line again. All that comes back in one tick
 * goes to the front of the line together, in the order of submission.
 */
import type { Line } from './line.ts'
import type { Task } from './task.ts'

export class Returns {
  readonly #tasks: Task[] = []
  readonly #line: Line
  readonly #onBack: () => void

  /** `onBack` is called when they are in the line. */
  constructor(line: Line, onBack: () => void) {
    this.#line = line
    this.#onBack = onBack
  }

  add(tasks: readonly Task[]): void {
    if (this.#tasks.length === 0 && tasks.length > 0) process.nextTick(this.#putBack)
    this.#tasks.push(...tasks)
  }

  /** They are no longer to come into the line. */
  take(): Task[] {
    return this.#tasks.splice(0)
  }

  readonly #putBack = (): void => {
    for (const task of this.take().sort((a, b) => b.id - a.id)) if (!task.settled) this.#line.unshift(task)
    this.#onBack()
  }
}
