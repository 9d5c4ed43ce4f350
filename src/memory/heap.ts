/**
 * Blocks of the region, in classes of powers of two: taken from a list of free ones, or cut from what was
 * never used. Each has a header that says what it is and to whom it belongs, and all lie one behind the
 * other, so that what a dead participant owned is found by walking them (A1), and the lists can be made anew
 * (A2). What is freed is used again soonest, warm; beyond some of it, its pages go back to the system.
 */
import { totalmem } from 'node:os'
import { MemoryError } from '../core/errors.ts'
import { exchange, load, store } from './atomics.ts'
import { enter, leave } from './guard.ts'
import * as at from './layout.ts'
import { me } from './participants.ts'
import { region, type Region } from './region.ts'

/** Free blocks of this size and more are counted; those beyond `keptBytes` keep no pages. */
const discardable = 64 * 1024
/**
 * Four blocks for 50 MB, which is what such a payload needs there and back: two on their way, two that the
 * garbage collector has not come to. Pages that are touched for the first time cost ten times the copy.
 */
const machineBytes = Math.min(totalmem(), process.constrainedMemory() || Infinity)
const keptBytes = Math.max(64 * 2 ** 20, Math.min(256 * 2 ** 20, machineBytes / 32))

/** First word of a block's payload. */
export function wordAt(address: number): number {
  return address * at.blockWords
}

/** How many bytes a block can hold. */
export function capacityOf(address: number): number {
  return at.blockBytes * 2 ** load(headerWords(address), headerIndex(address, at.H_CLASS))
}

/**
 * A block for `bytes` bytes that belongs to this participant. In the control part (up to 64 KiB, and
 * what is addressed by words of any size) its words are zero; beyond it holds whatever it held.
 */
export function allocate(bytes: number, kind: number): number {
  const opened = region()
  const { words } = opened
  const wanted = classOf(bytes)
  const byWords = kind === at.kinds.entries || kind === at.kinds.chunk
  const control = wanted <= at.largestControl || byWords
  const list = (control ? at.FREE : at.ARENA_FREE) + wanted
  const owner = me()
  let address: number
  if (enter(words, at.HEAP_GUARD)) repair()
  try {
    address = load(words, list)
    if (address === 0) address = cut(opened, wanted, control)
    // From here on it is in no list; a death before the last line below is made good by `repair`.
    else store(words, list, read(address, at.H_NEXT))
    if (read(address, at.H_KEPT) === 1) {
      write(address, at.H_KEPT, 0)
      keep(words, -capacityOf(address))
    }
    write(address, at.H_NEXT, 0)
    write(address, at.H_HOLDS, -owner)
    write(address, at.H_HELD, 0)
    write(address, at.H_OWNER, owner)
    write(address, at.H_KIND, kind) // the commit: it is this participant's
  } finally {
    leave(words, at.HEAP_GUARD)
  }
  if (control) words.fill(0, wordAt(address), wordAt(address) + at.blockWords * 2 ** wanted)
  return address
}

/** Gives a block back. Its holder alone calls this, once. */
export function free(address: number): void {
  const opened = region()
  const { words } = opened
  const bytes = capacityOf(address)
  const block = read(address, at.H_CLASS)
  const control = address < at.arenaFirst
  const list = (control ? at.FREE : at.ARENA_FREE) + block
  // It is nobody else's yet, so there is time. Small ones are not worth a call of the system.
  const kept = bytes < discardable || load(words, at.KEPT) * 1024 + bytes <= keptBytes
  if (!kept) opened.discard(address, bytes)
  if (enter(words, at.HEAP_GUARD)) repair()
  write(address, at.H_KIND, at.kinds.free) // the commit: `repair` puts it into its list
  write(address, at.H_OWNER, 0)
  if (kept && bytes >= discardable) {
    write(address, at.H_KEPT, 1)
    keep(words, bytes)
  }
  write(address, at.H_NEXT, load(words, list))
  store(words, list, address)
  leave(words, at.HEAP_GUARD)
}

/**
 * Frees the block whose address is in this word, where there is one. The word first: who goes on with the
 * work of a dead one must not free it again, and a death in between loses the block, and no more.
 */
export function freeAt(words: Int32Array, word: number): void {
  const address = exchange(words, word, 0)
  if (address !== 0) free(address)
}

function keep(words: Int32Array, bytes: number): void {
  store(words, at.KEPT, load(words, at.KEPT) + bytes / 1024)
}

/** Somebody died with the guard: a block may be in no list, or be counted and not be there. All anew (A2). */
function repair(): void {
  const { words } = region()
  for (let i = 0; i < 64; i++) store(words, at.FREE + i, 0)
  store(words, at.KEPT, 0)
  for (const address of walk()) {
    if (read(address, at.H_KIND) !== at.kinds.free) continue
    write(address, at.H_OWNER, 0) // it may have been on its way to somebody, or back
    const list = (address < at.arenaFirst ? at.FREE : at.ARENA_FREE) + read(address, at.H_CLASS)
    if (read(address, at.H_KEPT) === 1) keep(words, capacityOf(address))
    write(address, at.H_NEXT, load(words, list))
    store(words, list, address)
  }
}

/** A word of a block's header. */
export function read(address: number, offset: number): number {
  return load(headerWords(address), headerIndex(address, offset))
}

export function write(address: number, offset: number, value: number): void {
  store(headerWords(address), headerIndex(address, offset), value)
}

/** All blocks that were ever cut, in use or free, both parts. Others may take and free them meanwhile. */
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

function classOf(bytes: number): number {
  const blocks = Math.ceil(bytes / at.blockBytes)
  if (blocks > 2 ** 31) throw full(bytes) // more than 32 bits can count
  return blocks <= 1 ? 0 : 32 - Math.clz32(blocks - 1)
}

function full(bytes: number): MemoryError {
  return new MemoryError(
    `the shared memory of this program is full: no room for ${bytes} bytes. ` +
      'Take from its queues, or close what is not needed',
  )
}

/** Cuts a block from what was never used; under the heap's guard. */
function cut(opened: Region, wanted: number, control: boolean): number {
  const { words } = opened
  const top = control ? at.CONTROL_TOP : at.ARENA_TOP
  const address = load(words, top) >>> 0 || (control ? at.controlFirst : at.arenaFirst)
  const next = address + 2 ** wanted + 1
  const end = control ? at.arenaFirst - 1 : opened.blocks
  if (next > end) throw full(at.blockBytes * 2 ** wanted)
  opened.reach(next)
  write(address, at.H_CLASS, wanted)
  store(words, top, next) // the commit: a walk finds the block with its class, free
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
