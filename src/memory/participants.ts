/**
 * Who takes part in the region: one slot for each thread that uses it, with what is needed to tell that it
 * has died, to ring it, and to find its waiters. An owner's word (slot and generation) names a participant in
 * locks and blocks; it is never given twice (P1), so what a dead one left can be told from what lives.
 */
import { threadId } from 'node:worker_threads'
import { PlaitError } from '../core/errors.ts'
import { undisturbed } from '../core/undisturbed.ts'
import { compareExchange, load, sleepOn, store, wake } from './atomics.ts'
import * as at from './layout.ts'
import { threads } from './os.ts'
import { region } from './region.ts'

/** Bits of an owner's word: 11 for the slot plus 1, 19 for the generation. Above them there are two flags. */
const slotBits = 11
/** Where these bits of a word are 0 it names nobody. */
export const slotMask = 2 ** slotBits - 1
const generationMask = 2 ** 19 - 1
/** What of a word is the owner. */
export const ownerMask = 2 ** 30 - 1
/** Milliseconds for which an answer of the system is believed: thousands may wait for the same one. */
const trust = 10

let mine = 0
/** The system does not say which thread this is: that it has died is known only when somebody buries it. */
export let unseen = false

/** The owner's word of this thread; its slot is claimed with the first call. */
export function me(): number {
  return mine === 0 ? claim() : mine
}

export function slotOf(owner: number): number {
  return (owner & slotMask) - 1
}

/** First word of a slot. */
export function slotAt(slot: number): number {
  return at.SLOTS + slot * at.slotWords
}

/** What S_STATE is while the owner's word is in that state. */
export function stateWord(owner: number, state: number): number {
  return ((owner >>> slotBits) << 2) | state
}

/** The owner's word of whoever has the slot in that state (LIVE, if none is named); 0 for nobody. */
export function ownerOf(slot: number, state: number = at.LIVE): number {
  const seen = load(region().words, slotAt(slot) + at.S_STATE)
  return (seen & 3) === state ? ((seen >>> 2) << slotBits) | (slot + 1) : 0
}

/** Whether the table still has it. Cheap; a death that nobody has noticed yet does not show. */
export function isKnown(owner: number): boolean {
  return owner !== 0 && ownerOf(slotOf(owner)) === owner
}

/** Those that the system was asked about: when, and that they lived. */
const asked = new Map<number, number>()

/** Whether it lives; the system is asked no more often than each `trust` milliseconds. */
export function isAlive(owner: number): boolean {
  if (owner === mine && mine !== 0) return true
  const now = performance.now()
  if (now - (asked.get(owner) ?? -trust) < trust && isKnown(owner)) return true
  const alive = isAliveNow(owner)
  if (alive) asked.set(owner, now)
  else asked.delete(owner)
  return alive
}

/** The same, asked of the system now: some 30 µs. Where it has no answer, until it is buried. */
export function isAliveNow(owner: number): boolean {
  if (!isKnown(owner)) return false
  const { words } = region()
  const first = slotAt(slotOf(owner))
  const tid = load(words, first + at.S_TID)
  const began = load(words, first + at.S_STARTED)
  if (tid === 0 || threads === undefined) return true
  const same = threads.started(load(words, first + at.S_PID), tid) === began
  // Where it is not known any more, the words above were perhaps another's: the next question tells.
  return same || !isKnown(owner)
}

/** Owners' words of all participants of a process; of one thread of it where Node's number of it is given. */
export function participantsOf(pid: number, thread?: number): number[] {
  const { words } = region()
  const found: number[] = []
  for (let slot = 0; slot < at.slots; slot++) {
    const first = slotAt(slot)
    if (load(words, first + at.S_PID) !== pid) continue
    const owner = ownerOf(slot)
    if (owner === 0) continue
    const same = load(words, first + at.S_PID) === pid
    const its = thread === undefined || load(words, first + at.S_THREAD) === thread
    // Both were read between two looks at one generation, so they are this owner's.
    if (same && its && isKnown(owner)) found.push(owner)
  }
  return found
}

/** This process has opened what it was started with: for a parent that stands still and reads no message. */
export function sayOpened(): void {
  store(region().words, slotAt(slotOf(me())) + at.S_OPENED, 1)
}

