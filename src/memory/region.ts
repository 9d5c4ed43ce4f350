/**
 * The region of this program: the one piece of memory that all its threads and processes see. The first
 * process makes it, before its first child or with the first thing that is shared; children inherit its
 * descriptor, threads its address. Mapped where koffi loads, one growable SharedArrayBuffer where it does
 * not: then threads share it and processes cannot. Never unmapped and never shrunk: views may live anywhere.
 */
import { fstatSync } from 'node:fs'
import { MemoryError, PlaitError } from '../core/errors.ts'
import { undisturbed } from '../core/undisturbed.ts'
import { compareExchange, threadFutex, useFutex, type Words } from './atomics.ts'
import { loadKoffi } from './koffi.ts'
import { arenaFirst, blockBytes, MAGIC, magic } from './layout.ts'
import { openSystem, type System } from './os.ts'

export interface Region {
  /** Null where only threads share it. */
  readonly system: System | null
  /** The control part: cells, lists, rings. Payloads lie beyond it too. */
  readonly words: Words
  readonly floats: Float64Array
  readonly longs: BigInt64Array
  readonly bytes: Uint8Array
  /** Address of the byte 0; 0 where there is none. */
  readonly base: number
  /** Addresses end here. */
  readonly blocks: number
  /** `length` bytes at an address as a buffer of their own where the region is mapped, else a view. */
  slice(address: number, length: number): Uint8Array
  /** Makes sure that everything below the address is there. */
  reach(address: number): void
  /**
   * Gives the pages of `length` bytes at an address back to the system: true where it took them, and they are
   * zero; false where they are as they were.
   */
  discard(address: number, length: number): boolean
}

/** How a child comes to the region of its parent. */
export interface RegionOrigin {
  /** Its descriptor in this process. */
  readonly fd?: number
  /** Where it is mapped already: for threads. */
  readonly address?: number
  readonly buffer?: SharedArrayBuffer
  /** Why there is none to come to. */
  readonly reason?: string
}

/**
 * Sparse: what was never written costs nothing. Half as much, and so on, where the address space of the first
 * process is limited; its children map what there is.
 */
const mostMapped = 64 * 2 ** 30
const leastMapped = 4 * 2 ** 30
/** Address space that is left to others: Node takes 10 GiB of it for each memory of WebAssembly. */
const leftOver = 20 * 2 ** 30
const mostShared = 4 * 2 ** 30
const leastShared = 2 * 2 ** 30
const controlBytes = (arenaFirst - 1) * blockBytes

let current: Region | undefined
let origin: RegionOrigin | undefined
/** Why there is no memory between processes. */
let reason: string | undefined

/** Called by a child's first file, before anything is shared. */
export function adoptRegion(from: RegionOrigin): void {
  origin = from
}

/** The region, opened or made with the first call. */
export function region(): Region {
  return (current ??= open())
}

/** The region where it is open: who has never used it has nothing in it. */
export function openedRegion(): Region | undefined {
  return current
}

/** The region, mapped; an error that says why not where it is not. `what` needs it: "a Queue". */
export function sharedRegion(what: string): Region {
  const opened = region()
  if (opened.system !== null) return opened
  throw new PlaitError(`${what} cannot be shared with another process: ${unmappedReason()}`)
}

/** Why processes share no memory; undefined where they do. Opens the region. */
export function unmappedReason(): string | undefined {
  return region().system === null ? reason : undefined
}

/** Why this child cannot reach the memory that its parent told it of; undefined where it can. */
export function strandedReason(): string | undefined {
  return region().system === null && origin?.fd !== undefined ? reason : undefined
}

/** What a child process is told; the region is made where there is none yet. */
export function regionForProcess(): RegionOrigin {
  if (origin?.fd === undefined) region()
  return origin?.fd === undefined ? { reason: reason! } : { fd: origin.fd }
}

/** What a thread is told. */
export function regionForThread(): RegionOrigin {
  const { system, base, words } = region()
  if (system !== null) return { fd: origin!.fd!, address: base }
  return { buffer: words.buffer as SharedArrayBuffer, reason: reason! }
}

