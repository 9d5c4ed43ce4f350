/**
 * What becomes of a participant that died: its blocks are freed, its holds dropped, and each cell that knows
 * owners hears of it. A parent buries its child as soon as it has ended; whoever waits for something that the
 * dead one had finds out by itself within a slice. One sweeps at a time; if it dies in it, another goes on
 * (D1).
 */
import { PlaitError } from '../core/errors.ts'
import { compareExchange, load, store } from './atomics.ts'
import { forgetBell } from './bell.ts'
import { free, read, walk, wordAt, write } from './heap.ts'
import { dropDead } from './holders.ts'
import * as at from './layout.ts'
import { unmapDead } from './mappings.ts'
import {
  freeHalfClaimed,
  isAlive,
  isAliveNow,
  me,
  ownerOf,
  participantsOf,
  slotAt,
  slotOf,
  stateWord,
  vacate,
  whenFull,
} from './participants.ts'
import { openedRegion, region } from './region.ts'

/** How many others are looked at with each burial: who has no parent left is found by and by. */
const others = 16

/** What else is to be done when somebody has ended: things that have names outside of the region. */
const burials = new Set<() => void>()

export function onBurial(fn: () => void): void {
  burials.add(fn)
}

/** A child process has ended. */
export function buryProcess(pid: number): void {
  if (openedRegion() !== undefined) {
    // Asked again: another process may have this pid by now.
    for (const owner of participantsOf(pid)) buryIfDead(owner)
    lookAround()
  }
  tellOthers()
}

/** A thread of this process has ended; `thread` is the number that Node gave it. */
export function buryThread(thread: number): void {
  if (openedRegion() !== undefined) for (const owner of participantsOf(process.pid, thread)) bury(owner)
  tellOthers()
}

/** What cannot be done now, for want of descriptors, say, is done with the next burial. */
function tellOthers(): void {
  for (const fn of burials)
    try {
      fn()
    } catch (error) {
      process.emitWarning(unswept(error))
    }
}

/** Buries the participant if it is dead; true where it is. */
export function buryIfDead(owner: number): boolean {
  if (isAliveNow(owner)) return false
  bury(owner)
  return true
}

/** Holders at which one look for dead ones looks. */
const fewHolders = 8
/** Where in a mask the next look begins, so that all come by. */
let nextWord = 0

/**
 * Buries those of a cell's holders that have died; for checks of waits. One look is at a few of them: many
 * who wait for the same must not ask the system about all of them all the time.
 */
export function buryDeadHolders(address: number): void {
  const { words } = region()
  let looks = 0
  for (let i = 0; i < at.maskWords && looks < fewHolders; i++) {
    const index = (nextWord + i) % at.maskWords
    const mask = load(words, wordAt(address) + index)
    if (mask === 0) continue
    for (let bit = 0; bit < 32; bit++) {
      if ((mask & (1 << bit)) === 0) continue
      looks++
      const slot = index * 32 + bit
      const live = ownerOf(slot)
      const dying = ownerOf(slot, at.DYING)
      if (live !== 0 && !isAlive(live)) bury(live)
      else if (dying !== 0) bury(dying)
    }
    if (looks >= fewHolders) nextWord = index + 1
  }
}

/** It is known to be dead. Returns when it is buried, or while somebody who lives is at it. */
export function bury(owner: number): void {
  const { words } = region()
  const first = slotAt(slotOf(owner))
  compareExchange(words, first + at.S_STATE, stateWord(owner, at.LIVE), stateWord(owner, at.DYING))
  const dying = stateWord(owner, at.DYING)
  const self = me()
  for (;;) {
    if (load(words, first + at.S_STATE) !== dying) return
    const sweeper = load(words, first + at.S_SWEEPER)
    if (sweeper !== 0 && isAlive(sweeper)) return
    if (compareExchange(words, first + at.S_SWEEPER, sweeper, self) === sweeper) break
  }
  try {
    // Between the two looks it may have been buried, and the slot be another's.
    if (load(words, first + at.S_STATE) === dying) sweep(owner)
  } finally {
    compareExchange(words, first + at.S_SWEEPER, self, 0)
  }
}

/** Each step may have been done before. What throws costs its block, and nothing else waits for that. */
function sweep(owner: number): void {
  forgetBell(slotOf(owner))
  let failure: unknown
  for (const address of walk())
    try {
      giveBack(address, owner)
    } catch (error) {
      failure ??= error
    }
  vacate(owner)
  if (failure !== undefined) process.emitWarning(unswept(failure))
}

function unswept(cause: unknown): PlaitError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new PlaitError(`some of the shared memory that a dead process or thread had stays taken: ${why}`, {
    cause,
  })
}

/** What the dead one had of a block. */
function giveBack(address: number, owner: number): void {
  const kind = read(address, at.H_KIND)
  if (kind === at.kinds.free) return
  if (read(address, at.H_HELD) === 1) return dropDead(address, owner)
  if (read(address, at.H_OWNER) !== owner) return
  // A page of nodes that the slot has already is the slot's.
  if (kind === at.kinds.nodes && load(region().words, slotAt(slotOf(owner)) + at.S_NODES) === address)
    return write(address, at.H_OWNER, 0)
  if (kind === at.kinds.mapping) unmapDead(address)
  free(address)
}

/** Whether some that were found dead are buried now. */
function lookAround(count = others): boolean {
  const { words } = region()
  let found = false
  let slot = load(words, at.DEATH_HINT) % at.slots
  for (let looked = 0, i = 0; looked < count && i < at.slots; i++, slot = (slot + 1) % at.slots) {
    if (load(words, slotAt(slot) + at.S_PID) === 0) continue
    looked++
    const live = ownerOf(slot)
    const dying = ownerOf(slot, at.DYING)
    if (live !== 0) found = buryIfDead(live) || found
    else if (dying !== 0) found = (bury(dying), true)
    else found = freeHalfClaimed(slot) || found
  }
  store(words, at.DEATH_HINT, slot)
  return found
}

whenFull(() => lookAround(at.slots))
