/**
 * Who holds a cell: one bit for each participant, and one count of them and of the messages under way that
 * carry a handle to it. The count alone says when nobody is left (H1), and is never less than the holders:
 * it grows before a bit is set and shrinks after one is cleared (H2). So a death between the two costs the
 * cell, which then stays until the program ends, as does what a message carried that nobody ever read. Of
 * what is no cell, not yet or no more, the count is below 0 and cannot grow (H3): who looks at a cell that
 * has gone meanwhile finds nothing to hold. A participant that dies loses its bits in the sweep.
 */
import { loadRoom } from '../core/bundle.ts'
import { add, and, compareExchange, exchange, load, or, sub, type Words } from './atomics.ts'
import { allocate, free, read, wordAt, write } from './heap.ts'
import * as at from './layout.ts'
import { me, slotOf } from './participants.ts'
import { region } from './region.ts'

/** What a kind of cell needs to have done for it; its room says so when it is loaded. */
export interface Kind {
  /**
   * Nobody holds it: gives back what hangs on it. The cell itself follows. Called by anybody, once; and again
   * where that one died in it, so what was given back must be gone from the cell (`freeAt`, `unsendAt`). All
   * words are 0 where its maker died.
   */
  destroy?(address: number): void
  /** A participant is dead: what it had of this cell goes on without it. Called for each cell of the kind. */
  died?(address: number, owner: number): void
}

const known = new Map<number, Kind>()

export function defineKind(kind: number, what: Kind): void {
  known.set(kind, what)
}

/** Where no room has said so here: what has died may have used what this process never did. */
const rooms: readonly (readonly [first: number, room: string])[] = [
  [at.kinds.lock, 'sync'],
  [at.kinds.queue, 'queue'],
]

function kindOf(kind: number): Kind | undefined {
  if (kind < at.kinds.lock || known.has(kind)) return known.get(kind)
  const room = rooms.findLast(([first]) => kind >= first && kind < first + 16)?.[1]
  try {
    if (room !== undefined) loadRoom(room)
  } catch {
    // It is being imported: what hangs on this cell is lost until the program ends.
  }
  return known.get(kind)
}

/** A cell of this kind is here: what nobody defined asks for nothing. */
function meet(kind: number): void {
  if (!known.has(kind)) known.set(kind, {})
}

/**
 * A new cell of `words` words, all zero, held by this participant. Its own words begin behind the mask, at
 * `cellWord(address)`.
 */
export function makeCell(kind: number, words: number): number {
  meet(kind)
  const address = allocate(4 * (at.maskWords + words), kind)
  setBit(address)
  // A death before this frees it as the dead one's own; after it, as what the dead one destroyed.
  write(address, at.H_HELD, 1)
  write(address, at.H_HOLDS, 1) // the commit: from here on the sweep drops the hold
  write(address, at.H_OWNER, 0)
  return address
}

/** First of a cell's own words. */
export function cellWord(address: number): number {
  return wordAt(address) + at.maskWords
}

/**
 * This participant holds it (still): once, however many handles it has. Whoever calls knows it to be there.
 */
export function hold(address: number): void {
  addHold(address, 1)
  if (!setBit(address)) drop(address)
}

/** A message that carries a handle leaves; whoever reads it calls `receive`. Only a holder may call this. */
export function send(address: number): void {
  addHold(address, 1)
}

/** A message with a handle has arrived here: its share is this participant's, or one too many. */
export function receive(address: number): void {
  meet(read(address, at.H_KIND))
  if (!setBit(address)) drop(address)
}

/** A message with a handle will never be read. */
export function unsend(address: number): void {
  drop(address)
}

/** The share that a cell has of the one whose address is in this word, if any, ends: as `freeAt` does it. */
export function unsendAt(words: Words, word: number): void {
  const address = exchange(words, word, 0)
  if (address !== 0) drop(address)
}

/** The last handle of this participant is gone. */
export function release(address: number, owner = me()): void {
  const slot = slotOf(owner)
  const bit = 1 << (slot & 31)
  const { words } = region()
  if ((and(words, wordAt(address) + (slot >>> 5), ~bit) & bit) !== 0) drop(address)
}

/** Does anybody hold it, messages under way included? */
export function isHeld(address: number): boolean {
  return read(address, at.H_HOLDS) > 0
}

/**
 * A participant is dead: what it had of a cell ends, and what it was destroying is destroyed. For a sweeper,
 * which may hold nothing of it itself.
 */
export function dropDead(address: number, owner: number): void {
  if (!holdIfHeld(address)) return read(address, at.H_HOLDS) === -owner ? finish(address) : destroy(address)
  try {
    kindOf(read(address, at.H_KIND))?.died?.(address, owner)
    if (hasBit(address, slotOf(owner))) release(address, owner)
  } finally {
    drop(address)
  }
}

/** One more hold where there is any: its last holder may let go of it at any time. */
function holdIfHeld(address: number): boolean {
  const { words } = region()
  const count = wordAt(address) + at.H_HOLDS
  for (;;) {
    const held = load(words, count)
    if (held <= 0) return false
    if (compareExchange(words, count, held, held + 1) === held) return true
  }
}

function hasBit(address: number, slot: number): boolean {
  return (load(region().words, wordAt(address) + (slot >>> 5)) & (1 << (slot & 31))) !== 0
}

function setBit(address: number): boolean {
  const slot = slotOf(me())
  const bit = 1 << (slot & 31)
  return (or(region().words, wordAt(address) + (slot >>> 5), bit) & bit) === 0
}

function addHold(address: number, n: number): void {
  add(region().words, wordAt(address) + at.H_HOLDS, n)
}

function drop(address: number): void {
  if (sub(region().words, wordAt(address) + at.H_HOLDS, 1) === 1) destroy(address)
}

/** Nobody holds it: one alone has it now, be it the last holder or a sweeper, and says who. */
function destroy(address: number): void {
  if (compareExchange(region().words, wordAt(address) + at.H_HOLDS, 0, -me()) === 0) finish(address)
}

/** A kind that is not known here waits for somebody who knows it, and sweeps. */
function finish(address: number): void {
  const what = kindOf(read(address, at.H_KIND))
  if (what === undefined) return write(address, at.H_HOLDS, 0)
  what.destroy?.(address)
  free(address)
}
