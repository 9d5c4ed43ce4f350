/**
 * Who has how many permits of a semaphore: pairs of an owner's word and a count, in the cell and, where there
 * are more holders, in a block of their own. All under the semaphore's guard. Each change is one store, of a
 * count; what is free follows from them, so a death at any step leaves a true account (S6).
 */
import { load, store, type Words } from '../memory/atomics.ts'
import { allocate, capacityOf, free, freeAt, wordAt, write } from '../memory/heap.ts'
import * as at from '../memory/layout.ts'
import { isKnown, me } from '../memory/participants.ts'

/** Address of the block where the pairs outgrew the cell, else 0; then the pairs in the cell. */
const BLOCK = 0
const INLINE = 1
const inlinePairs = 4
export const accountsWords = INLINE + 2 * inlinePairs

export function* pairsOf(words: Words, accounts: number): Generator<number> {
  const block = load(words, accounts + BLOCK)
  const first = block === 0 ? accounts + INLINE : wordAt(block)
  const end = first + (block === 0 ? 2 * inlinePairs : capacityOf(block) / 4)
  for (let pair = first; pair < end; pair += 2) yield pair
}

/** This participant's pair. `hint` is where it was the last time, 0 where there was none. */
export function ownPair(words: Words, accounts: number, hint: number): number {
  const self = me()
  if (hint !== 0 && load(words, hint) === self) return hint
  let unused = 0
  for (const pair of pairsOf(words, accounts)) {
    if (load(words, pair) === self) return pair
    if (unused === 0 && load(words, pair + 1) === 0) unused = pair
  }
  // An empty account may change hands: its old owner finds another name in it.
  const pair = unused === 0 ? grow(words, accounts) : unused
  store(words, pair, self)
  return pair
}

/** All that was taken and not given back. */
export function sumOf(words: Words, accounts: number): number {
  let sum = 0
  for (const pair of pairsOf(words, accounts)) sum += load(words, pair + 1)
  return sum
}

/** Closes the accounts of those who are dead: of `dead`, or of all that are not known any more. */
export function closeAccounts(words: Words, accounts: number, dead: number): number {
  let permits = 0
  for (const pair of pairsOf(words, accounts)) {
    const owner = load(words, pair)
    const count = load(words, pair + 1)
    if (count === 0 || (owner !== dead && isKnown(owner))) continue
    store(words, pair + 1, 0)
    permits += count
  }
  return permits
}

export function dropAccounts(words: Words, accounts: number): void {
  freeAt(words, accounts + BLOCK)
}

/** Twice the room; answers the first new pair. */
function grow(words: Words, accounts: number): number {
  const pairs = Array.from(pairsOf(words, accounts))
  const block = allocate(4 * 2 * 2 * pairs.length, at.kinds.entries)
  const first = wordAt(block)
  for (const [i, pair] of pairs.entries()) {
    store(words, first + 2 * i, load(words, pair))
    store(words, first + 2 * i + 1, load(words, pair + 1))
  }
  write(block, at.H_OWNER, 0)
  const old = load(words, accounts + BLOCK)
  store(words, accounts + BLOCK, block) // the commit
  if (old !== 0) free(old)
  return first + 2 * pairs.length
}
