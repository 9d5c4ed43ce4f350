/**
 * Time as this room sees it: what the hour is, and what happens later. Asked by sleep, timeout and channels;
 * a Scheduler and a ManualClock put another one in its place for all that runs inside of them. Only then is
 * AsyncLocalStorage entered.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

/** What tells the time and wakes; `new Scheduler({ clock })` takes one. */
export interface Clock {
  /** Milliseconds since some moment that stays the same. */
  now(): number
  /** Calls `fn` once, `ms` milliseconds from now, not before; returns how to take that back. */
  after(ms: number, fn: () => void): () => void
  /** Told by a scheduler that its coroutines go on by themselves, until it calls what this returns. */
  hold?(): () => void
}

/** Node's timers cannot be longer. */
const longest = 2 ** 31 - 1

/** Node's own timers. They keep the event loop alive, however far away they are. */
const wallClock: Clock = {
  now: () => performance.now(),
  after(ms, fn) {
    if (ms === 0) {
      const immediate = setImmediate(fn)
      return () => clearImmediate(immediate)
    }
    let left = ms
    let timer: NodeJS.Timeout
    const arm = (): void => {
      const part = Math.min(left, longest)
      left -= part
      timer = setTimeout(left > 0 ? arm : fn, Math.ceil(part))
    }
    arm()
    return () => clearTimeout(timer)
  },
}

let others: AsyncLocalStorage<Clock> | undefined

/** The clock of the Scheduler or ManualClock inside of which this runs, else Node's. */
export function currentClock(): Clock {
  return others?.getStore() ?? wallClock
}

/** `fn` and all it awaits live by `clock`. */
export function withClock<R>(clock: Clock, fn: () => R): R {
  others ??= new AsyncLocalStorage()
  return others.run(clock, fn)
}
