/**
 * A pipe's cell: two channels, one each way, and its two ends, which are cells of their own so that their
 * holders are counted. An end is gone with its last holder, closed or dead; whoever waits at the other end is
 * told (P1). The pipe is given back with its second end.
 */
import { load, store, sub } from '../memory/atomics.ts'
import { allocate, free, wordAt, write } from '../memory/heap.ts'
import { cellWord, defineKind, makeCell } from '../memory/holders.ts'
import { H_OWNER, kinds } from '../memory/layout.ts'
import { region } from '../memory/region.ts'
import { buryDeadHolders } from '../memory/sweep.ts'
import { Channel } from './channel.ts'
import * as at from './layout.ts'

/** A message waits where more bytes than this lie in front of it. */
const mostBytes = 2 ** 20

// Words of a pipe: ends that are there, the two ends, then the two channels.
const LEFT = 0
const ENDS = 1
const CHANNELS = 16
// Words of an end: its pipe, and which of its ends it is (0 or 1), and its directions.
const PIPE = 0
const SIDE = 1
const DIRECTIONS = 2

/** Of an end. */
export const READS = 1
export const WRITES = 2

/** Two new ends, held by this participant. */
export function makePipe(directions: readonly [number, number]): readonly [number, number] {
  const pipe = allocate(4 * (CHANNELS + 2 * at.channelWords), kinds.pipe)
  const { words } = region()
  const ends = [makeCell(kinds.end, 3), makeCell(kinds.end, 3)] as const
  for (const [side, end] of ends.entries()) {
    store(words, cellWord(end) + PIPE, pipe)
    store(words, cellWord(end) + SIDE, side)
    store(words, cellWord(end) + DIRECTIONS, directions[side]!)
    store(words, wordAt(pipe) + ENDS + side, end)
    store(words, channelWord(pipe, side) + at.MAX_BYTES, mostBytes)
  }
  store(words, wordAt(pipe) + LEFT, 2)
  write(pipe, H_OWNER, 0)
  return ends
}

/** Channel `side` leads to the end `side`. */
function channelWord(pipe: number, side: number): number {
  return wordAt(pipe) + CHANNELS + side * at.channelWords
}

/** One end, as somebody who holds it sees it. */
export class End {
  readonly address: number
  readonly incoming: Channel
  readonly outgoing: Channel
  readonly directions: number
  readonly #pipe: number
  readonly #side: number

  constructor(address: number) {
    const { words } = region()
    const word = cellWord(address)
    this.address = address
    this.#pipe = load(words, word + PIPE)
    this.#side = load(words, word + SIDE)
    this.directions = load(words, word + DIRECTIONS)
    this.incoming = new Channel(channelWord(this.#pipe, this.#side))
    this.outgoing = new Channel(channelWord(this.#pipe, 1 - this.#side))
  }

  /** Holders of the other end of whom nobody else would say that they died. */
  readonly checkPeer = (): void => {
    const { words, system } = region()
    const peer = load(words, wordAt(this.#pipe) + ENDS + 1 - this.#side)
    if (system !== null && peer !== 0) buryDeadHolders(peer)
  }
}

defineKind(kinds.end, {
  destroy(address) {
    const { words } = region()
    const word = cellWord(address)
    const pipe = load(words, word + PIPE)
    const side = load(words, word + SIDE)
    if (pipe === 0) return // its maker died before it was one
    store(words, wordAt(pipe) + ENDS + side, 0)
    new Channel(channelWord(pipe, side)).setState(at.READER_GONE)
    new Channel(channelWord(pipe, 1 - side)).setState(at.WRITER_GONE)
    if (sub(words, wordAt(pipe) + LEFT, 1) !== 1) return
    for (const one of [0, 1]) new Channel(channelWord(pipe, one)).destroy()
    free(pipe)
  },
})
