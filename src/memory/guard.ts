/**
 * The short lock inside of plait's own structures: held for a few hundred steps, never while anything of the
 * user's runs, never across a wait (G1). Everything changed under it is changed by one last store, or can be
 * made good from what is there, so that a holder's death at any step leaves what the next holder can use: it
 * takes the guard over, is told, and repairs (G2). Where nobody sees a thread die, none is ended with a guard
 * (G3). Locks of the user's are in sync/.
 */
import { beginUndisturbed, endUndisturbed } from '../core/undisturbed.ts'
import { compareExchange, exchange, load, sleepOn, spins, wake, type Words } from './atomics.ts'
import { isAlive, me, ownerMask, unseen } from './participants.ts'

/** Somebody sleeps on the word, or may. */
const CONTENDED = 2 ** 30
/** Milliseconds after which a sleeper looks whether the holder lives. */
const slice = 20

/** Takes the guard; true where its last holder died in it. */
export function enter(words: Words, guard: number): boolean {
  const self = me()
  if (unseen) beginUndisturbed()
  if (compareExchange(words, guard, 0, self) === 0) return false
  return contend(words, guard, self)
}

function contend(words: Words, guard: number, self: number): boolean {
  for (let i = 0; i < spins; i++)
    if (load(words, guard) === 0 && compareExchange(words, guard, 0, self) === 0) return false
  for (;;) {
    // With the flag from here on: after a sleep nobody knows who else sleeps, and one wake too many is
    // harmless where one too few is not.
    const seen = load(words, guard)
    if (seen === 0) {
      if (compareExchange(words, guard, 0, self | CONTENDED) === 0) return false
      continue
    }
    if ((seen & CONTENDED) === 0 && compareExchange(words, guard, seen, seen | CONTENDED) !== seen) continue
    const held = seen | CONTENDED
    sleepOn(words, guard, held, slice)
    if (load(words, guard) !== held || isAlive(held & ownerMask)) continue
    if (compareExchange(words, guard, held, self | CONTENDED) === held) return true
  }
}

export function leave(words: Words, guard: number): void {
  if ((exchange(words, guard, 0) & CONTENDED) !== 0) wake(words, guard, 1)
  if (unseen) endUndisturbed()
}
