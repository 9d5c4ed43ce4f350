/**
 * A clock that its owner moves, for tests and simulations: an hour of sleeping coroutines takes no time, and
 * comes out the same each time. Handed to a Scheduler, or to async functions by run().
 */
import { checkFunction } from '../core/options.ts'
import { withClock, type Clock } from './clock.ts'
import { checkMilliseconds } from './milliseconds.ts'

/** Turns of the event loop that advance() gives to coroutines that never wait, before it moves on. */
const patience = 25

interface Timer {
  readonly at: number
  readonly fn: () => void
}

/**
 * Time that stands still until `advance()` moves it. `sleep`, `timeout` and the timeouts of channels go by
 * it in the coroutines of a Scheduler that was given it, and in what `run()` calls.
 *
 * @example
 * ```ts
 * import { ManualClock, Scheduler, sleep } from 'plait/coroutine'
 *
 * const clock = new ManualClock()
 * const scheduler = new Scheduler({ clock })
 * const seen: number[] = []
 * scheduler.spawn(function* () {
 *   for (let n = 0; n < 3; n++) {
 *     yield sleep(60_000)
 *     seen.push(clock.now())
 *   }
 * })
 * const run = scheduler.run()
 * await clock.advance(3 * 60_000)
 * await run
 * seen // => [60_000, 120_000, 180_000]
 * ```
 */
export class ManualClock implements Clock {
  #now = 0
  /** By time; equal ones in the order in which they were set. */
  readonly #timers: Timer[] = []
  #moving: Promise<void> = Promise.resolve()
  /** Schedulers that let the event loop in between two turns. */
  #held = 0

  /** Milliseconds that it was moved. */
  now(): number {
    return this.#now
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.#now + ms, fn }
    const later = this.#timers.findIndex(({ at }) => at > timer.at)
    this.#timers.splice(later === -1 ? this.#timers.length : later, 0, timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index !== -1) this.#timers.splice(index, 1)
    }
  }

  /**
   * Moves time on by `ms` milliseconds, from one timer to the next; at each of them it waits until what was
   * woken has run as far as it can without this clock, a turn of the event loop included. Coroutines that
   * never wait get some turns more.
   */
  advance(ms: number): Promise<void> {
    const moved = this.#moving.then(() => this.#advance(ms))
    this.#moving = moved.catch(() => {})
    return moved
  }

  hold(): () => void {
    this.#held++
    return () => void this.#held--
  }

  /** Calls `fn`: it and all it awaits go by this clock. */
  run<R>(fn: () => R): R {
    checkFunction(fn, 'what run() is given')
    return withClock(this, fn)
  }

  async #advance(ms: number): Promise<void> {
    checkMilliseconds(ms)
    const until = this.#now + ms
    for (;;) {
      await this.#quiet()
      const next = this.#timers[0]
      if (next === undefined || next.at > until) break
      this.#timers.shift()
      this.#now = next.at
      next.fn()
    }
    this.#now = until
  }

  async #quiet(): Promise<void> {
    let turns = 0
    do await new Promise(setImmediate)
    while (this.#held > 0 && ++turns < patience)
  }
}
