/**
 * A pipe's cell: two channels, one each way, and its two ends, which are cells of their own so that their
 * holders are counted. An end is gone with its last holder, closed or dead; whoever waits at the other end is
 * told (P1). The ends hold the pipe, and it is given back with the second.
 */
import { load, store } from '../memory/atomics.ts'
import { cellWord, defineKind, makeCell, release, send, unsendAt } from '../memory/holders.ts'
import { kinds } from '../memory/layout.ts'
import { region } from '../memory/region.ts'
import { buryDeadHolders } from '../memory/sweep.ts'
import { Channel } from './channel.ts'
import * as at from './layout.ts'

/** A message waits where more bytes than this lie in front of it. */
const mostBytes = 2 ** 20

// Words of a pipe: the two ends, or 0 where one is gone, then the two channels.
const ENDS = 0
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
  const pipe = makeCell(kinds.pipe, CHANNELS + 2 * at.channelWords)
  try {
    const end = makeEnd(pipe, 0, directions[0])
    try {
      return [end, makeEnd(pipe, 1, directions[1])]
    } catch (error) {
      release(end)
      throw error
    }
  } finally {
    release(pipe) // from here on its ends alone hold it
  }
}

function makeEnd(pipe: number, side: number, directions: number): number {
  const end = makeCell(kinds.end, 3)
  const { words } = region()
  store(words, cellWord(end) + SIDE, side)
  store(words, cellWord(end) + DIRECTIONS, directions)
  store(words, channelWord(pipe, side) + at.MAX_BYTES, mostBytes)
  store(words, cellWord(pipe) + ENDS + side, end)
  send(pipe)
  store(words, cellWord(end) + PIPE, pipe) // the commit: what was sent is the end's
  return end
}

/** Channel `side` leads to the end `side`. */
function channelWord(pipe: number, side: number): number {
  return cellWord(pipe) + CHANNELS + side * at.channelWords
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
    const peer = load(words, cellWord(this.#pipe) + ENDS + 1 - this.#side)
    if (system !== null && peer !== 0) buryDeadHolders(peer)
  }
}

defineKind(kinds.end, {
  destroy(address) {
    const { words } = region()
    const word = cellWord(address)
    const pipe = load(words, word + PIPE)
    if (pipe === 0) return // its maker died before it had one
    const side = load(words, word + SIDE)
    store(words, cellWord(pipe) + ENDS + side, 0)
    new Channel(channelWord(pipe, side)).setState(at.READER_GONE)
    new Channel(channelWord(pipe, 1 - side)).setState(at.WRITER_GONE)
    unsendAt(words, word + PIPE)
  },
})
defineKind(kinds.pipe, {
  destroy(address) {
    for (const side of [0, 1]) new Channel(channelWord(address, side)).destroy()
  },
})
