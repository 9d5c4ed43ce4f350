/**
 * transport/ring.ts with memory/bell.ts: every byte arrives once and in order, no reader sleeps beside bytes,
 * no writer sleeps beside room (R4), and a writer that dies has written all or nothing of a piece.
 */
import { load, store } from '#plait/memory/atomics.js'
import { onRing, ring } from '#plait/memory/bell.js'
import { allocate, wordAt } from '#plait/memory/heap.js'
import { kinds } from '#plait/memory/layout.js'
import { me } from '#plait/memory/participants.js'
import { region } from '#plait/memory/region.js'
import { RingReaderEnd, RingWriterEnd, type RingPlace } from '#plait/transport/ring.js'
import { settleLoop, turnLoop } from '../atomics.ts'
import type { Scenario, Stage } from '../scenario.ts'

const HEAD = 0
const TAIL = 1
const WAITS = 2
const WRITER = 3
const READER = 4
/** Bytes of the ring, and of what goes through it. */
const capacity = 8

function place([first]: Stage): RingPlace {
  const { words, bytes } = region()
  const start = (first + 16) * 4
  return {
    words,
    head: first + HEAD,
    tail: first + TAIL,
    waits: first + WAITS,
    bytes: Buffer.from(bytes.buffer as ArrayBuffer, start, capacity),
  }
}

const setup = (): number[] => [wordAt(allocate(128, kinds.payload))]

function prepare(thread: number, [first]: Stage): void {
  store(region().words, first + WRITER + thread, me())
  onRing(() => false)
}

function other([first]: Stage, which: number): number {
  return load(region().words, first + which)
}

/** Writes pieces of four bytes, each of one number. */
function writing(pieces: number): (stage: Stage) => Promise<number> {
  return async (stage) => {
    const end = new RingWriterEnd(place(stage))
    for (let piece = 1; piece <= pieces; piece++) {
      const bytes = Buffer.alloc(4, piece)
      for (let done = 0; done < 4;) {
        const n = end.write(bytes.subarray(done))
        done += n
        if (n > 0) ring(other(stage, READER))
        if (done < 4 && end.await()) await turnLoop()
      }
    }
    await settleLoop()
    return pieces
  }
}

function reading(pieces: number): (stage: Stage) => Promise<number> {
  return async (stage) => {
    const end = new RingReaderEnd(place(stage))
    const got: number[] = []
    const drain = (): boolean => {
      end.look()
      const before = got.length
      for (let bytes = end.read(); bytes !== undefined; bytes = end.read()) {
        got.push(...bytes)
        if (end.release()) ring(other(stage, WRITER))
      }
      return got.length > before
    }
    const stop = onRing(drain)
    drain()
    while (got.length < pieces * 4) await turnLoop()
    await settleLoop()
    stop()
    got.forEach((value, i) => {
      if (value !== 1 + (i >> 2)) throw new Error(`torn: ${got.join()}`)
    })
    return got.length / 4
  }
}

const file = 'transport/ring.js'

export const bytes: Scenario = {
  plain: true,
  setup,
  prepare,
  bodies: [writing(3), reading(3)],
  judge: ({ results }) => (results[0] === results[1] ? undefined : results.join()),
  flaws: {
    'a writer looks before it says that it waits': {
      file,
      from: 'store(this.#at.words, this.#at.waits, 1);\n        this.#look();',
      to: 'this.#look(); store(this.#at.words, this.#at.waits, 1);',
    },
    'the head before the bytes': {
      file,
      from: 'const from = this.#head & this.#mask;\n        const first',
      to:
        'store(this.#at.words, this.#at.head, (this.#head + n) | 0); ' +
        'const from = this.#head & this.#mask; const first',
    },
  },
}
