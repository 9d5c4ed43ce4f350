/**
 * Records in shared memory, first in first out: a chain of chunks that grows with what is in it. All under
 * the guard of the channel. A record is there from the store of its size on, and gone from the store of the
 * head on (Q1); counters are told again from the records where somebody died in between (Q2). Another order
 * of records is another file with these exports.
 */
import { load, store, type Words } from '../memory/atomics.ts'
import { allocate, capacityOf, free, freeAt, wordAt, write } from '../memory/heap.ts'
import { unsend } from '../memory/holders.ts'
import { H_OWNER, kinds } from '../memory/layout.ts'
import { region } from '../memory/region.ts'
import * as at from './layout.ts'

/** What is put: bytes, and what goes with them. */
export interface Message {
  readonly bytes: Uint8Array
  /** Of the payload, which lies in `bytes` or, where it is BIG, in the first block. */
  readonly length: number
  readonly flags: number
  readonly shares: readonly number[]
  readonly blocks: readonly number[]
}

const firstChunk = 2 ** 12
const largestChunk = 2 ** 16

/** Copies of fewer bytes are quicker one by one. */
const fewBytes = 96

/** Puts a record behind all others. */
export function append(words: Words, channel: number, message: Message): void {
  const { flags, shares, blocks } = message
  const length = (flags & at.BIG) === 0 ? message.length : 0
  const size = at.recordWords + shares.length + blocks.length + ((length + 3) >>> 2)
  const record = reserve(words, channel, size)
  const sequence = load(words, channel + at.PUT)
  words[record + at.R_SEQUENCE] = sequence
  words[record + at.R_FLAGS] = flags
  words[record + at.R_LENGTH] = message.length
  words[record + at.R_SHARES] = shares.length
  words[record + at.R_BLOCKS] = blocks.length
  let next = record + at.recordWords
  for (let i = 0; i < shares.length; i++) words[next++] = shares[i]!
  for (let i = 0; i < blocks.length; i++) words[next++] = blocks[i]!
  const { bytes } = region()
  const from = message.bytes
  const to = next * 4
  if (length > fewBytes) bytes.set(from.subarray(0, length), to)
  else for (let i = 0; i < length; i++) bytes[to + i] = from[i]!
  // What follows is no record, whatever lay there; said before this one is one.
  store(words, record + size, 0)
  store(words, record + at.R_SIZE, size) // the commit
  store(words, channel + at.TAIL, record + size)
  store(words, channel + at.PUT, (sequence + 1) | 0)
  store(words, channel + at.BYTES, load(words, channel + at.BYTES) + weightOf(words, record))
}

/** Word of the first record; 0 where there is none. */
export function first(words: Words, channel: number): number {
  for (;;) {
    const head = load(words, channel + at.HEAD)
    if (head === 0) return 0
    const size = load(words, head)
    if (size !== at.LINK) return size === 0 ? 0 : head
    const own = load(words, head + 2)
    // Whoever linked it may have died before it said so; the chunk is free in a moment.
    if (load(words, channel + at.TAIL_CHUNK) === own)
      store(words, channel + at.TAIL_CHUNK, load(words, head + 1))
    store(words, channel + at.HEAD, wordAt(load(words, head + 1)))
    free(own)
  }
}

/** The first record is taken; what goes with it belongs to whoever took it. */
export function removeFirst(words: Words, channel: number, record: number): void {
  const weight = weightOf(words, record)
  const next = record + load(words, record + at.R_SIZE)
  store(words, channel + at.HEAD, next) // the commit
  store(words, channel + at.TAKEN, (load(words, record + at.R_SEQUENCE) + 1) | 0)
  store(words, channel + at.BYTES, load(words, channel + at.BYTES) - weight)
  if (next !== load(words, channel + at.TAIL)) return
  // Nothing is left: the same memory again, while it is warm.
  const start = wordAt(load(words, channel + at.TAIL_CHUNK))
  store(words, start, 0)
  store(words, channel + at.HEAD, start)
  store(words, channel + at.TAIL, start)
}

/** How many there are; without the guard as well: both counters at one moment, whatever goes on meanwhile. */
export function count(words: Words, channel: number): number {
  for (;;) {
    const taken = load(words, channel + at.TAKEN)
    const put = load(words, channel + at.PUT)
    if (load(words, channel + at.TAKEN) === taken) return (put - taken) >>> 0
  }
}

/** Where the blocks of a record are listed. */
export function blocksOf(words: Words, record: number): number {
  return record + at.recordWords + words[record + at.R_SHARES]!
}

/** What a record takes of the memory, its blocks included. */
export function weightOf(words: Words, record: number): number {
  let sum = words[record + at.R_SIZE]! * 4
  const count = words[record + at.R_BLOCKS]!
  if (count > 0) {
    const blocks = blocksOf(words, record)
    for (let i = 0; i < count; i++) sum += capacityOf(words[blocks + i]!)
  }
  return sum
}

