/**
 * Blocks of the region, in classes of powers of two: taken from a list of free ones, or cut from what was
 * never used. Each has a header that says what it is and to whom it belongs, and all lie one behind the
 * other, so that what a dead participant owned is found by walking them. What is freed is used again soonest,
 * warm. Nothing is given back to the system.
 */
import { PlaitError } from '../core/errors.ts'
import { load, store } from './atomics.ts'
import { enter, leave } from './guard.ts'
import * as at from './layout.ts'
import { me } from './participants.ts'
import { region, type Region } from './region.ts'

/** First word of a block's payload. */
export function wordAt(address: number): number {
  return address * at.blockWords
}

/** How many bytes a block can hold. */
export function capacityOf(address: number): number {
  return at.blockBytes * 2 ** load(headerWords(address), headerIndex(address, at.H_CLASS))
}

/**
 * A block for `bytes` bytes that belongs to this participant. In the control part (up to 64 KiB, or where it
 * is asked for) its words are zero; beyond it holds whatever it held.
 */
export function allocate(bytes: number, kind: number, control = false): number {
  const opened = region()
  const { words } = opened
  const wanted = classOf(bytes)
  const inControl = control || wanted <= at.largestControl
  const list = listOf(inControl, wanted)
  const owner = me()
  enter(words, at.HEAP_GUARD) // who died in it left whole lists: each change is one store
  let address: number
  try {
    address = load(words, list)
    if (address === 0) address = cut(opened, wanted, inControl)
    // The commit: from here on the block is in no list. A death before the next line loses it for good.
    else store(words, list, read(address, at.H_NEXT))
    write(address, at.H_OWNER, owner)
  } finally {
    leave(words, at.HEAP_GUARD)
  }
  write(address, at.H_NEXT, 0)
  write(address, at.H_HOLDS, 0)
  write(address, at.H_HELD, 0)
  if (inControl && read(address, at.H_USED) === 1)
    words.fill(0, wordAt(address), wordAt(address) + at.blockWords * 2 ** wanted)
  // Last: until now it counts as free, and nobody who walks the heap takes its old words for what they are not.
  write(address, at.H_KIND, kind)
  return address
}

/** Gives a block back. Its holder alone calls this, once. */
export function free(address: number): void {
  const { words } = region()
  const list = listOf(address < at.arenaFirst, read(address, at.H_CLASS))
  enter(words, at.HEAP_GUARD)
  write(address, at.H_KIND, at.kinds.free)
  write(address, at.H_HELD, 0)
  write(address, at.H_HOLDS, 0)
  write(address, at.H_USED, 1)
  write(address, at.H_OWNER, 0)
  write(address, at.H_NEXT, load(words, list))
  store(words, list, address)
  leave(words, at.HEAP_GUARD)
}

/** A word of a block's header. */
export function read(address: number, offset: number): number {
  return load(headerWords(address), headerIndex(address, offset))
}

export function write(address: number, offset: number, value: number): void {
  store(headerWords(address), headerIndex(address, offset), value)
}

/** All blocks that were ever cut, in use or free, both parts. */
export function* walk(): Generator<number> {
  const { words } = region()
  for (const [first, top] of [
    [at.controlFirst, at.CONTROL_TOP],
    [at.arenaFirst, at.ARENA_TOP],
  ] as const)
    for (let address = first; address < load(words, top) >>> 0;) {
      yield address
      address += 2 ** read(address, at.H_CLASS) + 1
    }
}

/** Bytes in use and free, by kind of part: for tests and statistics. */
export function usage(): { blocks: number; bytes: number; free: number } {
  const sum = { blocks: 0, bytes: 0, free: 0 }
  for (const address of walk()) {
    const bytes = capacityOf(address)
    if (read(address, at.H_KIND) === at.kinds.free) sum.free += bytes
    else {
      sum.blocks++
      sum.bytes += bytes
    }
  }
  return sum
}

/** The list of free blocks in which one of this class belongs. */
function listOf(control: boolean, wanted: number): number {
  return (control && wanted > at.largestControl ? at.FREE_LARGE : at.FREE) + wanted
}

function classOf(bytes: number): number {
  const blocks = Math.max(1, Math.ceil(bytes / at.blockBytes))
  return Math.ceil(Math.log2(blocks))
}

/** Cuts a block from what was never used; under the heap's guard. */
function cut(opened: Region, wanted: number, control: boolean): number {
  const { words } = opened
  const top = control ? at.CONTROL_TOP : at.ARENA_TOP
  const address = load(words, top) >>> 0 || (control ? at.controlFirst : at.arenaFirst)
  const next = address + 2 ** wanted + 1
  const end = control ? at.arenaFirst - 1 : opened.blocks
  if (next > end)
    throw new PlaitError(
      `the shared memory of this program is full: no room for ${at.blockBytes * 2 ** wanted} bytes. ` +
        'Take from its queues, or close what is not needed',
    )
  opened.reach(next)
  write(address, at.H_CLASS, wanted)
  store(words, top, next) // the commit: a walk finds the block with its class
  return address
}

// The header of an arena block lies beyond the words of the control part.

/** Windows of 64 MiB over the arena, made when a header in them is first touched. */
const windowBlocks = 2 ** 20
const windows: (Int32Array | undefined)[] = []

function headerWords(address: number): Int32Array {
  if (address < at.arenaFirst) return region().words
  const index = Math.floor((address - 1) / windowBlocks)
  let words = windows[index]
  if (words === undefined) {
    const opened = region()
    opened.reach((index + 1) * windowBlocks)
    const bytes = opened.slice(index * windowBlocks, windowBlocks * at.blockBytes)
    words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    windows[index] = words
  }
  return words
}

function headerIndex(address: number, offset: number): number {
  if (address < at.arenaFirst) return wordAt(address) + offset
  return ((address - 1) % windowBlocks) * at.blockWords + at.blockWords + offset
}
