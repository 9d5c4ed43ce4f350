/**
 * Who has how many permits of a semaphore: pairs of an owner's word and a count, in the cell and, where there
 * are more holders, in a block of their own. All under the semaphore's guard. Each change is one store, of a
 * count; what is free follows from them, so a death at any step leaves a true account (S6).
 */
import { peek, poke, store, type Words } from '../memory/atomics.ts'
import { allocate, capacityOf, free, wordAt, write } from '../memory/heap.ts'
import * as at from '../memory/layout.ts'
import { isKnown, me } from '../memory/participants.ts'

/** Address of the block where the pairs outgrew the cell, else 0; then the pairs in the cell. */
const BLOCK = 0
const INLINE = 1
const inlinePairs = 4
export const accountsWords = INLINE + 2 * inlinePairs

function firstPair(words: Words, accounts: number): number {
  const block = peek(words, accounts + BLOCK)
  return block === 0 ? accounts + INLINE : wordAt(block)
}

export function* pairsOf(words: Words, accounts: number): Generator<number> {
  const block = peek(words, accounts + BLOCK)
  const first = firstPair(words, accounts)
  const end = first + (block === 0 ? 2 * inlinePairs : capacityOf(block) / 4)
  for (let pair = first; pair < end; pair += 2) yield pair
}

/** Where this participant's pair was the last time, counted from the first one: pairs that move keep that. */
export interface Place {
  offset: number
}

/** This participant's pair, 0 where it has none. */
export function findPair(words: Words, accounts: number, place: Place): number {
  const self = me()
  const first = firstPair(words, accounts)
  if (peek(words, first + place.offset) === self) return first + place.offset
  for (const pair of pairsOf(words, accounts)) {
    if (peek(words, pair) !== self) continue
    place.offset = pair - first
    return pair
  }
  return 0
}

/** The same, and a new one where it has none. */
export function ownPair(words: Words, accounts: number, place: Place): number {
  const found = findPair(words, accounts, place)
  if (found !== 0) return found
  const pair = emptyPair(words, accounts) || grow(words, accounts)
  poke(words, pair, me())
  place.offset = pair - firstPair(words, accounts)
  return pair
}

/** An empty account may change hands: its old owner finds another name in it. */
function emptyPair(words: Words, accounts: number): number {
  for (const pair of pairsOf(words, accounts)) if (peek(words, pair + 1) === 0) return pair
  return 0
}

/** All that was taken and not given back. */
export function sumOf(words: Words, accounts: number): number {
  let sum = 0
  for (const pair of pairsOf(words, accounts)) sum += peek(words, pair + 1)
  return sum
}

/** Closes the accounts of those who are dead: of `dead`, or of all that are not known any more. */
export function closeAccounts(words: Words, accounts: number, dead: number): number {
  let permits = 0
  for (const pair of pairsOf(words, accounts)) {
    const owner = peek(words, pair)
    const count = peek(words, pair + 1)
    if (count === 0 || (owner !== dead && isKnown(owner))) continue
    poke(words, pair + 1, 0)
    permits += count
  }
  return permits
}

export function dropAccounts(words: Words, accounts: number): void {
  const block = peek(words, accounts + BLOCK)
  if (block !== 0) free(block)
}

/** Twice the room; answers the first new pair. */
function grow(words: Words, accounts: number): number {
  const pairs = Array.from(pairsOf(words, accounts))
  const block = allocate(4 * 2 * 2 * pairs.length, at.kinds.entries)
  const first = wordAt(block)
  for (const [i, pair] of pairs.entries()) {
    poke(words, first + 2 * i, peek(words, pair))
    poke(words, first + 2 * i + 1, peek(words, pair + 1))
  }
  write(block, at.H_OWNER, 0)
  const old = peek(words, accounts + BLOCK)
  store(words, accounts + BLOCK, block) // the commit
  if (old !== 0) free(old)
  return first + 2 * pairs.length
}