function open(): Region {
  const opened = (origin?.buffer === undefined ? undisturbed(map) : undefined) ?? share()
  const found = compareExchange(opened.words, MAGIC, 0, magic)
  if (found !== 0 && found !== magic)
    throw new PlaitError('the memory of this program was made by another version of plait: install one')
  return opened
}

function map(): Region | undefined {
  const transport = process.env['PLAIT_TRANSPORT']
  if (origin?.reason !== undefined) return none(origin.reason)
  if (origin?.fd === undefined && (transport === 'stream' || transport === 'shared'))
    return none(`PLAIT_TRANSPORT is ${transport}`)
  const koffi = loadKoffi()
  if (typeof koffi === 'string') return none(koffi)
  try {
    const system = openSystem(koffi)
    const { fd, address: base, length } = origin?.fd === undefined ? make(system) : find(system, origin.fd)
    const buffer = koffi.view(base, controlBytes)
    const words = new Int32Array(buffer)
    useFutex({
      wait: (_, index, value, ms) => system.futexWait(base + index * 4, value, ms),
      wake: (_, index, count) => system.futexWake(base + index * 4, count),
    })
    origin = { fd, address: base }
    return {
      system,
      ...views(buffer, words),
      base,
      blocks: length / blockBytes,
      slice: (address, length) =>
        undisturbed(() => new Uint8Array(koffi.view(base + address * blockBytes, length))),
      reach: () => {},
      discard: (address, length) => system.discard(fd, address * blockBytes, length),
    }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    const limit = code === 'ENOMEM' ? ' (is there less than 26 GiB of address space? see ulimit -v)' : ''
    return none(`this system does not let it: ${message}${limit}`)
  }
}

interface Mapped {
  readonly fd: number
  readonly address: number
  /** Bytes. */
  readonly length: number
}

/** In the first process: as much as it may map. */
function make(system: System): Mapped {
  for (let length = mostMapped; ; length /= 2) {
    const fd = system.createMemory(length)
    try {
      const address = system.map(fd, length + leftOver)
      system.unmap(address + length, leftOver)
      return { fd, address, length }
    } catch (error) {
      system.close(fd)
      if (length === leastMapped) throw error
    }
  }
}

function find(system: System, fd: number): Mapped {
  const { size: length } = fstatSync(fd)
  return { fd, address: origin?.address ?? system.map(fd, length), length }
}

function none(why: string): undefined {
  reason = why
  return undefined
}

function share(): Region {
  const buffer = origin?.buffer ?? makeShared()
  const most = buffer.maxByteLength
  useFutex(threadFutex)
  reason ??= origin?.reason ?? 'its parent shares none'
  return {
    system: null,
    ...views(buffer, new Int32Array(buffer, 0, controlBytes / 4)),
    base: 0,
    blocks: most / blockBytes,
    slice: (address, length) => new Uint8Array(buffer, address * blockBytes, length),
    reach(address) {
      while (buffer.byteLength < address * blockBytes)
        try {
          buffer.grow(Math.min(most, Math.ceil((address * blockBytes) / 2 ** 26) * 2 ** 26))
        } catch (error) {
          // Another thread has grown it further meanwhile, or there is no more.
          if (buffer.byteLength < address * blockBytes) throw error
        }
    },
    discard: () => false,
  }
}

function makeShared(): SharedArrayBuffer {
  for (let most = mostShared; ; most /= 2)
    try {
      return new SharedArrayBuffer(controlBytes, { maxByteLength: most })
    } catch (cause) {
      if (most > leastShared) continue
      const why = 'too little address space (see ulimit -v)'
      throw new MemoryError(`this process has no room for memory that threads share: ${why}`, { cause })
    }
}

function views(buffer: ArrayBufferLike, words: Words): Pick<Region, 'words' | 'floats' | 'longs' | 'bytes'> {
  return {
    words,
    floats: new Float64Array(buffer, 0, controlBytes / 8),
    longs: new BigInt64Array(buffer, 0, controlBytes / 8),
    bytes: new Uint8Array(buffer, 0, controlBytes),
  }
}
