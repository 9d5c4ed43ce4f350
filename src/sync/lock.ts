/** A lock for one holder at a time, whoever it is. Built on the mutex; it only keeps its guards in order. */
import { InvalidStateError } from '../core/errors.ts'
import { cellWord, defineKind } from '../memory/holders.ts'
import { kinds } from '../memory/layout.ts'
import type { Wait } from '../memory/park.ts'
import { region } from '../memory/region.ts'
import { travels } from './cell.ts'
import { Held, Lockable, type Guard } from './lockable.ts'
import {
  dropMutex,
  give,
  holderOf,
  INHERITED,
  isHolder,
  mutexWords,
  survive,
  take,
  waitForMutex,
} from './mutex.ts'

/**
 * Mutual exclusion between all threads and processes that have the lock: at most one holds it. Pass it
 * anywhere: as an argument, captured, in a queue; it is the same lock there. If its holder dies, the next one
 * gets it, with `ownerDied` on its guard. As in Python's `multiprocessing.Lock`, anybody may release it, and
 * a second acquire by its holder waits: see {@link RLock}.
 *
 * ```ts
 * const lock = new Lock()
 * const held = await lock.acquire()
 * console.log(lock.locked) // => true
 * console.log(lock.acquireNowait()) // => null
 * held.release()
 * console.log(await lock.run(() => 'alone')) // => 'alone'
 * ```
 */
export class Lock extends Lockable {
  /** The last one given out; it is done where something else has released the lock since. */
  #guard: Held | undefined

  constructor() {
    super(kinds.lock, mutexWords)
  }

  /** Whether anybody holds it: true at the moment of the call, for what that is worth. */
  get locked(): boolean {
    return holderOf(this.words, this.at) !== 0
  }

  acquireNowait(): Guard | null {
    const how = take(this.words, this.at)
    return how === 0 ? null : this.#taken(how)
  }

  /**
   * Gives it back, also where another thread or process holds it. InvalidStateError where nobody does.
   */
  release(): void {
    this.#guard = undefined
    if (!give(this.words, this.at))
      throw new InvalidStateError('the lock cannot be released: nobody holds it. Acquire it first')
  }

  #taken(how: number): Guard {
    return (this.#guard = new Held(this, how === INHERITED))
  }

  /** @internal */
  wait(): Wait<Guard> {
    return waitForMutex(this.words, this.at, (how) => this.#taken(how))
  }

  /** @internal */
  giveBack(guard: Held): void {
    // Somebody else may have released the lock meanwhile, and somebody else may have it.
    if (this.#guard === guard && this.isMine()) this.release()
  }

  /** @internal Whether this thread holds it. */
  isMine(): boolean {
    return isHolder(this.words, this.at)
  }

  /** @internal Releases it for a condition; answers what to wait for to have it back. `again`: see `hear`. */
  unwind(again: boolean): () => Wait<true> {
    const guard = this.#guard
    this.release()
    return () =>
      waitForMutex(this.words, this.at, (how) => {
        this.#guard = guard
        guard?.hear(how === INHERITED, again)
        // Given back while it was let go of: there is nobody left who would.
        if (guard?.spent === true) this.release()
        return true
      })
  }

  /** @internal */
  describe(): string {
    return this.locked ? 'locked' : 'unlocked'
  }
}

defineKind(kinds.lock, {
  died: (address, owner) => survive(region().words, cellWord(address), owner),
  destroy: (address) => dropMutex(region().words, cellWord(address)),
})
travels(Lock.prototype, kinds.lock, () => new Lock())
