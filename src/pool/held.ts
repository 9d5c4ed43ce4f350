/**
 * What one worker holds, by sequence number: a ring over the numbers from the oldest held to the newest,
 * since tasks are sent in order and end nearly so. No allocation per task.
 */
import type { Task } from './task.ts'

export class Held {
  size = 0
  #slots = new Array<Task | undefined>(64).fill(undefined)
  /** Oldest and newest number in the ring; `#newest < #oldest` where it is empty. */
  #oldest = 1
  #newest = 0

  /** The lowest number; of no meaning where it is empty. */
  get oldest(): number {
    return this.#oldest
  }

  get(seq: number): Task | undefined {
    return seq < this.#oldest || seq > this.#newest ? undefined : this.#slots[seq & (this.#slots.length - 1)]
  }

  /** `seq` is greater than any before it. */
  add(seq: number, task: Task): void {
    if (this.size === 0) this.#oldest = seq
    while (seq - this.#oldest >= this.#slots.length) this.#grow()
    this.#newest = seq
    this.#slots[seq & (this.#slots.length - 1)] = task
    this.size++
  }

  delete(seq: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    slots[seq & mask] = undefined
    this.size--
    if (this.size === 0) this.#newest = this.#oldest - 1
    else while (slots[this.#oldest & mask] === undefined) this.#oldest++
  }

  /** Those from `first` on, in the order sent. */
  from(first: number): Task[] {
    const tasks: Task[] = []
    for (let seq = Math.max(first, this.#oldest); seq <= this.#newest; seq++) {
      const task = this.#slots[seq & (this.#slots.length - 1)]
      if (task !== undefined) tasks.push(task)
    }
    return tasks
  }

  #grow(): void {
    const tasks = this.from(this.#oldest)
    this.#slots = new Array<Task | undefined>(this.#slots.length * 2).fill(undefined)
    for (const task of tasks) this.#slots[task.seq & (this.#slots.length - 1)] = task
  }
}
