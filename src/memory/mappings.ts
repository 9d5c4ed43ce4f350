/**
 * Named memory as it is mapped here. Each mapping is a block of the heap that belongs to its participant, so
 * that a thread which ends before it has given a mapping back, or is ended, has that done by whoever buries
 * it, where that is its own process. Called by sync/ for a SharedMemory and by the sweep.
 */
import { undisturbed } from '../core/undisturbed.ts'
import { exchange, load, store } from './atomics.ts'
import { allocate, free, wordAt } from './heap.ts'
import { kinds } from './layout.ts'
import { threads } from './os.ts'
import { region, sharedRegion } from './region.ts'

// Words of the block: address and bytes in halves; the process, its start last: 0 once it is given back.
const ADDRESS = 0
const BYTES = 2
const PID = 4
const STARTED = 5
const words = 6

/** Maps memory whole; answers where it lies, and the block that says so. */
export function mapNamed(fd: number, bytes: number): { address: number; block: number } {
  const { system } = sharedRegion('a SharedMemory')
  const block = allocate(4 * words, kinds.mapping)
  try {
    return { address: undisturbed(() => fill(block, system!.map(fd, bytes), bytes)), block }
  } catch (error) {
    free(block)
    throw error
  }
}

function fill(block: number, address: number, bytes: number): number {
  const at = wordAt(block)
  for (const [word, value] of [
    [ADDRESS, address],
    [BYTES, bytes],
  ] as const) {
    store(region().words, at + word, (value % 2 ** 32) | 0)
    store(region().words, at + word + 1, Math.floor(value / 2 ** 32))
  }
  store(region().words, at + PID, process.pid)
  store(region().words, at + STARTED, startedHere())
  return address
}

/** Nothing here looks at it any more. */
export function unmapNamed(block: number): void {
  unmapOnce(block)
  free(block)
}

/** The participant that had it is dead, and its block is about to be freed. */
export function unmapDead(block: number): void {
  const { words: all, system } = region()
  const at = wordAt(block)
  if (system === null || load(all, at + PID) !== process.pid) return
  if (load(all, at + STARTED) === startedHere()) unmapOnce(block)
}

/** A sweeper may die, and another begin anew: by then something else may lie there. */
function unmapOnce(block: number): void {
  const { words: all, system } = region()
  const at = wordAt(block)
  if (exchange(all, at + STARTED, 0) === 0) return
  const whole = (word: number): number => load(all, at + word + 1) * 2 ** 32 + (load(all, at + word) >>> 0)
  system!.unmap(whole(ADDRESS), whole(BYTES))
}

/** Of this process, never 0: tells it from an earlier one with its pid. */
function startedHere(): number {
  return threads!.started(process.pid, process.pid)
}
