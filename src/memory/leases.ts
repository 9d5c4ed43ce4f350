/**
 * Large payloads: copied once, by the sender, into a block of their own, and used by the receiver where they
 * lie. A block belongs to the message that carries it, then to its receiver until the last view of it is
 * collected, or until its process dies (L1). What is leased is bounded: beyond it, and where only threads
 * share the memory, the receiver gets a copy.
 */
import { findPlacedBy } from '../codec/buffers.ts'
import { Carried } from '../codec/handles.ts'
import { PlaitError } from '../core/errors.ts'
import { collectGarbage } from './collector.ts'
import { allocate, capacityOf, free, read, write } from './heap.ts'
import * as at from './layout.ts'
import { me } from './participants.ts'
import { region } from './region.ts'

/** Above `largestControl`: a block in the arena. */
const leastBytes = at.blockBytes * 2 ** at.largestControl + 1

/** So much may be leased here while the garbage collector does not come to what is not needed any more. */
const mostLeased = 512 * 1024 * 1024
let leased = 0
const leases = new Set<Lease>()
const collected = new FinalizationRegistry<Lease>(end)

interface Lease {
  readonly block: number
  readonly size: number
  readonly buffer: WeakRef<ArrayBufferLike>
}

function lease(block: number, size: number, buffer: ArrayBufferLike): void {
  write(block, at.H_NEXT, 1)
  const one = { block, size, buffer: new WeakRef(buffer) }
  leases.add(one)
  leased += size
  collected.register(buffer, one)
}

function end(one: Lease): void {
  if (!leases.delete(one)) return
  leased -= one.size
  free(one.block)
}

// Memory that is touched for the first time costs more than all copies of a payload, and a collection of a
// small heap costs next to nothing: so it is made where much is leased, that blocks are used again, warm.

/** Bytes leased here at which the next collection is worth its while. */
const muchLeased = 96 * 1024 * 1024
let nextLook = muchLeased
/** Bytes of a heap whose collection is cheap. */
const smallHeap = 64 * 1024 * 1024

function reclaim(): void {
  if (process.getBuiltinModule('node:v8').getHeapStatistics().used_heap_size > smallHeap) return
  collectGarbage()
  for (const one of Array.from(leases)) if (one.buffer.deref() === undefined) end(one)
  nextLook = leased + muchLeased
}

/** What a message carries beside its bytes, large buffers included. */
export class Cargo extends Carried {
  readonly blocks: number[] = []

  constructor() {
    super(false, true)
  }

  override place(bytes: Uint8Array): number {
    const block = copyIn(bytes)
    this.blocks.push(block)
    return block
  }

  /** Who reads it cannot be told: it may be a process. */
  override share(): undefined {
    return undefined
  }

  override drop(): void {
    for (const block of this.blocks) free(block)
    this.blocks.length = 0
    super.drop()
  }

  override clear(): void {
    if (this.blocks.length > 0) this.blocks.length = 0
    super.clear()
  }
}

/** A new block with these bytes; this participant's until `entrust`. */
export function copyIn(bytes: Uint8Array): number {
  if (leased > nextLook) reclaim()
  const block = allocate(Math.max(bytes.length, leastBytes), at.kinds.payload)
  region().slice(block, bytes.length).set(bytes)
  return block
}

/** The block goes with a message: from here on a death of the sender does not free it. */
export function entrust(block: number): void {
  write(block, at.H_OWNER, 0)
}

/** The message was taken: its blocks are this participant's. */
export function takeOver(block: number): void {
  write(block, at.H_OWNER, me())
}

/** The message was read: what nothing of it looks at is freed. */
export function settle(block: number): void {
  if (read(block, at.H_NEXT) === 0) free(block)
}

findPlacedBy((block, length) => {
  if (read(block, at.H_KIND) !== at.kinds.payload || read(block, at.H_OWNER) !== me())
    throw new PlaitError('a payload has arrived that is not there')
  const opened = region()
  const bytes = opened.slice(block, length)
  const size = capacityOf(block)
  if (opened.system === null || leased + size > mostLeased) return new Uint8Array(bytes).buffer
  const { buffer } = bytes
  lease(block, size, buffer)
  return buffer as ArrayBuffer
})