/** Has the process opened what it was started with? True also where it has ended, and never will. */
export function hasOpened(pid: number): boolean {
  const { words } = region()
  const opened = (owner: number): boolean => load(words, slotAt(slotOf(owner)) + at.S_OPENED) === 1
  return participantsOf(pid).some(opened) || threads?.started(pid, pid) === 0
}

// ── a slot of its own ──

/** Buries the dead, and says whether there is room now. */
let makeRoom: () => boolean = () => false

export function whenFull(fn: () => boolean): void {
  makeRoom = fn
}

/** A thread that is ended while it claims would leave a slot that nobody can tell to be free (P2). */
function claim(): number {
  return undisturbed(() => {
    const found = takeAny()
    return (mine = found === 0 ? claimInFull() : found)
  })
}

function takeAny(): number {
  const { words } = region()
  const hint = load(words, at.SLOT_HINT)
  for (let i = 0; i < at.slots; i++) {
    const slot = (hint + i) % at.slots
    const owner = take(slot)
    if (owner === 0) continue
    // Forward: a slot is used again as late as can be.
    store(words, at.SLOT_HINT, (slot + 1) % at.slots)
    return owner
  }
  return 0
}

function take(slot: number): number {
  const { words } = region()
  const first = slotAt(slot)
  // Claimed by its pid: a slot whose claimer died before it was LIVE is told by that (P2).
  if (compareExchange(words, first + at.S_PID, 0, process.pid) !== 0) return 0
  const tid = threads === undefined ? 0 : threads.id()
  unseen = tid === 0
  store(words, first + at.S_THREAD, threadId)
  store(words, first + at.S_TID, tid)
  store(words, first + at.S_STARTED, threads === undefined ? 0 : threads.started(process.pid, tid))
  store(words, first + at.S_BELL, 0)
  store(words, first + at.S_ASLEEP, 0)
  store(words, first + at.S_READY, 0)
  store(words, first + at.S_SWEEPER, 0)
  store(words, first + at.S_OPENED, 0)
  const owner = ((load(words, first + at.S_STATE) >>> 2) << slotBits) | (slot + 1)
  // Last: who sees it live sees all of the above.
  store(words, first + at.S_STATE, stateWord(owner, at.LIVE))
  return owner
}

/** The slot is free for anybody; older owner's words have ended before. */
export function vacate(owner: number): void {
  const { words } = region()
  const first = slotAt(slotOf(owner))
  const pid = load(words, first + at.S_PID)
  const next = ((owner >>> slotBits) + 1) & generationMask
  store(words, first + at.S_STATE, (next << 2) | at.FREE_SLOT)
  // Then the pid: a death between the two leaves what a death between claim and LIVE does (P2).
  compareExchange(words, first + at.S_PID, pid, 0)
}

/** Frees a slot whose claimer died before it was LIVE, or whose sweeper died after all else was done. */
export function freeHalfClaimed(slot: number): boolean {
  const { words } = region()
  const first = slotAt(slot)
  const pid = load(words, first + at.S_PID)
  if (pid === 0 || (load(words, first + at.S_STATE) & 3) !== at.FREE_SLOT) return false
  if (threads === undefined || threads.started(pid, pid) !== 0) return false
  return compareExchange(words, first + at.S_PID, pid, 0) === pid
}

/**
 * No slot is free. To bury the dead one must be somebody: the newcomer takes the reserved slot, which no two
 * have at once, buries from there, and gives it up for the slot it finds.
 */
function claimInFull(): number {
  const { words } = region()
  const pid = slotAt(at.RESERVE) + at.S_PID
  for (;;) {
    mine = take(at.RESERVE)
    if (mine !== 0) break
    const other = ownerOf(at.RESERVE)
    // It owned nothing that a burial would have to look for.
    if (other !== 0 && !isAlive(other)) vacate(other)
    else if (!freeHalfClaimed(at.RESERVE)) sleepOn(words, pid, load(words, pid), trust)
    const found = takeAny()
    if (found !== 0) return found
  }
  const reserved = mine
  try {
    do {
      const found = takeAny()
      if (found !== 0) return found
    } while (makeRoom())
  } finally {
    mine = 0
    vacate(reserved)
    wake(words, pid, 1)
  }
  throw new PlaitError(
    `more than ${at.slots} threads and processes share the memory of this program; end some of them`,
  )
}
