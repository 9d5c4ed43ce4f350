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
import { enter, leave } from '../memory/guard.ts'
import { cellWord, defineKind } from '../memory/holders.ts'
import { kinds, listWords, N_OWNER, N_VALUE } from '../memory/layout.ts'
import { firstLook, park, parkSync, type Wait } from '../memory/park.ts'
import { isKnown, me } from '../memory/participants.ts'
import { region } from '../memory/region.ts'
import { buryDeadHolders } from '../memory/sweep.ts'
import { dropList, grantFirst, purge, push, remove, tell, waiting } from '../memory/waiters.ts'
import { Cell, travels } from './cell.ts'
import { checkOptions } from './lockable.ts'

/** FILLING, ACTING or BROKEN. */
const STATE = 0
const GUARD = 1
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
    enter(words, at + GUARD)
    leaveBroken(words, at)
  }

  /** Makes it as new: whoever waits gets a BrokenBarrierError. */
  reset(): void {
    const { words, at } = this
    enter(words, at + GUARD)
    leaveWith(words, at, FILLING, FAIL)
  }

  #pass({ index, generation }: Place): number {
    const { words, at } = this
    enterOrBreak(words, at)
    if (load(words, at + STATE) !== ACTING || load(words, at + GENERATION) !== generation) {
      leave(words, at + GUARD)
      throw broken()
    }
    leaveWith(words, at, FILLING, PASS)
    return index
  }

  #fail({ generation }: Place): void {
    const { words, at } = this
    enter(words, at + GUARD)
    if (load(words, at + GENERATION) === generation) leaveBroken(words, at)
    else leave(words, at + GUARD)
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
    enterOrBreak(words, at)
    const state = load(words, at + STATE)
    if (state === BROKEN) {
      leave(words, at + GUARD)
      throw broken()
    }
    if (state === ACTING) push(words, at + DOOR, node)
    else {
      const index = load(words, at + COUNT)
      const last = index + 1 === load(words, at + PARTIES)
      this.#place = { index, generation: load(words, at + GENERATION), last }
      store(words, at + COUNT, index + 1)
      if (last) {
        store(words, at + ACTOR, me())
        store(words, at + STATE, ACTING)
      } else push(words, at + INSIDE, node)
    }
    leave(words, at + GUARD)
    return this.#place?.last === true ? this.#place : undefined
  }

  granted(node: number): Place | undefined {
    const { words } = this.#of
    if (this.#place !== undefined && load(words, node + N_VALUE) === FAIL) throw broken()
    return this.#place
  }

  cancel(node: number, granted: boolean): void {
    const { words, at } = this.#of
    enterOrBreak(words, at)
    if (!granted) remove(words, this.#place === undefined ? at + DOOR : at + INSIDE, node)
    const ours = this.#place !== undefined && load(words, at + GENERATION) === this.#place.generation
    this.#late = this.#place !== undefined && !ours && load(words, at + STATE) !== BROKEN
    // Also at the door: a party that gives up is missing, whichever generation it would have been of.
    if (ours || (this.#place === undefined && !granted)) leaveBroken(words, at)
    else leave(words, at + GUARD)
  }

  check(): void {
    const { address, words, at } = this.#of
    if (!firstLook(address)) return
    buryDeadHolders(address)
    for (const node of waiting(words, at + INSIDE))
      if (!isKnown(load(words, node + N_OWNER))) return this.#of.abort()
    if (load(words, at + STATE) === ACTING && !isKnown(load(words, at + ACTOR))) this.#of.abort()
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

/** Enters the guard; where its last holder died in it, what it had begun is broken off. */
function enterOrBreak(words: Words, at: number): void {
  while (enter(words, at + GUARD)) {
    purge(words, at + INSIDE)
    purge(words, at + DOOR)
    leaveBroken(words, at)
  }
}

function leaveBroken(words: Words, at: number): void {
  leaveWith(words, at, BROKEN, FAIL)
}

/** Ends this generation: those inside are told what became of it, those at the door look again. */
function leaveWith(words: Words, at: number, state: number, told: number): void {
  store(words, at + ACTOR, 0)
  store(words, at + COUNT, 0)
  store(words, at + GENERATION, (load(words, at + GENERATION) + 1) | 0)
  store(words, at + STATE, state)
  const nodes: number[] = []
  for (const list of [at + INSIDE, at + DOOR])
    for (let node = grantFirst(words, list, told); node !== 0; node = grantFirst(words, list, told))
      nodes.push(node)
  leave(words, at + GUARD)
  for (const node of nodes) tell(words, node)
}

defineKind(kinds.barrier, {
  died(address, owner) {
    const { words } = region()
    const at = cellWord(address)
    enterOrBreak(words, at)
    let lost = load(words, at + STATE) === ACTING && load(words, at + ACTOR) === owner
    for (const list of [at + INSIDE, at + DOOR])
      for (const node of waiting(words, list)) lost ||= load(words, node + N_OWNER) === owner
    if (lost) leaveBroken(words, at)
    else leave(words, at + GUARD)
  },
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
