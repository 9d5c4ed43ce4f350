/**
 * A lock that its holder may take again. The holder is an owner of core/context within a participant: two
 * words tell whom, and how often. Both are written by the holder alone, so its own reading needs no order.
 */
import { currentOwner, runAsOwner, type Owner } from '../core/context.ts'
import { InvalidStateError } from '../core/errors.ts'
import { checkFunction } from '../core/options.ts'
import { peek, poke } from '../memory/atomics.ts'
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
  TAKEN,
  take,
  waitForMutex,
} from './mutex.ts'

/** Number of the owner within its thread, and how often it has taken the lock. */
const OWNER = 2
const DEPTH = 3

/** What was let go of for a condition, to be had again. */
interface Unwound {
  readonly owner: number
  depth: number
  readonly guards: Held[]
}

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
  readonly #unwound: Unwound[] = []

  constructor() {
    super(kinds.rlock, mutexWords)
  }

  acquireNowait(): Guard | null {
    const owner = currentOwner()
    const how = take(this.words, this.at)
    if (how !== 0) return this.#taken(owner, how)
    if (!this.#isOf(owner)) return null
    poke(this.words, this.at + DEPTH, peek(this.words, this.at + DEPTH) + 1)
    return this.#guard(TAKEN)
  }

  /** Gives one acquire back. InvalidStateError where the caller's owner chain does not hold it. */
  release(): void {
    if (this.isMine()) {
      this.#guards.pop()
      return this.#giveOne()
    }
    const owner = currentOwner()
    // Another function of the same owner has let go of it for a condition: one less is to be had again.
    const unwound = this.#unwound.findLast((one) => one.depth > 0 && isLink(owner, one.owner))
    if (unwound === undefined)
      throw new InvalidStateError(
        'the RLock cannot be released here: neither this thread (or task) nor a run() around it holds it',
      )
    unwound.guards.pop()
    unwound.depth--
  }

  /** Acquires as a new owner, a link of the caller's chain, so that two bodies exclude each other. */
  override async run<R>(fn: () => R): Promise<Awaited<R>> {
    checkFunction(fn, 'fn')
    return await runAsOwner(currentOwner(), () => super.run(fn))
  }

  #isOf(owner: Owner): boolean {
    return isHolder(this.words, this.at) && isLink(owner, peek(this.words, this.at + OWNER))
  }

  #taken(owner: Owner, how: number): Guard {
    poke(this.words, this.at + OWNER, owner.id | 0)
    poke(this.words, this.at + DEPTH, 1)
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
    const depth = peek(words, at + DEPTH) - 1
    // The last one leaves both words as they are: whoever takes it next writes its own.
    if (depth === 0) give(words, at)
    else poke(words, at + DEPTH, depth)
  }

  /** @internal */
  wait(): Wait<Guard> {
    const owner = currentOwner()
    return waitForMutex(this.words, this.at, (how) => this.#taken(owner, how))
  }

  /** @internal */
  giveBack(guard: Held): void {
    if (takeOut(this.#guards, guard)) return this.#giveOne()
    const unwound = this.#unwound.find(({ guards }) => takeOut(guards, guard))
    if (unwound !== undefined) unwound.depth--
  }

  /** @internal Whether an owner in the caller's chain holds it. */
  isMine(): boolean {
    return this.#isOf(currentOwner())
  }

  /**
   * @internal Gives all of it back for a condition, however often it was taken; answers what to wait for to
   * have it back as it was, less what was released meanwhile. `again`: see `hear`.
   */
  unwind(again: boolean): () => Wait<true> {
    const { words, at } = this
    const unwound = { owner: peek(words, at + OWNER), depth: peek(words, at + DEPTH), guards: this.#guards }
    this.#guards = []
    this.#unwound.push(unwound)
    give(words, at)
    return () =>
      waitForMutex(words, at, (how) => {
        this.#unwound.splice(this.#unwound.indexOf(unwound), 1)
        this.#guards = unwound.guards
        poke(words, at + OWNER, unwound.owner)
        poke(words, at + DEPTH, unwound.depth)
        for (const guard of unwound.guards) guard.hear(how === INHERITED, again)
        if (unwound.depth === 0) give(words, at)
        return true
      })
  }

  /** @internal */
  describe(): string {
    return holderOf(this.words, this.at) === 0 ? 'unlocked' : 'locked'
  }
}

/** Whether the owner of this number is a link of the chain. */
function isLink(chain: Owner, id: number): boolean {
  for (let link: Owner | null = chain; link !== null; link = link.parent)
    if ((link.id | 0) === id) return true
  return false
}

/** False where it is not among them. */
function takeOut(guards: Held[], guard: Held): boolean {
  if (guards.at(-1) === guard) {
    guards.pop()
    return true
  }
  const index = guards.lastIndexOf(guard)
  if (index === -1) return false
  guards.splice(index, 1)
  return true
}

defineKind(kinds.rlock, {
  died: (address, owner) => survive(region().words, cellWord(address), owner),
  destroy: (address) => dropMutex(region().words, cellWord(address)),
})
travels(RLock.prototype, kinds.rlock, () => new RLock())
