/**
 * What becomes of a participant that died: its blocks are freed, its holds dropped, and each cell that knows
 * owners hears of it. A parent buries its child as soon as it has ended; whoever waits for something that the
 * dead one had finds out by itself within a slice. One buries at a time; if it dies in it, another goes on.
 */
import { add, compareExchange, load, store } from './atomics.ts'
import { forgetBell } from './bell.ts'
import { free, read, walk, wordAt } from './heap.ts'
import { kindOf, pin, release, unsend } from './holders.ts'
import * as at from './layout.ts'
import {
  isAlive,
  isKnown,
  lastOwnerOf,
  me,
  ownerOf,
  participantsOf,
  slotAt,
  slotOf,
  whenFull,
} from './participants.ts'
import { openedRegion, region } from './region.ts'

/** What else is to be done when a process has ended: things that have names outside of the region. */
const burials = new Set<(pid: number) => void>()

export function onBurial(fn: (pid: number) => void): void {
  burials.add(fn)
}

/** A child process has ended. */
export function buryProcess(pid: number): void {
  if (openedRegion() !== undefined) for (const owner of participantsOf(pid)) bury(owner)
  for (const fn of burials) fn(pid)
}

/** A thread of this process has ended; `thread` is Node's number for it. */
export function buryThread(thread: number): void {
  if (openedRegion() !== undefined) for (const owner of participantsOf(process.pid, thread)) bury(owner)
}

/** Buries the participant if it is dead; true where it is. */
export function buryIfDead(owner: number): boolean {
  if (isAlive(owner)) return false
  bury(owner)
  return true
}

/**
 * Buries those of a cell's holders that have died. Each look is at a few of them: nobody waits long, and many
 * who wait for the same do not ask the system about all of them all the time.
 */
export function buryDeadHolders(address: number): void {
  const { words } = region()
  let looks = 8
  for (let i = 0; i < at.slots && looks > 0; i++) {
    const slot = (nextLook + i) % at.slots
    const mask = load(words, wordAt(address) + (slot >>> 5))
    if ((mask & (1 << (slot & 31))) === 0) continue
    looks--
    const owner = ownerOf(slot)
    if (owner !== 0) buryIfDead(owner)
    else resume(slot)
    if (looks === 0) nextLook = slot + 1
  }
}

let nextLook = 0

/** It is known to be dead. */
export function bury(owner: number): void {
  const first = slotAt(slotOf(owner))
  if (isKnown(owner)) compareExchange(region().words, first + at.S_STATE, at.LIVE, at.DYING)
  resume(slotOf(owner))
}

/**
 * Somebody has begun to bury it; where that one died as well, this goes on. One at a time sweeps a slot (S1):
 * whoever has written itself there, until it has made the slot free.
 */
function resume(slot: number): void {
  const { words } = region()
  const first = slotAt(slot)
  if (load(words, first + at.S_STATE) !== at.DYING) return
  const sweeper = load(words, first + at.S_SWEEPER)
  if (sweeper !== 0 && isAlive(sweeper)) return
  if (compareExchange(words, first + at.S_SWEEPER, sweeper, me()) !== sweeper) return
  // Only now it is certain that nobody else has swept it meanwhile.
  try {
    if (load(words, first + at.S_STATE) === at.DYING) sweep(lastOwnerOf(slot))
  } finally {
    store(words, first + at.S_SWEEPER, 0)
  }
}

/** Each step may have been done before. */
function sweep(owner: number): void {
  const { words } = region()
  const slot = slotOf(owner)
  forgetBell(slot)
  for (const address of walk()) {
    if (read(address, at.H_OWNER) === owner) free(address)
    // What its last holder gives back meanwhile may be something else at once: a share keeps it as it is (S2).
    else if (read(address, at.H_HELD) === 1 && pin(address)) {
      kindOf(read(address, at.H_KIND))?.died?.(address, owner)
      if (hasBit(address, slot)) release(address, owner)
      unsend(address)
    }
  }
  const first = slotAt(slot)
  store(words, first + at.S_PID, 0)
  // Older owners' words end here; then the slot is anybody's.
  add(words, first + at.S_GENERATION, 1)
  store(words, first + at.S_STATE, at.FREE_SLOT)
}

function hasBit(address: number, slot: number): boolean {
  return (load(region().words, wordAt(address) + (slot >>> 5)) & (1 << (slot & 31))) !== 0
}

whenFull(() => {
  let found = false
  for (let slot = 0; slot < at.slots; slot++) {
    const owner = ownerOf(slot)
    if (owner !== 0 && buryIfDead(owner)) found = true
  }
  return found
})
