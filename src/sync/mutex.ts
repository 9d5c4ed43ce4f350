/**
 * The lock under Lock and RLock: one word that says who has it, a list of those who wait, and a guard for the
 * list. Only whoever takes the lock writes itself into the word (S3), so that no death of somebody else can
 * give it to two or to nobody. A release makes the word free and wakes the first in line, who may find it
 * taken by one who was faster; woken once, it is hungry, and the next release keeps the lock for it (S4): no
 * waiting is in vain twice, and nobody pays a change of threads for each turn. Who holds it is looked at each
 * 100 ms, and at once when a parent buries a child.
 */
import { compareExchange, load, peek, type Words } from '../memory/atomics.ts'
import { L_HEAD, L_TAIL, listWords, N_HUNGRY } from '../memory/layout.ts'
import type { Wait } from '../memory/park.ts'
import { isAlive, isKnown, me, ownerMask, slotMask } from '../memory/participants.ts'
import { dropList, first, grantFirst, purge, push, pushFirst, remove } from '../memory/waiters.ts'
import { guarded } from './guarded.ts'

// The word. Held: the owner's word and WAITERS. Free: the other flags.

/** A release has to look into the list. Set before anybody stands there, and never missing for long (S5). */
const WAITERS = 2 ** 30
/** The last holder died. */
const DIED = 2 ** 11
/** For one who was woken in vain before, and is on its way. */
const KEPT = 2 ** 12

const LIST = 4
/** Words of a mutex; 2 and 3 are free for whoever is built on it. */
export const mutexWords = LIST + listWords

const locked = guarded((words, at) => purge(words, at + LIST))

/** What an attempt gave. */
export const TAKEN = 1
/** Taken from one who died with it. */
export const INHERITED = 2

/** Takes the mutex at `at` where that needs no wait, else answers 0. */
export function take(words: Words, at: number, hungry = false): number {
  const self = me()
  for (;;) {
    const seen = peek(words, at)
    const orphan = (seen & slotMask) !== 0
    // Whoever is not in the table any more has died, and nobody has told this mutex.
    if (orphan && isKnown(seen & ownerMask)) return 0
    if (!orphan && (seen & KEPT) !== 0 && !hungry) return 0
    if (compareExchange(words, at, seen, self | (seen & WAITERS)) === seen)
      return orphan || (seen & DIED) !== 0 ? INHERITED : TAKEN
  }
}

/** Owner's word of its holder, 0 where it is free. */
export function holderOf(words: Words, at: number): number {
  const seen = load(words, at)
  return (seen & slotMask) === 0 ? 0 : seen & ownerMask
}

/** Whether this participant has it. */
export function isHolder(words: Words, at: number): boolean {
  return (peek(words, at) & ownerMask) === me()
}

/** Frees it, whoever has it; false where nobody does. */
export function give(words: Words, at: number): boolean {
  const self = me()
  if (compareExchange(words, at, self, 0) === self) return true
  return locked(words, at, (granted) => {
    const seen = load(words, at)
    const held = (seen & slotMask) !== 0
    if (held) wakeNext(words, at, granted, seen & ownerMask, 0)
    return held
  })
}

/** Under the guard: where it is free, or held by `holder`, frees it and wakes the first in line. */
function wakeNext(words: Words, at: number, granted: number[], holder: number, died: number): void {
  const list = at + LIST
  for (let from = holder; ;) {
    const seen = load(words, at)
    const held = (seen & slotMask) !== 0
    if (held && (seen & ownerMask) !== from) return
    const node = first(words, list)
    const kept = node !== 0 && load(words, node + N_HUNGRY) === 1 ? KEPT : 0
    const more = ((load(words, list + L_TAIL) - load(words, list + L_HEAD)) | 0) > 1 ? WAITERS : 0
    const free = kept | more | (held ? died : seen & DIED)
    if (compareExchange(words, at, seen, free) !== seen) continue
    if (node === 0) return
    // A death from here on leaves the node in line, without a flag that says so: `check` finds it.
    const next = grantFirst(words, list, 0)
    if (next !== 0) return void granted.push(next)
    from = 0 // all gave up meanwhile; the word is free, or somebody has taken it
  }
}

function wakeUnderGuard(words: Words, at: number, holder: number, died: number): void {
  locked(words, at, (granted) => wakeNext(words, at, granted, holder, died))
}

/** A participant is dead; called for each mutex. */
export function survive(words: Words, at: number, dead: number): void {
  const holder = holderOf(words, at)
  // Free, and it was on its way to it: somebody else is woken.
  if (holder === dead || (holder === 0 && load(words, at) !== 0)) wakeUnderGuard(words, at, dead, DIED)
}

/** Under the guard: takes it, or stands in line with `node`; first in line where it was there before. */
function takeOrWait(words: Words, at: number, node: number, again: boolean): number {
  for (;;) {
    const how = take(words, at, again)
    if (how !== 0) return how
    const seen = load(words, at)
    // The flag before the entry, both under the guard: whoever releases after it waits for the entry.
    if ((seen & WAITERS) === 0 && compareExchange(words, at, seen, seen | WAITERS) !== seen) continue
    // Free by now, and for everyone.
    if ((seen & slotMask) === 0 && (seen & KEPT) === 0) continue
    if (again) pushFirst(words, at + LIST, node)
    else push(words, at + LIST, node)
    return 0
  }
}

/** The wait for a mutex: for `taken`, which is given how it was taken. */
export function waitForMutex<R>(words: Words, at: number, taken: (how: number) => R): Wait<R> {
  /** How often in a row it was free, and this the first in line. */
  let overlooked = 0
  let waiting = 0
  return {
    begin(node, again) {
      waiting = node
      overlooked = 0
      const how = locked(words, at, () => takeOrWait(words, at, node, again))
      return how === 0 ? undefined : taken(how)
    },
    granted() {
      const how = take(words, at, true)
      return how === 0 ? undefined : taken(how)
    },
    cancel(node, granted) {
      if (granted) return wakeUnderGuard(words, at, 0, 0)
      locked(words, at, () => remove(words, at + LIST, node))
    },
    check() {
      const seen = load(words, at)
      if ((seen & slotMask) !== 0) {
        overlooked = 0
        if (!isAlive(seen & ownerMask)) return wakeUnderGuard(words, at, seen & ownerMask, DIED)
        // Whoever had the guard died before it said that somebody waits (S5).
        if ((seen & WAITERS) === 0) compareExchange(words, at, seen, seen | WAITERS)
        return
      }
      // Who was woken is on its way, or dead: one slice more, and then the first in line is woken.
      const mine = locked(words, at, () => first(words, at + LIST) === waiting)
      overlooked = mine ? overlooked + 1 : 0
      if (overlooked > 1) wakeUnderGuard(words, at, 0, 0)
    },
  }
}

/** The cell is given back. */
export function dropMutex(words: Words, at: number): void {
  dropList(words, at + LIST)
}
