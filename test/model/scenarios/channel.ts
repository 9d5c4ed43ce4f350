/**
 * queue/channel.ts: what was put is taken once, in order, by whoever is there; nobody sleeps on while there
 * is something; a death loses nothing that was put and leaves the channel whole. Who counts without the
 * guard is told a number that was true, and who empties it leaves a channel like a new one.
 */
import { load, store } from '#plait/memory/atomics.js'
import { allocate, read, wordAt } from '#plait/memory/heap.js'
import { H_KIND, kinds } from '#plait/memory/layout.js'
import { parkSync } from '#plait/memory/park.js'
import { me } from '#plait/memory/participants.js'
import { giveNode, takeNode } from '#plait/memory/waiters.js'
import { Channel, GETTERS, PUTTERS } from '#plait/queue/channel.js'
import { unhook } from '#plait/queue/fifo.js'
import * as at from '#plait/queue/layout.js'
import type { Outgoing } from '#plait/queue/message.js'
import { region } from '#plait/memory/region.js'
import { freeLists } from '../free-lists.ts'
import type { Ending, Scenario, Stage } from '../scenario.ts'

function prepare(): void {
  me()
  giveNode(takeNode(false))
}

function setup(max: number): () => number[] {
  return () => {
    const first = wordAt(allocate(4 * at.channelWords, kinds.payload))
    store(region().words, first + at.MAX, max)
    const channel = new Channel(first)
    // Some chunk is there, and drained.
    put(channel, 9, 8)
    get(channel)
    return [first]
  }
}

const refuse = (): void => {}

/** A record that is `size` bytes of one number. */
function put(channel: Channel, value: number, size: number): void {
  const bytes = Buffer.alloc(size, value)
  const message = { bytes, length: size, flags: 0, shares: [], blocks: [], weight: size, entrust() {} }
  const step = (node: number): true | undefined =>
    channel.put(message as unknown as Outgoing, refuse, node) ? true : undefined
  parkSync(channel.wait(PUTTERS, step))
}

function get(channel: Channel): number {
  const found = parkSync(channel.wait(GETTERS, (node) => channel.take(refuse, undefined, node)))!
  const value = found.bytes[0]
  if (found.bytes.subarray(0, found.length).some((byte) => byte !== value)) throw new Error('it is torn')
  return value
}

/** Takes what is left; or what is wrong with the channel and the heap. */
function leftIn(first: number): number[] | string {
  const channel = new Channel(first)
  const left: number[] = []
  channel.locked(() => {})
  while (channel.count() > 0) left.push(get(channel))
  const chunk = load(region().words, first + at.TAIL_CHUNK)
  if (chunk !== 0 && read(chunk, H_KIND) !== kinds.chunk) return 'it writes into a block that is free'
  return freeLists() ?? left
}

function judge(puts: number[]): (ending: Ending) => string | undefined {
  return ({ results, dead, stage: [first] }) => {
    const left = leftIn(first)
    if (typeof left === 'string') return left
    const seen = [...results.flatMap((one) => ((one ?? 0) > 0 ? digits(one!) : [])), ...left]
    const taken = seen.toSorted((a, b) => a - b).join(' ')
    if (dead < 0 && taken !== puts.join(' ')) return `${puts.join(' ')} were put, ${taken} were taken`
    if (new Set(seen).size !== seen.length) return `${taken}: one was taken twice`
    return undefined
  }
}

const digits = (n: number): number[] => Array.from(String(n), Number)

export const small: Scenario = {
  setup: setup(0),
  prepare,
  bodies: [
    ([first]: Stage) => (put(new Channel(first), 1, 8), put(new Channel(first), 2, 8), 0),
    ([first]: Stage) => get(new Channel(first)),
    ([first]: Stage) => get(new Channel(first)),
  ],
  judge: judge([1, 2]),
  flaws: {
    'nobody who waits is woken': {
      file: 'queue/channel.js',
      from: 'fifo.append(this.words, this.w, message);\n        this.#next(GETTERS);',
      to: 'fifo.append(this.words, this.w, message);',
    },
  },
}

export const large: Scenario = {
  plain: true,
  setup: setup(0),
  prepare,
  bodies: [
    ([first]: Stage) => (put(new Channel(first), 1, 5000), put(new Channel(first), 2, 8), 0),
    ([first]: Stage) => {
      const c = new Channel(first)
      put(c, 3, 5000)
      return get(c)
    },
  ],
  judge: judge([1, 2, 3]),
  mortal: [0],
  flaws: {
    'a chunk that was linked and not said to be the last': {
      file: 'queue/fifo.js',
      from: 'if (load(words, channel + at.TAIL_CHUNK) === own)',
      to: 'if (false)',
      deadly: true,
    },
    'a record is there before its bytes': {
      file: 'queue/fifo.js',
      from: 'const { bytes } = region();',
      to: 'store(words, record + at.R_SIZE, size); const { bytes } = region();',
      deadly: true,
    },
  },
}

export const full: Scenario = {
  setup: setup(1),
  prepare,
  bodies: [
    ([first]: Stage) => (put(new Channel(first), 1, 8), put(new Channel(first), 2, 8), 0),
    ([first]: Stage) => {
      const c = new Channel(first)
      return get(c) * 10 + get(c)
    },
  ],
  judge: judge([1, 2]),
}

export const counted: Scenario = {
  setup: setup(0),
  prepare,
  bodies: [
    ([first]: Stage) => {
      const c = new Channel(first)
      for (const value of [1, 2]) {
        put(c, value, 8)
        get(c)
      }
      return 0
    },
    ([first]: Stage) => new Channel(first).count(),
  ],
  judge: ({ results: [, count] }) => (count === 0 || count === 1 ? undefined : `${count} were there at once`),
  flaws: {
    'the counters of two moments': {
      file: 'queue/fifo.js',
      from: 'if (load(words, channel + at.TAKEN) === taken)',
      to: 'if (true)',
    },
  },
}

export const emptied: Scenario = {
  setup: setup(0),
  prepare,
  bodies: [
    ([first]: Stage) => (put(new Channel(first), 1, 5000), put(new Channel(first), 2, 8), 0),
    ([first]: Stage) => {
      const c = new Channel(first)
      c.setState(at.SHUT, () => unhook(c.words, c.w))!()
      return 0
    },
  ],
  judge: ({ dead, stage: [first] }) => {
    const left = leftIn(first)
    if (typeof left === 'string') return left
    const wanted = dead === 0 ? ['', '1', '2', '1 2'] : ['', '2', '1 2']
    return wanted.includes(left.join(' ')) ? undefined : `${left.join(' ')} are left`
  },
  mortal: [0, 1],
  flaws: {
    'a tail is left behind': {
      file: 'queue/fifo.js',
      from: 'store(words, channel + at.TAIL, 0);',
      to: '',
    },
  },
}
