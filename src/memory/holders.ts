/**
 * Who holds a cell: one bit for each participant, and one count of them and of the messages under way that
 * carry a handle to it. The count alone says when nobody is left (H1): a message's share becomes its
 * receiver's, who sets its bit first. A participant that dies loses its bits in the sweep. What a message
 * carried that nobody ever read stays until the program ends.
 */
import { add, and, compareExchange, load, or, sub } from './atomics.ts'
import { allocate, free, read, wordAt, write } from './heap.ts'
import * as at from './layout.ts'
import { isKnown, me, slotOf } from './participants.ts'
import { region } from './region.ts'

/** What a kind of cell needs to have done for it; its room says so when it is loaded. */
export interface Kind {
  /** Nobody holds it: gives back what hangs on it. The cell itself follows. */
  destroy?(address: number): void
  /** A participant is dead: what it had of this cell goes on without it. Called for each of the kind. */
  died?(address: number, owner: number): void
}

const known = new Map<number, Kind>()

export function defineKind(kind: number, what: Kind): void {
  known.set(kind, what)
}

export function kindOf(kind: number): Kind | undefined {
  return known.get(kind)
}

/**
 * A new cell of `words` words, all zero, held by this participant. Its own words begin behind the mask, at
 * `cellWord(address)`.
 */
export function makeCell(kind: number, words: number): number {
  const address = allocate(4 * (at.maskWords + words), kind)
  write(address, at.H_HELD, 1)
  hold(address)
  // Whose bit is set is its owner from here on; a death before this frees it as the dead one's own.
  write(address, at.H_OWNER, 0)
  return address
}

/** First of a cell's own words. */
export function cellWord(address: number): number {
  return wordAt(address) + at.maskWords
}

/** This participant holds it (still): once, however many handles it has. Whoever calls knows it to be there. */
export function hold(address: number): void {
  // The count first: a death between the two leaves the cell too long, never too short.
  addHold(address, 1)
  if (!setBit(address)) drop(address)
}

/**
 * A share of a cell that may vanish at any moment, so that it stays for now: `unsend` gives it back. False
 * where there is no cell (any more).
 */
export function pin(address: number): boolean {
  const { words } = region()
  const count = wordAt(address) + at.H_HOLDS
  for (;;) {
    const n = load(words, count)
    if (n <= 0 || read(address, at.H_HELD) !== 1) return false
    if (compareExchange(words, count, n, n + 1) === n) return true
  }
}

/** A message that carries a handle leaves; whoever reads it calls `receive`. Only a holder may call this. */
export function send(address: number): void {
  addHold(address, 1)
}

/** A message with a handle has arrived here: its share is this participant's, or one too many. */
export function receive(address: number): void {
  if (!setBit(address)) drop(address)
}

/** A message with a handle will never be read. */
export function unsend(address: number): void {
  drop(address)
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

/** Does this participant? */
export function holds(address: number, owner: number): boolean {
  const slot = slotOf(owner)
  return (load(region().words, wordAt(address) + (slot >>> 5)) & (1 << (slot & 31))) !== 0 && isKnown(owner)
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
  const { words } = region()
  if (sub(words, wordAt(address) + at.H_HOLDS, 1) !== 1) return
  // The one who took the last share, and nobody else, comes here.
  kindOf(read(address, at.H_KIND))?.destroy?.(address)
  free(address)
}
