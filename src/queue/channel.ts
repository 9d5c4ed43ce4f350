/**
 * A stream of messages in shared memory with those who wait at both of its ends: under Queue one, under a
 * Pipe two. Everything is done under its guard, in a few steps, and nothing of the user's runs there. Who
 * puts wakes one who waits for a record, who takes wakes one who waits for room; whoever dies between being
 * woken and taking leaves the record to the others, who look every slice (Q3).
 */
import { load, store, type Words } from '../memory/atomics.ts'
import { enter, leave } from '../memory/guard.ts'
import { takeOver } from '../memory/leases.ts'
import { dropList, first as firstWaiter, grant, grantFirst, purge } from '../memory/waiters.ts'
import { push, pushFirst, remove, tell, waiting } from '../memory/waiters.ts'
import { GRANTED, N_HUNGRY, N_LIST, N_OWNER, N_STATE } from '../memory/layout.ts'
import { isAlive, isKnown } from '../memory/participants.ts'
import type { Wait } from '../memory/park.ts'
import { region } from '../memory/region.ts'
import * as fifo from './fifo.ts'
import { takeBuffer, type Incoming, type Outgoing } from './message.ts'
import * as at from './layout.ts'

/** One of its two lines of waiters. */
export const GETTERS = 0
export const PUTTERS = 1
type Line = typeof GETTERS | typeof PUTTERS
const lists = [at.GETTERS, at.PUTTERS] as const
const dues = [at.DUE_GETTER, at.DUE_PUTTER] as const

/** Longer payloads are copied by a call into native code. */
const fewBytes = 96

/** A record that was looked at, and whether it was taken. */
export interface Found extends Incoming {
  readonly taken: boolean
  readonly sequence: number
}

export class Channel {
  readonly words: Words = region().words
  readonly w: number
  /** Granted under the guard, to be told after it. */
  #granted: number[] = []

  readonly #lists: readonly number[]

  /** `word` is the first of its words, in a cell that the caller holds; `more` are lists under its guard. */
  constructor(word: number, ...more: readonly number[]) {
    this.w = word
    this.#lists = [...lists, ...more].map((list) => word + list)
  }

  // ── steps; all under the guard: between `enter` and `leave`, or in `locked` ──

