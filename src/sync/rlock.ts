/**
 * A lock that its holder may take again. The holder is an owner of core/context within a participant: two
 * words tell whom, and how often. Both are written by the holder alone, so its own reading needs no order.
 */
import { currentOwner, runAsOwner, type Owner } from '../core/context.ts'
import { InvalidStateError } from '../core/errors.ts'
import { checkFunction } from '../core/options.ts'
import { load, store } from '../memory/atomics.ts'
import { cellWord, defineKind } from '../memory/holders.ts'
import { kinds } from '../memory/layout.ts'
import type { Wait } from '../memory/park.ts'
import { me } from '../memory/participants.ts'
import { region } from '../memory/region.ts'
import { travels } from './cell.ts'
import { Held, Lockable, type Guard } from './lockable.ts'
import {
  dropMutex,
  give,
  holderOf,
  INHERITED,
  mutexWords,
  survive,
  TAKEN,
  take,
  waitForMutex,
} from './mutex.ts'

/** Number of the owner within its thread, and how often it has taken the lock. */
const OWNER = 2
const DEPTH = 3

/**
 * A lock that its holder may acquire again; it is free after as many releases. The holder is not the thread
 * alone: each thread, pool task and child of a TaskGroup starts an owner chain, each `run()` adds a link to
 * it, and an acquire is re-entrant where the holder is any link of the caller's chain. Two bare async
 * functions of one thread are one owner; two `run()` bodies are two. If its holder dies, the next one gets
 * it, with `ownerDied` on its guard. Python: `multiprocessing.RLock`.
 *
 * ```ts
 * const lock = new RLock()
 * await lock.run(async () => {
 *   const again = lock.acquireNowait()
 *   console.log(again !== null) // => true
 *   again?.release()
 * })
 * ```
 */
export class RLock extends Lockable {
  /** Those given out for the present hold, in order; empty where another participant has it. */
  #guards: Held[] = []

  constructor() {
    super(kinds.rlock, mutexWords)
  }

  acquireNowait(): Guard | null {
    const owner = currentOwner()
    const how = take(this.words, this.at)
    if (how !== 0) return this.#taken(owner, how)
    if (!this.#isOf(owner)) return null
    store(this.words, this.at + DEPTH, load(this.words, this.at + DEPTH) + 1)
    return this.#guard(TAKEN)
  }

  /** Gives one acquire back. InvalidStateError where the caller's owner chain does not hold it. */
  release(): void {
    if (!this.isMine())
      throw new InvalidStateError(
        'the RLock cannot be released here: neither this thread (or task) nor a run() around it holds it',
      )
    this.#guards.pop()
    this.#giveOne()
  }

  /** Acquires as a new owner, a link of the caller's chain, so that two bodies exclude each other. */
  override async run<R>(fn: () => R): Promise<Awaited<R>> {
    checkFunction(fn, 'fn')
    return await runAsOwner(currentOwner(), () => super.run(fn))
  }

  #isOf(owner: Owner): boolean {
    if (holderOf(this.words, this.at) !== me()) return false
    const holder = load(this.words, this.at + OWNER)
    for (let link: Owner | null = owner; link !== null; link = link.parent)
      if ((link.id | 0) === holder) return true
    return false
  }

  #taken(owner: Owner, how: number): Guard {
    store(this.words, this.at + OWNER, owner.id | 0)
    store(this.words, this.at + DEPTH, 1)
    if (this.#guards.length > 0) this.#guards.length = 0
    return this.#guard(how)
  }

  #guard(how: number): Guard {
    const guard = new Held(this, how === INHERITED)
    this.#guards.push(guard)
    return guard
  }

  #giveOne(): void {
    const { words, at } = this
    const depth = load(words, at + DEPTH) - 1
    // The last one leaves both words as they are: whoever takes it next writes its own.
    if (depth === 0) give(words, at)
    else store(words, at + DEPTH, depth)
  }

  /** @internal */
  wait(): Wait<Guard> {
    const owner = currentOwner()
    return waitForMutex(this.words, this.at, (how) => this.#taken(owner, how))
  }

  /** @internal */
  giveBack(guard: Held): void {
    const guards = this.#guards
    if (guards.at(-1) === guard) guards.pop()
    else {
      const index = guards.indexOf(guard)
      if (index === -1) return
      guards.splice(index, 1)
    }
    this.#giveOne()
  }

  /** @internal Whether an owner in the caller's chain holds it. */
  isMine(): boolean {
    return this.#isOf(currentOwner())
  }

  /**
   * @internal Gives all of it back for a condition, however often it was taken; answers what to wait for to
   * have it back as it was.
   */
  unwind(): () => Wait<true> {
    const { words, at } = this
    const owner = load(words, at + OWNER)
    const depth = load(words, at + DEPTH)
    const guards = this.#guards
    this.#guards = []
    store(words, at + DEPTH, 1)
    this.#giveOne()
    return () =>
      waitForMutex(words, at, (how) => {
        store(words, at + OWNER, owner)
        store(words, at + DEPTH, depth)
        this.#guards = guards
        for (const guard of guards) guard.ownerDied = how === INHERITED
        return true
      })
  }

  /** @internal */
  describe(): string {
    return holderOf(this.words, this.at) === 0 ? 'unlocked' : 'locked'
  }
}

defineKind(kinds.rlock, {
  died: (address, owner) => survive(region().words, cellWord(address), owner),
  destroy: (address) => dropMutex(region().words, cellWord(address)),
})
travels(RLock.prototype, kinds.rlock, () => new RLock())
