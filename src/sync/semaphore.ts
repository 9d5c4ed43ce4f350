/**
 * Permits, counted under a guard, with an account for each participant. TOTAL is what there is, the accounts
 * say who has how many, and VALUE, what is free, follows from both: whoever finds that the guard's last
 * holder died reckons it anew. Waiting is as for the mutex: a release wakes as many as it frees permits for,
 * and one who was woken in vain has a permit RESERVED the next time. That word is for fairness alone; where a
 * death leaves it wrong, it is set to 0, and nothing is lost.
 */
import { checkInteger } from '../core/options.ts'
import { load, peek, poke, type Words } from '../memory/atomics.ts'
import { enter, leave } from '../memory/guard.ts'
import { cellWord, defineKind } from '../memory/holders.ts'
import { kinds, listWords, N_HUNGRY } from '../memory/layout.ts'
import { firstLook, type Wait } from '../memory/park.ts'
import { region } from '../memory/region.ts'
import { buryDeadHolders } from '../memory/sweep.ts'
import {
  dropList,
  first,
  grantFirst,
  isEmpty,
  purge,
  push,
  pushFirst,
  remove,
  tell,
} from '../memory/waiters.ts'
import {
  accountsWords,
  closeAccounts,
  dropAccounts,
  findPair,
  ownPair,
  pairsOf,
  sumOf,
  type Place,
} from './accounts.ts'
import { travels } from './cell.ts'
import { GUARD, guarded } from './guarded.ts'
import { Held, Lockable, type Guard } from './lockable.ts'

const VALUE = 0
const TOTAL = 2
/** What a bounded one may not exceed, plus 1; 0 for the other kind. */
const BOUND = 3
const RESERVED = 4
const ACCOUNTS = 5
const LIST = ACCOUNTS + accountsWords

const largest = 2 ** 31 - 2

const locked = guarded(repair)

/**
 * A number of permits, for all threads and processes that have the semaphore. `acquire()` takes one and waits
 * while there is none; `release()` adds some, by whomever. Permits that a process took and had not released
 * when it died are given back; a release by a process that holds none takes one off another holder's account,
 * and where nobody holds any, there is one permit more. Python: `multiprocessing.Semaphore`.
 *
 * ```ts
 * const seats = new Semaphore(2)
 * const mine = await seats.acquire()
 * console.log(seats.value) // => 1
 * mine.release()
 * seats.release(3)
 * console.log(seats.value) // => 5
 * ```
 */
export class Semaphore extends Lockable {
  /** Of this participant's account. */
  readonly #place: Place = { offset: 0 }

  /** `value` permits to begin with; default 1. RangeError below 0. */
  constructor(value = 1) {
    checkInteger(value, 'value', 0)
    if (value > largest) throw new RangeError(`value must be at most ${largest}, got ${value}`)
    super(kinds.semaphore, LIST + listWords)
    if (!this.fresh) return
    poke(this.words, this.at + VALUE, value)
    poke(this.words, this.at + TOTAL, value)
  }

  /** How many permits are free: at the moment of the call, for what that is worth. */
  get value(): number {
    return load(this.words, this.at + VALUE)
  }

  acquireNowait(): Guard | null {
    const { words, at } = this
    // As `locked` does it, without its closure, which costs as much as all the rest.
    if (enter(words, at + GUARD)) repair(words, at)
    try {
      return this.#take(false) ? new Held(this, false) : null
    } finally {
      leave(words, at + GUARD)
    }
  }

  /**
   * Gives back `n` permits, or adds them where nobody holds any. RangeError for n below 1, and for a bounded
   * semaphore where there would be more than in the beginning; then nothing is changed.
   */
  release(n = 1): void {
    checkInteger(n, 'n', 1)
    this.#give(n)
  }

