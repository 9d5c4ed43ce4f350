/**
 * The region of this program: the one piece of memory that all its threads and processes see. The first
 * process makes it, before its first child or with the first thing that is shared; children inherit its
 * descriptor, threads its address. Mapped where koffi loads, one growable SharedArrayBuffer where it does
 * not: then threads share it and processes cannot. Never unmapped and never shrunk: views may live anywhere.
 */
import { PlaitError } from '../core/errors.ts'
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
  /** Gives the pages of `length` bytes at an address back to the system, where it takes them. */
  discard(address: number, length: number): void
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

/** Sparse: what was never written costs nothing. */
const mappedBytes = 64 * 2 ** 30
const sharedBytes = 4 * 2 ** 30
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
  const transport = demanded()
  if (origin?.reason !== undefined) return none(origin.reason)
  if (origin?.fd === undefined && (transport === 'stream' || transport === 'shared'))
    return none(`PLAIT_TRANSPORT is ${transport}`)
  const koffi = loadKoffi()
  if (typeof koffi === 'string') return none(koffi)
  try {
    const system = openSystem(koffi)
    const fd = origin?.fd ?? system.createMemory(mappedBytes)
    const base = origin?.address ?? system.map(fd, mappedBytes)
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
      blocks: mappedBytes / blockBytes,
      slice: (address, length) =>
        undisturbed(() => new Uint8Array(koffi.view(base + address * blockBytes, length))),
      reach: () => {},
      discard: (address, length) => system.discard(fd, address * blockBytes, length),
    }
  } catch (error) {
    return none(`this system does not let it: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function none(why: string): undefined {
  if (demanded() === 'mapped') throw new PlaitError(`PLAIT_TRANSPORT is mapped, which cannot be had: ${why}`)
  reason = why
  return undefined
}

/** What PLAIT_TRANSPORT says; '' where it leaves the choice. */
function demanded(): string {
  const transport = process.env['PLAIT_TRANSPORT'] ?? ''
  if (['', 'mapped', 'stream', 'shared'].includes(transport)) return transport
  throw new PlaitError(
    `PLAIT_TRANSPORT is ${JSON.stringify(transport)}: set it to mapped, stream or shared, or not at all`,
  )
}

function share(): Region {
  const make = SharedArrayBuffer as new (n: number, options: { maxByteLength: number }) => SharedArrayBuffer
  const buffer = origin?.buffer ?? new make(controlBytes, { maxByteLength: sharedBytes })
  const growing = buffer as SharedArrayBuffer & { grow(bytes: number): void }
  useFutex(threadFutex)
  reason ??= origin?.reason ?? 'its parent shares none'
  return {
    system: null,
    ...views(buffer, new Int32Array(buffer, 0, controlBytes / 4)),
    base: 0,
    blocks: sharedBytes / blockBytes,
    slice: (address, length) => new Uint8Array(buffer, address * blockBytes, length),
    reach(address) {
      while (buffer.byteLength < address * blockBytes)
        try {
          growing.grow(Math.min(sharedBytes, Math.ceil((address * blockBytes) / 2 ** 26) * 2 ** 26))
        } catch (error) {
          // Another thread has grown it further meanwhile, or there is no more.
          if (buffer.byteLength < address * blockBytes) throw error
        }
    },
    discard: () => {},
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
