/**
 * Steps under the guard of a cell, for each class of this room: the guard is entered, what its last holder
 * left there by its death is made good, and it is left whatever happens, since a line that has to grow may
 * find the memory full. Whoever is granted under it is told after it, or would run into it.
 */
import type { Words } from '../memory/atomics.ts'
import { enter, leave } from '../memory/guard.ts'
import { tell } from '../memory/waiters.ts'

/** Which of a cell's words it is, in each of them. */
export const GUARD = 1

/** What a step pushes here is told: nodes that it has granted. */
type Granted = number[]
type Locked = <R>(words: Words, at: number, step: (granted: Granted) => R) => R

/** For one class: `repair` comes before the step of whoever enters after a death. */
export function guarded(repair: (words: Words, at: number, granted: Granted) => void): Locked {
  return (words, at, step) => {
    const granted: Granted = []
    const died = enter(words, at + GUARD)
    try {
      if (died) repair(words, at, granted)
      return step(granted)
    } finally {
      leave(words, at + GUARD)
      for (const node of granted) tell(words, node)
    }
  }
}
