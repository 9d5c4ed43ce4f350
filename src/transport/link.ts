/**
 * What joins a worker and its parent in the region: two rings, one each way, and the worker's ledger. One
 * cell, made by the parent and held by both, so that the death of either leaves the other's memory alone; its
 * address travels with the worker's first record. The rings' bytes are blocks of their own.
 *
 * R5  The cell goes back to the heap when neither end holds it any more, and its blocks with it. The worker
 *     says who it is before it takes its hold over: a worker that never came to that is told by its parent.
 */
import { load, store, type Words } from '../memory/atomics.ts'
import { allocate, freeAt, write } from '../memory/heap.ts'
import { cellWord, defineKind, makeCell, receive, release, send, unsend } from '../memory/holders.ts'
import { H_OWNER, blockWords, kinds } from '../memory/layout.ts'
import { me } from '../memory/participants.ts'
import { region } from '../memory/region.ts'
import { type RingPlace, RingReaderEnd, RingWriterEnd } from './ring.ts'

/** Bytes of one ring: what a worker is sent while its parent is away, and no more than a cache holds. */
const ringBytes = 256 * 1024

// Words of the cell, each group in cache lines that one side writes.
const PARENT = 0
const WORKER = 1
/** Addresses of the rings' bytes. */
const BYTES_DOWN = 2
const BYTES_UP = 3
/** Of each ring: its head, and whether its writer waits; then its tail. */
const RING_DOWN = blockWords
const RING_UP = 3 * blockWords
const WAITS = 1
const TAIL = blockWords
/** Two pages, written by the worker and by the parent: see pool/ledger.ts. */
const LEDGER = 5 * blockWords
export const ledgerPageBytes = 4096
const cellWords = LEDGER + (2 * ledgerPageBytes) / 4

/** One side's ends of the two rings. */
export interface LinkEnds {
  readonly reader: RingReaderEnd
  readonly writer: RingWriterEnd
  /** Owner's word of the other side. */
  peer(): number
}

/** The ledger's words: begun, then from and to. */
export interface LedgerWords {
  readonly words: Words
  readonly begun: number
  readonly from: number
  readonly to: number
}

defineKind(kinds.ring, {
  destroy(address) {
    const { words } = region()
    const first = cellWord(address)
    // None where its maker died before it came to that.
    freeAt(words, first + BYTES_DOWN)
    freeAt(words, first + BYTES_UP)
  },
})

export class Link {
  /** Its cell. */
  readonly address: number
  readonly ledger: LedgerWords
  readonly #first: number

  private constructor(address: number) {
    this.address = address
    this.#first = cellWord(address)
    const begun = this.#first + LEDGER
    const from = begun + ledgerPageBytes / 4
    this.ledger = { words: region().words, begun, from, to: from + 1 }
  }

  /** In the parent, for a worker that is about to be started. */
  static make(): Link {
    const { words } = region()
    const address = makeCell(kinds.ring, cellWords)
    const first = cellWord(address)
    for (const at of [BYTES_DOWN, BYTES_UP]) {
      const bytes = allocate(ringBytes, kinds.payload)
      write(bytes, H_OWNER, 0) // the cell's: a death before the next line loses the block, and no more
      store(words, first + at, bytes)
    }
    store(words, first + PARENT, me())
    send(address)
    return new Link(address)
  }

  /** In the worker. */
  static join(address: number): Link {
    const link = new Link(address)
    store(region().words, link.#first + WORKER, me()) // before the hold: R5
    receive(address)
    return link
  }

  parentEnds(): LinkEnds {
    return this.#ends(this.#ring(RING_UP, BYTES_UP), this.#ring(RING_DOWN, BYTES_DOWN), WORKER)
  }

  workerEnds(): LinkEnds {
    return this.#ends(this.#ring(RING_DOWN, BYTES_DOWN), this.#ring(RING_UP, BYTES_UP), PARENT)
  }

  /** In the parent, when the worker has ended, or never began. */
  close(): void {
    if (load(region().words, this.#first + WORKER) === 0) unsend(this.address)
    release(this.address)
  }

  #ends(input: RingPlace, output: RingPlace, peer: number): LinkEnds {
    const { words } = region()
    const at = this.#first + peer
    return {
      reader: new RingReaderEnd(input),
      writer: new RingWriterEnd(output),
      peer: () => load(words, at),
    }
  }

  #ring(at: number, bytesAt: number): RingPlace {
    const opened = region()
    const first = this.#first + at
    const bytes = opened.slice(load(opened.words, this.#first + bytesAt), ringBytes)
    return {
      words: opened.words,
      head: first,
      tail: first + TAIL,
      waits: first + WAITS,
      bytes: Buffer.from(bytes.buffer, bytes.byteOffset, ringBytes),
    }
  }
}

/** Where a link's ledger begins in the region's memory; the region need not be open. */
export function ledgerByte(address: number): number {
  return 4 * (cellWord(address) + LEDGER)
}
