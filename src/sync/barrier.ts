/**
 * A meeting point for a number of parties. Under its guard it counts who has come; whoever comes last runs
 * the action, outside of the guard, and then lets all of its generation go. Who comes while the action runs
 * waits at the door for the next generation. What was begun under the guard by one that died in it cannot be
 * told: then the barrier is broken, as it is by the death of any party.
 */
import { BrokenBarrierError } from '../core/errors.ts'
import { checkFunction, checkInteger, checkOptions as checkObject, checkTimeout } from '../core/options.ts'
import type { WaitOptions } from '../core/waiting.ts'
import { load, store, type Words } from '../memory/atomics.ts'
import { cellWord, defineKind } from '../memory/holders.ts'
import { kinds, listWords, N_OWNER, N_VALUE } from '../memory/layout.ts'
import { firstLook, park, parkSync, type Wait } from '../memory/park.ts'
import { isKnown, me } from '../memory/participants.ts'
import { region } from '../memory/region.ts'
import { buryDeadHolders } from '../memory/sweep.ts'
import { dropList, grantFirst, purge, push, remove, waiting } from '../memory/waiters.ts'
import { Cell, travels } from './cell.ts'
import { guarded } from './guarded.ts'
import { checkOptions } from './lockable.ts'

/** FILLING, ACTING or BROKEN. */
const STATE = 0
const PARTIES = 2
/** How many of this generation have come. */
const COUNT = 3
const GENERATION = 4
/** Owner's word of whoever runs the action. */
const ACTOR = 5
const INSIDE = 6
const DOOR = INSIDE + listWords

const FILLING = 0
const ACTING = 1
const BROKEN = 2

/** What those inside are told. */
const PASS = 1
const FAIL = 2

// What was begun by one that died in it is broken off.
const locked = guarded((words, at, granted) => {
  purge(words, at + INSIDE)
  purge(words, at + DOOR)
  breakUp(words, at, granted)
})

/** A place in a generation; `last` has the action to run. */
interface Place {
  readonly index: number
  readonly generation: number
  readonly last: boolean
}

/**
 * Lets `parties` threads or processes wait for each other: each `wait()` returns when all have come, with a
 * number of its own from 0 on; then it serves again. A party that times out, aborts or dies breaks it: all
 * others get a BrokenBarrierError, until `reset()`. Python: `multiprocessing.Barrier`.
 *
 * ```ts
 * let rounds = 0
 * const start = new Barrier(2, { action: () => rounds++ })
 * console.log(await Promise.all([start.wait(), start.wait()])) // => [0, 1]
 * console.log(rounds) // => 1
 * ```
 */
export class Barrier extends Cell {
  readonly #action: (() => unknown) | undefined
  readonly #timeout: number | undefined

  /**
   * `action` is called by one party, whichever comes last, before any is let go; where it throws, that party
   * gets its error and the barrier is broken. It travels with the barrier. `timeout`: milliseconds, for waits
   * without one.
   */
  constructor(
    parties: number,
    options?: { action?: (() => unknown) | undefined; timeout?: number | undefined },
  ) {
    checkInteger(parties, 'parties', 1)
    checkObject(options)
    if (options?.action !== undefined) checkFunction(options.action, 'action')
    checkTimeout(options?.timeout)
    super(kinds.barrier, DOOR + listWords)
    this.#action = options?.action
    this.#timeout = options?.timeout
    if (this.fresh) store(this.words, this.at + PARTIES, parties)
  }

  get parties(): number {
    return load(this.words, this.at + PARTIES)
  }

  /** How many wait inside: at the moment of the call. */
  get nWaiting(): number {
    return load(this.words, this.at + COUNT)
  }

  get broken(): boolean {
    return load(this.words, this.at + STATE) === BROKEN
  }

  /**
   * Resolves when all parties have come, to a number from 0 to parties - 1 that no other party of this round
   * has. BrokenBarrierError where the barrier is or gets broken; a timeout of this call breaks it.
   */
  async wait(options?: WaitOptions): Promise<number> {
    checkOptions(options)
    const visit = new Visit(this)
    const place = await park(visit, options?.timeout ?? this.#timeout, options?.signal)
    if (place?.last !== true) return visit.end(place)
    try {
      await this.#action?.()
    } catch (error) {
      this.#fail(place)
      throw error
    }
    return this.#pass(place)
  }

  /** The same, and stops this thread meanwhile; what `action` returns is not waited for. */
  waitSync(options?: WaitOptions): number {
    checkOptions(options)
    const visit = new Visit(this)
    const place = parkSync(visit, options?.timeout ?? this.#timeout, options?.signal)
    if (place?.last !== true) return visit.end(place)
    try {
      this.#action?.()
    } catch (error) {
      this.#fail(place)
      throw error
    }
    return this.#pass(place)
  }

  /** Breaks it: all who wait, and all who come until `reset()`, get a BrokenBarrierError. */
  abort(): void {
    const { words, at } = this
    locked(words, at, (granted) => breakUp(words, at, granted))
  }

  /** Makes it as new: whoever waits gets a BrokenBarrierError. */
  reset(): void {
    const { words, at } = this
    locked(words, at, (granted) => end(words, at, granted, FILLING, FAIL))
  }

  #pass({ index, generation }: Place): number {
    const { words, at } = this
    return locked(words, at, (granted) => {
      if (load(words, at + STATE) !== ACTING || load(words, at + GENERATION) !== generation) throw broken()
      end(words, at, granted, FILLING, PASS)
      return index
    })
  }

  #fail({ generation }: Place): void {
    const { words, at } = this
    locked(words, at, (granted) => {
      if (load(words, at + GENERATION) === generation) breakUp(words, at, granted)
    })
  }

