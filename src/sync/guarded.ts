/**
 * Steps under the guard of a cell, which each class of this room has: entered, made good where its last holder
 * died in it, and left whatever happens, since a line that grows may find the memory full. Those who are
 * granted there are told after it, or they would run into it.
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
