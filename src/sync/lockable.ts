/**
 * What Lock, RLock and both semaphores have in common: the three ways to wait, run() and the guard that gives
 * back once. A class says how to take without waiting, what to wait for, and how a guard's share is given
 * back.
 */
import { types } from 'node:util'
import { checkFunction } from '../core/options.ts'
import { throwIfStopped } from '../core/stops.ts'
import { turnDue } from '../core/turn.ts'
import { checkWaitOptions, type WaitOptions } from '../core/waiting.ts'
import { park, parkSync, type Wait } from '../memory/park.ts'
import { Cell } from './cell.ts'

/** What was acquired; released once, by `release()` or at the end of its `using` block. */
export interface Guard {
  /**
   * The last holder died while it held the lock, so what the lock protects may be half-changed. Always false
   * for semaphores. A condition's `wait()` lets go of the lock: after it this speaks of who had it meanwhile.
   */
  readonly ownerDied: boolean
  /**
   * Gives it back; a second time is nothing. So is a time after a Lock's or RLock's own `release()`, which
   * has given back what the guard stands for. A semaphore's permits are nobody's in particular: after its own
   * `release()` the guard has one to give all the same.
   */
  release(): void
  [Symbol.dispose](): void
}

/** A wait without a deadline always ends with a guard. */
export interface Patient {
  timeout?: undefined
  signal?: AbortSignal
}

export abstract class Lockable extends Cell {
  /**
   * Takes it, or waits for it; the event loop goes on. Resolves to null where the timeout came first, and
   * rejects with the reason of a signal that aborts.
   */
  acquire(options?: Patient): Promise<Guard>
  acquire(options?: WaitOptions): Promise<Guard | null>
  async acquire(options?: WaitOptions): Promise<Guard | null> {
    checkOptions(options)
    const guard = this.acquireNowait()
    if (guard !== null || options?.timeout === 0) {
      const turn = turnDue()
      if (turn !== undefined) await turn
      return guard
    }
    return (await park(this.wait(), options?.timeout, options?.signal)) ?? null
  }

  /** Takes it, or stops this thread until it can; null where the timeout came first. */
  acquireSync(options?: Patient): Guard
  acquireSync(options?: WaitOptions): Guard | null
  acquireSync(options?: WaitOptions): Guard | null {
    checkOptions(options)
    const guard = this.acquireNowait()
    if (guard !== null || options?.timeout === 0) return guard
    return parkSync(this.wait(), options?.timeout, options?.signal) ?? null
  }

  /** Takes it where that needs no wait; null otherwise. */
  abstract acquireNowait(): Guard | null

  /** Gives it back. */
  abstract release(): void

  /** Acquires, calls `fn`, and releases when what it returns has settled. */
  async run<R>(fn: () => R): Promise<Awaited<R>> {
    checkFunction(fn, 'fn')
    const guard = await this.acquire()
    try {
      return await fn()
    } finally {
      guard.release()
    }
  }

  /**
   * Acquires, calls `fn`, and releases when it returns. TypeError where that is a promise: what it stands for
   * goes on, without the lock.
   */
  runSync<R>(fn: () => R): R {
    checkFunction(fn, 'fn')
    const guard = this.acquireSync()
    try {
      const value = fn()
      if (types.isPromise(value))
        throw new TypeError('runSync() was given an async function, which needs the lock longer: use run()')
      return value
    } finally {
      guard.release()
    }
  }

  /** @internal What a caller waits for that could not have it at once. */
  abstract wait(): Wait<Guard>

  /** @internal Gives back what this guard stands for, where it was not given back yet. */
  abstract giveBack(guard: Held): void
}

/** Options of any wait of this room; a signal that has aborted already ends it before it begins. */
export function checkOptions(options: WaitOptions | undefined): void {
  if (options !== undefined) checkWaitOptions(options)
  throwIfStopped(options?.signal)
}

export class Held implements Guard {
  ownerDied: boolean
  #of: Lockable | undefined

  constructor(of: Lockable, ownerDied: boolean) {
    this.#of = of
    this.ownerDied = ownerDied
  }

  /** A condition has let go of the lock and has it back; `again`, not for the first time in one `waitFor`. */
  hear(died: boolean, again: boolean): void {
    this.ownerDied = died || (again && this.ownerDied)
  }

  /** It was released. */
  get spent(): boolean {
    return this.#of === undefined
  }

  release(): void {
    const of = this.#of
    this.#of = undefined
    of?.giveBack(this)
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
