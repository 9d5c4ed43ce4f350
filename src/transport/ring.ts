/**
 * One way for bytes from one thread to another, through a ring in the region: the two ends of it. One writes,
 * one reads, and no lock is needed: each has a counter that it alone moves. What the bytes mean is not known
 * here; ring-output.ts and ring-channel.ts make records of them. Counters are bytes since the beginning,
 * modulo 2^32; where a byte lies is the counter modulo the capacity, a power of two.
 *
 * R1  HEAD is moved by the writer alone, TAIL by the reader alone; 0 ≤ HEAD − TAIL ≤ capacity.
 * R2  Bytes are written before HEAD passes them, and read after HEAD was loaded. The store of HEAD commits: a
 *     writer that is killed before it has written nothing that anybody reads.
 * R3  Bytes are not looked at any more once TAIL has passed them, and overwritten after TAIL was loaded.
 * R4  A writer that finds no room stores WAITS, then loads TAIL again, and sleeps only where there is still
 *     none. The reader stores TAIL, then loads WAITS, and rings the writer if it is set. Of the two at least
 *     one sees what the other has stored: no writer waits for room that is there.
 *
 * All loads and stores of counters are sequentially consistent (memory/atomics.ts).
 */
import { exchange, load, store, type Words } from '../memory/atomics.ts'

/** Where a ring lies: its bytes, and the words of its counters, each in a cache line of its own. */
export interface RingPlace {
  readonly words: Words
  readonly head: number
  readonly tail: number
  /** Beside the head: the writer sets it, the reader clears it. */
  readonly waits: number
  readonly bytes: Buffer
}

export class RingWriterEnd {
  readonly #at: RingPlace
  readonly #mask: number
  #head: number
  /** TAIL as it was seen last: there may be more room by now. */
  #tail: number

  constructor(place: RingPlace) {
    this.#at = place
    this.#mask = place.bytes.length - 1
    this.#head = load(place.words, place.head)
    this.#tail = load(place.words, place.tail)
  }

  /** Free bytes in one piece behind the head, at most `most`: written there and then advanced over. */
  window(most: number): Buffer {
    const from = this.#head & this.#mask
    if (this.#room() < most) this.#look()
    return this.#at.bytes.subarray(from, from + Math.min(most, this.#room(), this.#mask + 1 - from))
  }

  /** Commits `n` bytes of the window. */
  advance(n: number): void {
    this.#head = (this.#head + n) | 0
    store(this.#at.words, this.#at.head, this.#head)
  }

  /** Copies and commits the beginning of `bytes`, as much as there is room for: how much. */
  write(bytes: Buffer): number {
    if (this.#room() < bytes.length) this.#look()
    const n = Math.min(bytes.length, this.#room())
    const from = this.#head & this.#mask
    const first = Math.min(n, this.#mask + 1 - from)
    bytes.copy(this.#at.bytes, from, 0, first)
    if (first < n) bytes.copy(this.#at.bytes, 0, first, n)
    if (n > 0) this.advance(n)
    return n
  }

  /** There is no room, and this end sleeps until it is rung; false where there is some after all (R4). */
  await(): boolean {
    store(this.#at.words, this.#at.waits, 1)
    this.#look()
    return this.#room() === 0
  }

  #look(): void {
    this.#tail = load(this.#at.words, this.#at.tail)
  }

  #room(): number {
    return this.#mask + 1 - ((this.#head - this.#tail) | 0)
  }
}

export class RingReaderEnd {
  readonly #at: RingPlace
  readonly #mask: number
  readonly #most: number
  /** Bytes up to here were handed out. */
  #read: number
  #head: number

  constructor(place: RingPlace) {
    this.#at = place
    this.#mask = place.bytes.length - 1
    this.#most = place.bytes.length / 4
    this.#read = this.#head = load(place.words, place.tail)
  }

  /** What read() may hand out: all that is committed by now. */
  look(): void {
    this.#head = load(this.#at.words, this.#at.head)
  }

  /**
   * The next bytes, where they lie, valid until release(); undefined where the last look saw no more. Not
   * more than a quarter of the ring, so that the writer has room again before all is read.
   */
  read(): Buffer | undefined {
    const size = (this.#head - this.#read) | 0
    if (size === 0) return undefined
    const from = this.#read & this.#mask
    const n = Math.min(size, this.#most, this.#mask + 1 - from)
    this.#read = (this.#read + n) | 0
    return this.#at.bytes.subarray(from, from + n)
  }

  /** All that was handed out is done with. True where the writer waits for the room, and has to be rung. */
  release(): boolean {
    const { words, tail, waits } = this.#at
    store(words, tail, this.#read)
    return load(words, waits) !== 0 && exchange(words, waits, 0) !== 0
  }
}