  /** Puts; false where there is no room now. `refuse` is told of a state other than 0, and throws. */
  put(message: Outgoing, refuse: (state: number) => void, node = 0): boolean {
    const state = load(this.words, this.w + at.STATE)
    if (state !== 0) refuse(state)
    if (!this.#hasRoom(message, node)) return false
    message.entrust()
    fifo.append(this.words, this.w, message)
    this.#next(GETTERS)
    return true
  }

  /**
   * Takes the first record. One that is captured is only looked at, and taken where it is `known`: the one
   * with this sequence number. `refuse` is told of the state where there is no record, and may throw.
   */
  take(refuse: (state: number) => void, known?: number, node = 0): Found | undefined {
    const { words, w } = this
    const record = fifo.first(words, w)
    if (record === 0) refuse(load(words, w + at.STATE))
    if (record === 0 || !this.#isMine(GETTERS, fifo.count(words, w), node)) return undefined
    const flags = load(words, record + at.R_FLAGS)
    const sequence = load(words, record + at.R_SEQUENCE)
    const taken = (flags & at.CAPTURED) === 0 || sequence === known
    const found = this.#copy(record, flags, sequence, taken)
    if (taken) {
      fifo.removeFirst(words, w, record)
      found.blocks.forEach(takeOver)
      this.#next(PUTTERS)
    } else if (node !== 0) this.#next(GETTERS) // it may be away for a while
    return found
  }

  /** Is there a record, or will there never be one? */
  readable(): boolean {
    return fifo.first(this.words, this.w) !== 0 || load(this.words, this.w + at.STATE) !== 0
  }

  /** Stands in line; first in it where it was there before. */
  join(line: Line, node: number, again: boolean): void {
    const list = this.w + lists[line]
    if (again) pushFirst(this.words, list, node)
    else push(this.words, list, node)
  }

  locked<R>(step: () => R): R {
    this.enter()
    try {
      return step()
    } finally {
      this.leave()
    }
  }

  enter(): void {
    if (enter(this.words, this.w + at.GUARD)) this.#repair()
  }

  /** And tells those who were granted meanwhile: what wakes up under the guard would run into it. */
  leave(): void {
    leave(this.words, this.w + at.GUARD)
    if (this.#granted.length === 0) return
    const granted = this.#granted
    this.#granted = []
    for (const node of granted) tell(this.words, node)
  }

  /** Is the record with this sequence number still there, and the first? Takes the guard itself. */
  isFirst(sequence: number): boolean {
    return this.locked(() => {
      const record = fifo.first(this.words, this.w)
      return record !== 0 && load(this.words, record + at.R_SEQUENCE) === sequence
    })
  }

  /** How many records there are; without the guard. */
  count(): number {
    return fifo.count(this.words, this.w)
  }

  // ── waiting ──

  /** The wait for one step, which answers undefined to wait on. */
  wait<R>(line: Line, step: (node: number) => R | undefined, alsoCheck?: () => void): Wait<R> {
    return {
      begin: (node, again) =>
        this.locked(() => {
          const got = step(again ? node : 0)
          if (got === undefined) this.join(line, node, again)
          return got
        }),
      granted: (node) => this.locked(() => this.arrive(line, node, () => step(node))),
      cancel: (node, granted) => this.cancel(line, node, granted),
      check: () => {
        alsoCheck?.()
        this.nudge(line)
      },
    }
  }

  /** Under the guard: a granted node does its step, and what was kept for it is anybody's afterwards. */
  arrive<R>(line: Line, node: number, step: () => R): R {
    try {
      return step()
    } finally {
      const due = this.w + dues[line]
      if (load(this.words, due) === node) store(this.words, due, 0)
    }
  }

  /** A node leaves the line. */
  cancel(line: Line, node: number, granted: boolean): void {
    this.locked(() =>
      this.arrive(line, node, () => {
        remove(this.words, this.w + lists[line], node)
        if (granted && this.#isWorth(line)) this.#next(line)
      }),
    )
  }

  /** Wakes the first in line where there is something for it: somebody may have died before taking it. */
  nudge(line: Line): void {
    const { words, w } = this
    const due = load(words, w + dues[line])
    const dead = due !== 0 && !isAlive(load(words, due + N_OWNER))
    this.locked(() => {
      if (dead && load(words, w + dues[line]) === due) store(words, w + dues[line], 0)
      if (this.#isWorth(line)) this.#next(line)
    })
  }

  /** A state for good, and what else is done in that moment; all who wait look again. */
  setState<R>(bit: number, also?: () => R): R | undefined {
    const { words, w } = this
    return this.locked(() => {
      store(words, w + at.STATE, load(words, w + at.STATE) | bit)
      this.wakeAll(w + at.GETTERS)
      this.wakeAll(w + at.PUTTERS)
      return also?.()
    })
  }

  get state(): number {
    return load(this.words, this.w + at.STATE)
  }

  /** Nobody holds the cell any more. */
  destroy(): void {
    fifo.drop(this.words, this.w)
    for (const list of this.#lists) dropList(this.words, list)
  }

  /** Under the guard: grants all in a list. */
  wakeAll(list: number): void {
    for (const node of Array.from(waiting(this.words, list)))
      if (grant(this.words, node, 0)) this.#granted.push(node)
  }

  // ── under the guard ──

  /** Somebody died in it. */
  #repair(): void {
    fifo.repair(this.words, this.w)
    for (const list of this.#lists) purge(this.words, list)
  }

  #hasRoom(message: Outgoing, node: number): boolean {
    const { words, w } = this
    const max = load(words, w + at.MAX)
    const maxBytes = load(words, w + at.MAX_BYTES)
    if (max === 0 && maxBytes === 0) return true
    const room = max === 0 ? 2 ** 31 : max - fifo.count(words, w)
    // One message always fits.
    const bytes = load(words, w + at.BYTES)
    if (maxBytes !== 0 && bytes !== 0 && bytes + message.weight > maxBytes) return false
    return this.#isMine(PUTTERS, room, node)
  }

  /** Whether whoever asks may have one of `n`: one is another's who was woken in vain before. */
  #isMine(line: Line, n: number, node: number): boolean {
    const { words, w } = this
    if (n <= 0) return false
    const due = load(words, w + dues[line])
    if (due === 0 || due === node || n > 1) return true
    const comes =
      load(words, due + N_STATE) === GRANTED &&
      load(words, due + N_LIST) === w + lists[line] &&
      isKnown(load(words, due + N_OWNER))
    if (!comes) store(words, w + dues[line], 0)
    return !comes
  }

  /** Grants the first in line. */
  #next(line: Line): void {
    const { words, w } = this
    const list = w + lists[line]
    const next = firstWaiter(words, list)
    if (next === 0) return
    const hungry = load(words, next + N_HUNGRY) === 1
    const granted = grantFirst(words, list, 0)
    if (granted === 0) return
    // A death before this only lets somebody else come first.
    if (hungry && granted === next) store(words, w + dues[line], granted)
    this.#granted.push(granted)
  }

  /** Is there something for one in this line? */
  #isWorth(line: Line): boolean {
    const { words, w } = this
    if (load(words, w + at.STATE) !== 0) return true
    const n = fifo.count(words, w)
    if (line === GETTERS) return n > 0
    const [max, maxBytes] = [load(words, w + at.MAX), load(words, w + at.MAX_BYTES)]
    return (max === 0 || n < max) && (maxBytes === 0 || load(words, w + at.BYTES) < maxBytes)
  }

  #copy(record: number, flags: number, sequence: number, taken: boolean): Found {
    const { words } = this
    const length = load(words, record + at.R_LENGTH)
    const count = load(words, record + at.R_BLOCKS)
    const listed = fifo.blocksOf(words, record)
    const blocks = count === 0 ? none : Array.from(words.subarray(listed, listed + count))
    const inside = (flags & at.BIG) === 0 ? length : 0
    const bytes = taken ? takeBuffer(inside) : Buffer.allocUnsafe(inside)
    const from = region().bytes
    const start = (listed + count) * 4
    if (inside > fewBytes) bytes.set(from.subarray(start, start + inside))
    else for (let i = 0; i < inside; i++) bytes[i] = from[start + i]!
    return { bytes, length, flags, blocks, sequence, taken }
  }
}

const none: readonly number[] = []
