/**
 * The tasks that wait for a worker: a lane for each priority, first come first served in each. The lane with
 * the higher priority goes first, and every `patience` of waiting counts as one more, so that none waits for
 * ever. What comes back from a worker goes to the front of its lane. A task that was settled while it waited
 * is dropped when its turn comes, or before, when there are many such.
 */
import type { Task } from './task.ts'

/** Milliseconds of waiting that are worth one step of priority. */
const patience = 10_000
/** Times are counted from here: small integers need no memory of their own. */
const epoch = Date.now()
/** So many settled tasks are not worth a look. */
const leastSettled = 32
const leastRing = 64

export class Line {
  /** Highest priority first. Most lines have one lane. */
  readonly #lanes: Lane[] = []

  /** The next task, which stays in the line; undefined where none waits. */
  peek(): Task | undefined {
    return this.#next()?.peek()
  }

  /** Takes what peek() showed. */
  shift(): Task | undefined {
    const lane = this.#next()
    const task = lane?.peek()
    if (task !== undefined) lane!.drop()
    return task
  }

  push(task: Task): void {
    task.since = Date.now() - epoch
    this.#lane(task).push(task)
  }

  /**
   * To the front: a task that was held by a worker and not begun, or that is tried again. What it has waited
   * before counts; what was sent at once has not.
   */
  unshift(task: Task): void {
    if (task.since === 0) task.since = Date.now() - epoch
    this.#lane(task).unshift(task)
  }

  /** A task that waits here, or nearly does, was settled. */
  settled(task: Task): void {
    this.#laneOf(priorityOf(task))?.settled()
  }

  #next(): Lane | undefined {
    const lanes = this.#lanes
    if (lanes.length < 2) return lanes[0]
    const now = Date.now() - epoch
    let best: Lane | undefined
    let most = -Infinity
    for (const lane of lanes) {
      const task = lane.peek()
      if (task === undefined) continue
      const urgency = lane.priority + (now - task.since) / patience
      if (urgency > most) [best, most] = [lane, urgency]
    }
    return best
  }

  #laneOf(priority: number): Lane | undefined {
    for (const lane of this.#lanes) if (lane.priority === priority) return lane
    return undefined
  }

  #lane(task: Task): Lane {
    const priority = priorityOf(task)
    const known = this.#laneOf(priority)
    if (known !== undefined) return known
    // Lanes are few, but a program may count with its priorities: those that are empty go.
    for (let i = this.#lanes.length - 1; i >= 0; i--)
      if (this.#lanes[i]!.peek() === undefined) this.#lanes.splice(i, 1)
    const lane = new Lane(priority)
    this.#lanes.push(lane)
    this.#lanes.sort((a, b) => b.priority - a.priority)
    return lane
  }
}

export function priorityOf(task: Task): number {
  return task.options?.priority ?? 0
}

/** A ring that grows by doubling; its length is a power of two. */
class Lane {
  readonly priority: number
  #ring = new Array<Task | undefined>(leastRing).fill(undefined)
  #head = 0
  #size = 0
  /** At most so many of them are settled, and keep their arguments and callers in memory. */
  #settled = 0

  constructor(priority: number) {
    this.priority = priority
  }

  peek(): Task | undefined {
    while (this.#size > 0) {
      const task = this.#ring[this.#head]!
      if (!task.settled) return task
      this.drop()
    }
    return undefined
  }

  drop(): void {
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#size--
  }

  push(task: Task): void {
    if (this.#size === this.#ring.length) this.#renew()
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = task
    this.#size++
  }

  unshift(task: Task): void {
    if (this.#size === this.#ring.length) this.#renew()
    this.#head = (this.#head - 1) & (this.#ring.length - 1)
    this.#ring[this.#head] = task
    this.#size++
  }

  /** Those that are settled go when they may be more than half: a constant time for each. */
  settled(): void {
    if (++this.#settled > leastSettled && this.#settled * 2 > this.#size) this.#renew()
  }

  /** A ring with room for more, without those that are settled. */
  #renew(): void {
    const old = this.#ring
    const tasks: Task[] = []
    for (let i = 0; i < this.#size; i++) {
      const task = old[(this.#head + i) & (old.length - 1)]!
      if (!task.settled) tasks.push(task)
    }
    let length = leastRing
    while (length <= tasks.length) length *= 2
    this.#ring = new Array<Task | undefined>(length).fill(undefined)
    for (const [i, task] of tasks.entries()) this.#ring[i] = task
    this.#head = this.#settled = 0
    this.#size = tasks.length
  }
}
