/**
 * What becomes of a participant that died: its blocks are freed, its holds dropped, and each cell that knows
 * owners hears of it. A parent buries its child as soon as it has ended; whoever waits for something that the
 * dead one had finds out by itself within a slice. One buries at a time; if it dies in it, another goes on.
 */
import { add, compareExchange, load, store } from './atomics.ts'
import { forgetBell } from './bell.ts'
import { free, read, walk } from './heap.ts'
import { kindOf, release } from './holders.ts'
import * as at from './layout.ts'
import { isAlive, isKnown, me, ownerOf, participantsOf, slotAt, slotOf, whenFull } from './participants.ts'
import { openedRegion, region } from './region.ts'
import { wordAt } from './heap.ts'

/** A child process has ended. */
export function buryProcess(pid: number): void {
  if (openedRegion() !== undefined) for (const owner of participantsOf(pid)) bury(owner)
}

/** Buries the participant if it is dead; true where it is. */
export function buryIfDead(owner: number): boolean {
  if (isAlive(owner)) return false
  bury(owner)
  return true
}

/** It is known to be dead. */
export function bury(owner: number): void {
  const { words } = region()
  const slot = slotOf(owner)
  const first = slotAt(slot)
  if (!isKnown(owner)) return resume(slot)
  if (compareExchange(words, first + at.S_STATE, at.LIVE, at.DYING) !== at.LIVE) return
  store(words, first + at.S_SWEEPER, me())
  sweep(owner)
}

/** Somebody has begun to bury it; where that one died as well, this goes on. */
function resume(slot: number): void {
  const { words } = region()
  const first = slotAt(slot)
  if (load(words, first + at.S_STATE) !== at.DYING) return
  const sweeper = load(words, first + at.S_SWEEPER)
  if (sweeper === me() || isAlive(sweeper)) return
  if (compareExchange(words, first + at.S_SWEEPER, sweeper, me()) !== sweeper) return
  store(words, first + at.S_STATE, at.LIVE) // so that its owner's word can be told again
  const owner = ownerOf(slot)
  store(words, first + at.S_STATE, at.DYING)
  sweep(owner)
}

/** Each step may have been done before. */
function sweep(owner: number): void {
  const { words } = region()
  const slot = slotOf(owner)
  forgetBell(slot)
  for (const address of walk()) {
    const kind = read(address, at.H_KIND)
    if (kind === at.kinds.free) continue
    if (read(address, at.H_OWNER) === owner) {
      free(address)
      continue
    }
    kindOf(kind)?.died?.(address, owner)
    if (read(address, at.H_HELD) === 1 && hasBit(address, slot)) release(address, owner)
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