/** Takes the first record and gives back all that goes with it; false where there was none. */
function discardFirst(words: Words, channel: number): boolean {
  const record = first(words, channel)
  if (record === 0) return false
  const cargo = cargoOf(words, record)
  removeFirst(words, channel, record)
  giveBack(cargo)
  return true
}

/** Nobody uses the channel any more: gives all back, from wherever somebody died who was at it. */
export function drop(words: Words, channel: number): void {
  while (discardFirst(words, channel));
  store(words, channel + at.HEAD, 0) // it leads into the chunk
  freeAt(words, channel + at.TAIL_CHUNK)
}

/**
 * Empties the channel in one step, however much is in it. The answer gives back what that was: to be called
 * once the guard is left, and a death before its end costs what is left of it.
 */
export function unhook(words: Words, channel: number): () => void {
  const head = load(words, channel + at.HEAD)
  const chunk = load(words, channel + at.TAIL_CHUNK)
  store(words, channel + at.HEAD, 0) // the commit: as if nothing had ever been put
  store(words, channel + at.TAKEN, load(words, channel + at.PUT))
  store(words, channel + at.BYTES, 0)
  store(words, channel + at.TAIL, 0)
  store(words, channel + at.TAIL_CHUNK, 0)
  return () => {
    if (head !== 0) discard(words, head, chunk)
  }
}

/** Gives back a chain of records that no channel leads to; `last` is its last chunk. */
function discard(words: Words, record: number, last: number): void {
  for (let size = 0; (size = load(words, record)) !== 0;) {
    if (size === at.LINK) {
      const next = wordAt(load(words, record + 1))
      free(load(words, record + 2))
      record = next
      continue
    }
    if (words[record + at.R_SHARES]! + words[record + at.R_BLOCKS]! > 0) giveBack(cargoOf(words, record))
    record += size
  }
  free(last)
}

/** What goes with a record. */
function cargoOf(words: Words, record: number): { shares: number[]; blocks: number[] } {
  const [shares, blocks] = [record + at.recordWords, blocksOf(words, record)]
  return {
    shares: Array.from(words.subarray(shares, blocks)),
    blocks: Array.from(words.subarray(blocks, blocks + words[record + at.R_BLOCKS]!)),
  }
}

function giveBack({ shares, blocks }: { shares: number[]; blocks: number[] }): void {
  blocks.forEach(free)
  shares.forEach(unsend)
}

/** Somebody died under the guard: tells everything again from the head, which is right (Q2). */
export function repair(words: Words, channel: number): void {
  const record = first(words, channel)
  let tail = load(words, channel + at.HEAD)
  if (record === 0) store(words, channel + at.TAKEN, load(words, channel + at.PUT))
  else store(words, channel + at.TAKEN, load(words, record + at.R_SEQUENCE))
  let weight = 0
  for (let size = 0; tail !== 0 && (size = load(words, tail)) !== 0;) {
    if (size === at.LINK) {
      store(words, channel + at.TAIL_CHUNK, load(words, tail + 1))
      tail = wordAt(load(words, tail + 1))
      continue
    }
    store(words, channel + at.PUT, (load(words, tail + at.R_SEQUENCE) + 1) | 0)
    weight += weightOf(words, tail)
    tail += size
  }
  store(words, channel + at.TAIL, tail)
  store(words, channel + at.BYTES, weight)
}

/** Room for a record of `size` words, and for a link behind it. */
function reserve(words: Words, channel: number, size: number): number {
  const chunk = load(words, channel + at.TAIL_CHUNK)
  const tail = load(words, channel + at.TAIL)
  const needed = (size + at.linkWords) * 4
  if (tail === 0) return begin(words, channel, Math.max(firstChunk, needed))
  const capacity = capacityOf(chunk)
  if (tail + size + at.linkWords <= wordAt(chunk) + capacity / 4) return tail
  const wanted = Math.max(needed, Math.min(largestChunk, capacity * 4))
  const next = newChunk(words, wanted)
  store(words, tail + 2, chunk)
  store(words, tail + 1, next)
  store(words, tail, at.LINK) // the commit
  store(words, channel + at.TAIL_CHUNK, next)
  store(words, channel + at.TAIL, wordAt(next))
  return wordAt(next)
}

function begin(words: Words, channel: number, bytes: number): number {
  const chunk = newChunk(words, bytes)
  const start = wordAt(chunk)
  store(words, channel + at.TAIL_CHUNK, chunk)
  store(words, channel + at.TAIL, start)
  store(words, channel + at.HEAD, start)
  return start
}

/** It belongs to the channel before the channel leads to it: a death in between loses it, and no more. */
function newChunk(words: Words, bytes: number): number {
  const chunk = allocate(bytes, kinds.chunk)
  write(chunk, H_OWNER, 0)
  store(words, wordAt(chunk), 0)
  return chunk
}
