/**
 * Waiting for something to become true under a lock. Its cell has the list of those who wait and a share of
 * the lock's cell; the lock itself is a handle of its own.
 */
import { InvalidStateError } from '../core/errors.ts'
import { checkFunction, checkInteger } from '../core/options.ts'
import type { WaitOptions } from '../core/waiting.ts'
import { store, type Words } from '../memory/atomics.ts'
import { cellWord, defineKind, send, unsendAt } from '../memory/holders.ts'
import { kinds, listWords } from '../memory/layout.ts'
import { firstLook, park, parkSync, type Wait } from '../memory/park.ts'
import { region } from '../memory/region.ts'
import { buryDeadHolders } from '../memory/sweep.ts'
import {
  dropList,
  giveNode,
  grantFirst,
  keepGrant,
  purge,
  push,
  remove,
  takeUnseen,
} from '../memory/waiters.ts'
import { Cell, travels } from './cell.ts'
import { guarded } from './guarded.ts'
import { Lock } from './lock.ts'
import { checkOptions, type Guard, type Patient } from './lockable.ts'
import { RLock } from './rlock.ts'

/** Address of the lock. */
const LOCK = 0
const LIST = 2

const locked = guarded((words, at) => purge(words, at + LIST))

/** What was let go is taken back, whatever ends the wait. */
const steadfast = { steadfast: true }

/**
 * Threads and processes wait, under a lock, for a state that others bring about under the same lock. `wait()`
 * lets go of the lock (an RLock fully, however often it was taken), waits for `notify()`, and has the lock
 * again when it returns. A notification that finds nobody is not remembered; one that goes to a waiter that
 * is killed goes on to the next. Python: `multiprocessing.Condition`.
 *
 * ```ts
 * const changed = new Condition()
 * let ready = false
 * const waiter = changed.lock.run(() => changed.waitFor(() => ready))
 * await changed.lock.run(() => {
 *   ready = true
 *   changed.notify()
 * })
 * console.log(await waiter) // => true
 * ```
 */
export class Condition extends Cell {
  /** The lock that it was made with, or its own RLock. Several conditions may share one. */
  readonly lock: Lock | RLock

  constructor(lock: Lock | RLock = new RLock()) {
    if (!(lock instanceof Lock) && !(lock instanceof RLock))
      throw new TypeError('lock must be a Lock or an RLock')
    super(kinds.condition, LIST + listWords)
    this.lock = lock
    if (!this.fresh) return
    send(lock.address) // the cell's own share, given back with it
    store(this.words, this.at + LOCK, lock.address)
  }

  /** As the lock's own. */
  acquire(options?: Patient): Promise<Guard>
  acquire(options?: WaitOptions): Promise<Guard | null>
  acquire(options?: WaitOptions): Promise<Guard | null> {
    return this.lock.acquire(options)
  }

  /** As the lock's own. */
  acquireSync(options?: Patient): Guard
  acquireSync(options?: WaitOptions): Guard | null
  acquireSync(options?: WaitOptions): Guard | null {
    return this.lock.acquireSync(options)
  }

  /** As the lock's own. */
  release(): void {
    this.lock.release()
  }

  /**
   * Lets go of the lock and waits to be notified; true where it was, false where the timeout came first. The
   * caller has the lock again in any case, also where a signal ends the wait; its guard says `ownerDied`
   * where somebody died with the lock meanwhile. InvalidStateError where the caller does not hold the lock.
   */
  wait(options?: WaitOptions): Promise<boolean> {
    return this.#wait(options, false)
  }