  #give(n: number): void {
    const { words, at } = this
    const granted: number[] = []
    if (enter(words, at + GUARD)) repair(words, at)
    try {
      const after = peek(words, at + VALUE) + n
      this.#checkRoom(after, n)
      this.#account(n)
      poke(words, at + VALUE, after)
      wake(words, at, granted, n)
    } finally {
      leave(words, at + GUARD)
    }
    for (const node of granted) tell(words, node)
  }

  #checkRoom(after: number, n: number): void {
    const bound = peek(this.words, this.at + BOUND) - 1
    if (after <= (bound < 0 ? largest : bound)) return
    throw new RangeError(
      bound < 0
        ? `a semaphore has at most ${largest} permits`
        : `the semaphore was released too often: ${after - n} of its ${bound} permits are free already`,
    )
  }

  /** Takes `n` permits off the accounts: off the own one, then off others', and what is left is new. */
  #account(n: number): void {
    const { words, at } = this
    const own = findPair(words, at + ACCOUNTS, this.#place)
    let left = own === 0 ? n : takeOff(words, own, n)
    if (left === 0) return
    for (const pair of pairsOf(words, at + ACCOUNTS)) left = takeOff(words, pair, left)
    if (left > 0) poke(words, at + TOTAL, peek(words, at + TOTAL) + left)
  }

  /** Under the guard. */
  #take(hungry: boolean): boolean {
    const { words, at } = this
    const value = peek(words, at + VALUE)
    const reserved = peek(words, at + RESERVED)
    if (value <= (hungry ? 0 : reserved)) return false
    const pair = ownPair(words, at + ACCOUNTS, this.#place)
    poke(words, pair + 1, peek(words, pair + 1) + 1) // the commit
    poke(words, at + VALUE, value - 1)
    if (hungry && reserved > 0) poke(words, at + RESERVED, reserved - 1)
    return true
  }

  /** @internal */
  wait(): Wait<Guard> {
    const { words, at } = this
    let overlooked = 0
    let waiting = 0
    return {
      begin: (node, again) => {
        waiting = node
        overlooked = 0
        const got = locked(words, at, () => {
          if (this.#take(again)) return true
          if (again) pushFirst(words, at + LIST, node)
          else push(words, at + LIST, node)
          return false
        })
        return got ? new Held(this, false) : undefined
      },
      granted: (node) => {
        const got = locked(words, at, () => this.#take(load(words, node + N_HUNGRY) === 1))
        return got ? new Held(this, false) : undefined
      },
      cancel: (node, granted) =>
        locked(words, at, (others) => {
          if (!granted) return remove(words, at + LIST, node)
          const reserved = peek(words, at + RESERVED)
          if (load(words, node + N_HUNGRY) === 1 && reserved > 0) poke(words, at + RESERVED, reserved - 1)
          wake(words, at, others, 1)
        }),
      check: () => {
        if (firstLook(this.address)) buryDeadHolders(this.address)
        locked(words, at, (granted) => {
          closeLost(words, at, 0)
          const mine = peek(words, at + VALUE) > 0 && first(words, at + LIST) === waiting
          overlooked = mine ? overlooked + 1 : 0
          if (overlooked < 2) return
          // Whoever was woken for it is dead, or it was reserved for a dead one.
          poke(words, at + RESERVED, 0)
          wake(words, at, granted, 1)
        })
      },
    }
  }

  /** @internal */
  giveBack(): void {
    this.#give(1)
  }

  /** @internal No more than now, ever. */
  bind(): void {
    if (this.fresh) poke(this.words, this.at + BOUND, peek(this.words, this.at + TOTAL) + 1)
  }

  /** @internal */
  describe(): string {
    return `value=${this.value}`
  }
}

/**
 * A semaphore that cannot be released more often than it was acquired: that is a RangeError, and nothing
 * changes. Python: `multiprocessing.BoundedSemaphore`.
 *
 * ```ts
 * const seats = new BoundedSemaphore(1)
 * try {
 *   seats.release()
 * } catch (error) {
 *   console.log(error instanceof RangeError) // => true
 * }
 * ```
 */
export class BoundedSemaphore extends Semaphore {
  constructor(value = 1) {
    super(value)
    this.bind()
  }
}

/** Answers what of `n` the account could not give. */
function takeOff(words: Words, pair: number, n: number): number {
  const count = peek(words, pair + 1)
  const part = Math.min(count, n)
  if (part > 0) poke(words, pair + 1, count - part)
  return n - part
}

/** Under the guard: grants the first `n` in line, but no more than there are permits. */
function wake(words: Words, at: number, granted: number[], n: number): void {
  if (isEmpty(words, at + LIST)) return
  for (let left = Math.min(n, peek(words, at + VALUE)); left > 0; left--) {
    const node = grantFirst(words, at + LIST, 0)
    if (node === 0) return
    // Whoever waits there needs the guard to go on: it is hungry still.
    if (load(words, node + N_HUNGRY) === 1) poke(words, at + RESERVED, peek(words, at + RESERVED) + 1)
    granted.push(node)
  }
}

/** Somebody died in the guard. */
function repair(words: Words, at: number): void {
  purge(words, at + LIST)
  reckon(words, at)
}

/** What is free follows from what there is and who has how many. */
function reckon(words: Words, at: number): void {
  poke(words, at + VALUE, peek(words, at + TOTAL) - sumOf(words, at + ACCOUNTS))
  poke(words, at + RESERVED, 0)
}

function closeLost(words: Words, at: number, dead: number): void {
  if (closeAccounts(words, at + ACCOUNTS, dead) > 0) reckon(words, at)
}

function survive(words: Words, at: number, dead: number): void {
  locked(words, at, (granted) => {
    closeLost(words, at, dead)
    // One more than was given back: what was on its way to the dead one is somebody else's.
    poke(words, at + RESERVED, 0)
    wake(words, at, granted, Infinity)
  })
}

defineKind(kinds.semaphore, {
  died: (address, owner) => survive(region().words, cellWord(address), owner),
  destroy: (address) => {
    dropList(region().words, cellWord(address) + LIST)
    dropAccounts(region().words, cellWord(address) + ACCOUNTS)
  },
})
travels(Semaphore.prototype, kinds.semaphore, () => new Semaphore())
travels(BoundedSemaphore.prototype, kinds.semaphore, () => new BoundedSemaphore())
