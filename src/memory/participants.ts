/**
 * Who takes part in the region: one slot for each thread that uses it, with what is needed to tell that it
 * has died, to ring it, and to find its waiters. An owner's word (slot and generation) names a participant in
 * locks and blocks; it is never given twice, so what a dead one left can be told from what lives.
 */
import { threadId } from 'node:worker_threads'
import { PlaitError } from '../core/errors.ts'
import { load, store, compareExchange } from './atomics.ts'
import * as at from './layout.ts'
import { region } from './region.ts'

/** Bits of an owner's word: 11 for the slot plus 1, 19 for the generation. Above them there are two flags. */
const slotBits = 11
const slotMask = 2 ** slotBits - 1
const generationMask = 2 ** 19 - 1
/** What of a word is the owner. */
export const ownerMask = 2 ** 30 - 1

let mine = 0

/** The owner's word of this thread; its slot is claimed with the first call. */
export function me(): number {
  return mine === 0 ? claim() : mine
}

/** The same where it has one, else 0. */
export function meIfAny(): number {
  return mine
}

export function slotOf(owner: number): number {
  return (owner & slotMask) - 1
}

/** First word of a slot. */
export function slotAt(slot: number): number {
  return at.SLOTS + slot * at.slotWords
}

/** The owner's word of whoever has the slot now, or whom it is swept of. */
export function lastOwnerOf(slot: number): number {
  return word(slot, load(region().words, slotAt(slot) + at.S_GENERATION))
}

/** The owner's word of whoever has the slot now; 0 for nobody. */
export function ownerOf(slot: number): number {
  const { words } = region()
  const first = slotAt(slot)
  if (load(words, first + at.S_STATE) !== at.LIVE) return 0
  return word(slot, load(words, first + at.S_GENERATION))
}

function word(slot: number, generation: number): number {
  return ((generation & generationMask) << slotBits) | (slot + 1)
}

/** Whether the table still has it. Cheap; a death that nobody has noticed yet does not show. */
export function isKnown(owner: number): boolean {
  return owner !== 0 && ownerOf(slotOf(owner)) === owner
}

/** Whether it lives, asked of the system: some 30 µs. Where only threads share it, until it is buried. */
export function isAlive(owner: number): boolean {
  if (owner === mine) return true
  if (!isKnown(owner)) return false
  const known = answers?.get(owner)
  if (known !== undefined) return known
  const alive = ask(owner)
  answers?.set(owner, alive)
  return alive
}

/** Answers given already, where many ask in one go. */
let answers: Map<number, boolean> | undefined

/** Whatever `fn` asks about the same participant is asked of the system once. */
export function askingOnce(fn: () => void): void {
  answers = new Map()
  try {
    fn()
  } finally {
    answers = undefined
  }
}

function ask(owner: number): boolean {
  const { words, system } = region()
  const first = slotAt(slotOf(owner))
  const tid = load(words, first + at.S_TID)
  if (system === null || tid === 0) return true
  const began = load(words, first + at.S_STARTED)
  return system.started(load(words, first + at.S_PID), tid) === began || !isKnown(owner)
}

/** Owners' words of all participants of a process; of one thread of it where its number is given. */
export function participantsOf(pid: number, thread?: number): number[] {
  const { words } = region()
  const found: number[] = []
  for (let slot = 0; slot < at.slots; slot++) {
    const first = slotAt(slot)
    if (load(words, first + at.S_PID) !== pid) continue
    const owner = ownerOf(slot)
    if (owner !== 0 && (thread === undefined || load(words, first + at.S_THREAD) === thread + 1))
      found.push(owner)
  }
  return found
}

/** Called where the table is full: buries the dead, and says whether there were any. */
let makeRoom: () => boolean = () => false

export function whenFull(fn: () => boolean): void {
  makeRoom = fn
}

function claim(): number {
  const { words, system } = region()
  // Asked before there is a slot: whoever is killed while it claims one loses it for good.
  const tid = system === null ? 0 : system.threadId()
  const began = system === null ? 0 : system.started(process.pid, tid)
  do {
    const hint = load(words, at.SLOT_HINT)
    for (let i = 0; i < at.slots; i++) {
      const slot = (hint + i) % at.slots
      const first = slotAt(slot)
      if (compareExchange(words, first + at.S_STATE, at.FREE_SLOT, at.CLAIMED) !== at.FREE_SLOT) continue
      store(words, at.SLOT_HINT, (slot + 1) % at.slots)
      store(words, first + at.S_PID, process.pid)
      store(words, first + at.S_TID, tid)
      store(words, first + at.S_THREAD, threadId + 1)
      store(words, first + at.S_STARTED, began)
      store(words, first + at.S_BELL, 0)
      store(words, first + at.S_ASLEEP, 0)
      store(words, first + at.S_READY, 0)
      // Generations begin at 1, so that no owner's word is 0 in its upper bits.
      if (load(words, first + at.S_GENERATION) === 0) store(words, first + at.S_GENERATION, 1)
      // Last: who sees it live sees all of the above.
      store(words, first + at.S_STATE, at.LIVE)
      return (mine = word(slot, load(words, first + at.S_GENERATION)))
    }
  } while (makeRoom())
  throw new PlaitError(
    `more than ${at.slots} threads and processes share the memory of this program; end some of them`,
  )
}