  async #wait(options: WaitOptions | undefined, again: boolean): Promise<boolean> {
    checkOptions(options)
    this.#mustHold('waited for')
    const wait = new Waiting(this, again)
    try {
      return (await park(wait, options?.timeout, options?.signal)) ?? false
    } finally {
      try {
        if (wait.rewind !== undefined) await park(wait.rewind(), undefined, undefined, steadfast)
      } finally {
        wait.end()
      }
    }
  }

  /** The same, and stops this thread meanwhile. */
  waitSync(options?: WaitOptions): boolean {
    return this.#waitSync(options, false)
  }

  #waitSync(options: WaitOptions | undefined, again: boolean): boolean {
    checkOptions(options)
    this.#mustHold('waited for')
    const wait = new Waiting(this, again)
    try {
      return parkSync(wait, options?.timeout, options?.signal) ?? false
    } finally {
      try {
        if (wait.rewind !== undefined) parkSync(wait.rewind(), undefined, undefined, steadfast)
      } finally {
        wait.end()
      }
    }
  }

  /**
   * Waits until `predicate()` is truthy, and resolves to what it gave last: past the timeout that may be
   * falsy. It is called under the lock, first at once and then after each notification.
   */
  async waitFor<R>(predicate: () => R, options?: WaitOptions): Promise<R> {
    const left = this.#begin(predicate, options)
    for (let again = false; ; again = true) {
      const value = predicate()
      const timeout = left()
      if (value || timeout === 0) return value
      await this.#wait({ ...options, timeout }, again)
    }
  }

  /** The same, and stops this thread meanwhile. */
  waitForSync<R>(predicate: () => R, options?: WaitOptions): R {
    const left = this.#begin(predicate, options)
    for (let again = false; ; again = true) {
      const value = predicate()
      const timeout = left()
      if (value || timeout === 0) return value
      this.#waitSync({ ...options, timeout }, again)
    }
  }

  /** Answers what is left of the timeout. */
  #begin(predicate: unknown, options: WaitOptions | undefined): () => number | undefined {
    checkFunction(predicate, 'predicate')
    checkOptions(options)
    this.#mustHold('waited for')
    const timeout = options?.timeout
    if (timeout === undefined) return () => undefined
    const deadline = performance.now() + timeout
    return () => Math.max(0, deadline - performance.now())
  }

  /** Wakes up to `n` of those who wait. InvalidStateError where the caller does not hold the lock. */
  notify(n = 1): void {
    checkInteger(n, 'n', 0)
    this.#mustHold('notified')
    wake(this.words, this.at, n)
  }

  /** Wakes all who wait. InvalidStateError where the caller does not hold the lock. */
  notifyAll(): void {
    this.#mustHold('notified')
    wake(this.words, this.at, Infinity)
  }

  #mustHold(what: string): void {
    if (!this.lock.isMine())
      throw new InvalidStateError(`a condition is ${what} under its lock: acquire it first`)
  }

  /** @internal */
  describe(): string {
    return `of ${this.lock.constructor.name}`
  }
}

/** One wait for a notification. */
class Waiting implements Wait<true> {
  /** How the lock is taken back, once it was let go. */
  rewind: (() => Wait<true>) | undefined
  readonly #of: Condition
  readonly #again: boolean
  #kept = 0

  /** `again`: not the first of one `waitFor`. */
  constructor(of: Condition, again: boolean) {
    this.#of = of
    this.#again = again
  }

  begin(node: number): undefined {
    const { words, at, lock } = this.#of
    locked(words, at, () => push(words, at + LIST, node))
    // In line before the lock is free: who notifies under it finds this.
    this.rewind = lock.unwind(this.#again)
  }

  granted(): true {
    // Until the lock is had again nobody can act on it: a death before that is a notification for another.
    this.#kept = keepGrant(this.#of.words, this.#of.at + LIST)
    return true
  }

  /** The lock is had again: what is told from here on is told to its holder. */
  end(): void {
    if (this.#kept !== 0) giveNode(this.#kept)
  }

  cancel(node: number, granted: boolean): void {
    if (granted) return
    const { words, at } = this.#of
    locked(words, at, () => remove(words, at + LIST, node))
  }

  check(): void {
    const { address } = this.#of
    if (firstLook(address)) buryDeadHolders(address)
  }
}

function wake(words: Words, at: number, n: number): void {
  locked(words, at, (granted) => {
    while (granted.length < n) {
      const node = grantFirst(words, at + LIST, 0)
      if (node === 0) break
      granted.push(node)
    }
  })
}

defineKind(kinds.condition, {
  died(address, owner) {
    const { words } = region()
    const at = cellWord(address)
    const unseen = takeUnseen(words, owner, at + LIST)
    if (unseen > 0) wake(words, at, unseen)
  },
  destroy(address) {
    const { words } = region()
    const at = cellWord(address)
    dropList(words, at + LIST)
    unsendAt(words, at + LOCK)
  },
})
travels(
  Condition.prototype,
  kinds.condition,
  (lock) => new Condition(lock as Lock | RLock),
  (condition) => condition.lock,
)
