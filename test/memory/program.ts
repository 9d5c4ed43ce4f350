/**
 * A program of its own, for what must not happen in a test's process: memory that only threads share, a table
 * of participants that is full, memory of another version. `program.js MODE` prints what it found as JSON.
 */
import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs'
import { adoptRegion, region, sharedRegion, unmappedReason } from '#plait/memory/region.js'
import * as at from '#plait/memory/layout.js'
import { store, load } from '#plait/memory/atomics.js'
import { me, ownerOf, slotAt, slotOf, stateWord } from '#plait/memory/participants.js'
import { makeCell, send } from '#plait/memory/holders.js'
import { loadKoffi } from '#plait/memory/koffi.js'
import { openSystem, threads } from '#plait/memory/os.js'
import { park } from '#plait/memory/park.js'
import { putToken, tokensOf, tokenWords, wantToken } from '../model/tokens.ts'
import { Thread } from '#plait/worker/thread.js'
import { takeSlot } from '#plait/worker/threads.js'
import { process as start, thread } from './children.ts'
import { blockWord, childReason, growTwo, sharedCell } from './jobs.ts'

const errorOf = (fn: () => unknown): string => {
  try {
    return `none: ${String(fn())}`
  } catch (error) {
    return (error as Error).message
  }
}

/** A participant in a slot: dead, or as alive as this one. */
function forge(slot: number, alive: boolean): void {
  const { words } = region()
  const first = slotAt(slot)
  const tid = threads!.id()
  store(words, first + at.S_PID, process.pid)
  store(words, first + at.S_TID, tid)
  store(words, first + at.S_STARTED, alive ? threads!.started(process.pid, tid) : 12)
  store(words, first + at.S_STATE, stateWord((5 << 11) | (slot + 1), at.LIVE))
}

const modes: Record<string, () => unknown> = {
  /** Why there is none, and that threads share it all the same; what a terminated one had is found. */
  async reason() {
    await import('#plait/memory/names.js') // what hears of each burial
    const cell = makeCell(at.kinds.lock, 4)
    const first = blockWord()
    const other = thread(sharedCell, cell)
    const killed = thread(growTwo, first, blockWord())
    while (load(region().words, first + 2) < 1000) await new Promise((resolve) => setTimeout(resolve, 1))
    await killed.terminate()
    const next = thread(growTwo, first, blockWord())
    const before = load(region().words, first + 2)
    while (load(region().words, first + 2) < before + 1000) await new Promise((r) => setTimeout(r, 1))
    await next.terminate()
    return {
      mapped: region().system !== null,
      reason: unmappedReason(),
      error: errorOf(() => sharedRegion('a Queue')),
      thread: await other.result,
      torn: load(region().words, first + 3),
      child: await start(childReason).result,
    }
  },
  refused() {
    const first = errorOf(() => region().system === null)
    return { first, again: errorOf(() => region().system === null) }
  },
  full() {
    for (let slot = 0; slot < at.slots; slot++) forge(slot, false)
    const owner = me()
    const free = Array.from({ length: at.slots }, (_, i) => ownerOf(i)).filter((one) => one === 0)
    return { slot: slotOf(owner), generation: owner >>> 11, free: free.length, reserve: ownerOf(at.RESERVE) }
  },
  crowded() {
    for (let slot = 0; slot < at.slots; slot++) forge(slot, slot !== 77)
    return { slot: slotOf(me()), error: 'none' }
  },
  overfull() {
    for (let slot = 0; slot < at.slots; slot++) forge(slot, true)
    const error = errorOf(me)
    return { error, reserve: ownerOf(at.RESERVE) }
  },
  /** A claimer died before it was live. */
  halfway() {
    for (let slot = 0; slot < at.slots; slot++) forge(slot, true)
    const { words } = region()
    store(words, slotAt(9) + at.S_STATE, 4)
    store(words, slotAt(9) + at.S_PID, 2 ** 30)
    return { slot: slotOf(me()) }
  },
  version() {
    const koffi = loadKoffi()
    if (typeof koffi === 'string') return koffi
    const system = openSystem(koffi)
    const fd = system.createMemory(64 * 2 ** 30)
    const base = system.map(fd, 64 * 2 ** 30)
    new Int32Array(koffi.view(base, 4))[0] = 77
    adoptRegion({ fd })
    const thread = errorOf(() => new Thread({ target: () => {} }).start())
    return { error: errorOf(region), again: errorOf(region), thread, place: takeSlot('probe', false).index }
  },
  /** Address space, or descriptors, are limited by whoever starts this. */
  async limited() {
    const cell = makeCell(at.kinds.lock, 4)
    const { blocks } = region()
    const reason = unmappedReason()
    const memories = readdirSync('/proc/self/fd').filter(isMemory).length
    if (reason !== undefined) return { reason, memories }
    send(cell)
    return { gigabytes: (blocks * at.blockBytes) / 2 ** 30, child: await start(sharedCell, cell).result }
  },
  /** For a while no descriptor is left for a bell. */
  async deaf() {
    const first = blockWord(4 * tokenWords)
    const files: number[] = []
    for (;;)
      try {
        files.push(openSync('/dev/null', 'r'))
      } catch {
        break
      }
    const error = await park(wantToken(first)).catch((one: NodeJS.ErrnoException) => one.code)
    files.forEach(closeSync)
    putToken(first)
    const left = tokensOf(first)
    await park(wantToken(first), 1000)
    setImmediate(() => putToken(first))
    return { error, left, later: await park(wantToken(first), 10_000) }
  },
}

const isMemory = (fd: string): boolean => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).includes('memfd:plait')
  } catch {
    return false // that of the listing itself
  }
}

console.log(JSON.stringify(await modes[process.argv[2]]()))