  /** @internal What travels beside the cell. */
  get extra(): unknown {
    return { action: this.#action, timeout: this.#timeout }
  }

  /** @internal */
  describe(): string {
    return this.broken ? 'broken' : `${this.nWaiting}/${this.parties}`
  }
}

/** One party's wait. */
class Visit implements Wait<Place> {
  readonly #of: Barrier
  #place: Place | undefined
  /** It gave up, and was let go all the same. */
  #late = false

  constructor(of: Barrier) {
    this.#of = of
  }

  begin(node: number): Place | undefined {
    const { words, at } = this.#of
    return locked(words, at, () => {
      const state = load(words, at + STATE)
      if (state === BROKEN) throw broken()
      if (state === ACTING) {
        push(words, at + DOOR, node)
        return undefined
      }
      const index = load(words, at + COUNT)
      const last = index + 1 === load(words, at + PARTIES)
      // First, as there may be no room: then it has not come.
      if (!last) push(words, at + INSIDE, node)
      this.#place = { index, generation: load(words, at + GENERATION), last }
      store(words, at + COUNT, index + 1)
      if (!last) return undefined
      store(words, at + ACTOR, me())
      store(words, at + STATE, ACTING)
      return this.#place
    })
  }

  granted(node: number): Place | undefined {
    const { words } = this.#of
    if (this.#place !== undefined && load(words, node + N_VALUE) === FAIL) throw broken()
    return this.#place
  }

  cancel(node: number, granted: boolean): void {
    const { words, at } = this.#of
    const place = this.#place
    locked(words, at, (others) => {
      if (!granted) remove(words, place === undefined ? at + DOOR : at + INSIDE, node)
      const ours = place !== undefined && load(words, at + GENERATION) === place.generation
      this.#late = place !== undefined && !ours && load(words, at + STATE) !== BROKEN
      // Also at the door: a party that gives up is missing, whichever generation it would have been of.
      if (ours || (place === undefined && !granted)) breakUp(words, at, others)
    })
  }

  check(): void {
    const { address, words, at } = this.#of
    if (!firstLook(address)) return
    buryDeadHolders(address)
    breakIfLost(words, at, (owner) => !isKnown(owner))
  }

  /** The number of one who was let go; throws where the deadline came first. */
  end(place: Place | undefined): number {
    if (place !== undefined) return place.index
    if (this.#late) return this.#place!.index
    throw broken('its timeout came before all parties did')
  }
}

function broken(why = 'a party gave up or died, or it was aborted or reset'): BrokenBarrierError {
  return new BrokenBarrierError(`the barrier is broken: ${why}. reset() makes it as new`)
}

/** Breaks it where one who waits, or who acts, is dead. */
function breakIfLost(words: Words, at: number, isDead: (owner: number) => boolean): void {
  locked(words, at, (granted) => {
    let lost = load(words, at + STATE) === ACTING && isDead(load(words, at + ACTOR))
    for (const list of [at + INSIDE, at + DOOR])
      for (const node of waiting(words, list)) lost ||= isDead(load(words, node + N_OWNER))
    if (lost) breakUp(words, at, granted)
  })
}

// Under the guard:

function breakUp(words: Words, at: number, granted: number[]): void {
  end(words, at, granted, BROKEN, FAIL)
}

/** Ends this generation: those inside are told what became of it, those at the door look again. */
function end(words: Words, at: number, granted: number[], state: number, told: number): void {
  store(words, at + ACTOR, 0)
  store(words, at + COUNT, 0)
  store(words, at + GENERATION, (load(words, at + GENERATION) + 1) | 0)
  store(words, at + STATE, state)
  for (const list of [at + INSIDE, at + DOOR])
    for (let node = grantFirst(words, list, told); node !== 0; node = grantFirst(words, list, told))
      granted.push(node)
}

defineKind(kinds.barrier, {
  died: (address, owner) => breakIfLost(region().words, cellWord(address), (one) => one === owner),
  destroy(address) {
    dropList(region().words, cellWord(address) + INSIDE)
    dropList(region().words, cellWord(address) + DOOR)
  },
})
travels(
  Barrier.prototype,
  kinds.barrier,
  (extra) => new Barrier(1, extra as { action?: () => unknown; timeout?: number }),
  (barrier) => barrier.extra,
)
