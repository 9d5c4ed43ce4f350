/**
 * sync/mutex.ts: one holder at a time; nobody sleeps on while it is free; whoever was woken in vain gets it
 * next; the death of a holder, of a waiter, or of one on its way hands it on and says so.
 */
import { load, store } from '#plait/memory/atomics.js'
import { allocate, wordAt } from '#plait/memory/heap.js'
import { kinds } from '#plait/memory/layout.js'
import { parkSync } from '#plait/memory/park.js'
import { me } from '#plait/memory/participants.js'
import { region } from '#plait/memory/region.js'
import { giveNode, takeNode } from '#plait/memory/waiters.js'
import { give, holderOf, INHERITED, mutexWords, take, waitForMutex } from '#plait/sync/mutex.js'
import type { Ending, Scenario, Stage } from '../scenario.ts'

const INSIDE = mutexWords
const COUNT = INSIDE + 1

const setup = (): number[] => [wordAt(allocate(4 * (COUNT + 1), kinds.payload))]

function prepare(): void {
  me()
  giveNode(takeNode(false))
}

/** Takes it, with a deadline or without, counts, and gives it back: answers how often it got it. */
function hold([first]: Stage, timeout?: number): number {
  const { words } = region()
  const how =
    take(words, first) ||
    parkSync(
      waitForMutex(words, first, (taken) => taken),
      timeout,
    )
  if (how === undefined) return 0
  if (load(words, first + INSIDE) !== 0 && how !== INHERITED) throw new Error('two had it at once')
  store(words, first + INSIDE, 1)
  const count = load(words, first + COUNT)
  store(words, first + COUNT, count + 1)
  store(words, first + INSIDE, 0)
  give(words, first)
  return 1
}

function judge({ results, dead, stage: [first] }: Ending): string | undefined {
  const { words } = region()
  const counted = load(words, first + COUNT)
  const expected = results.reduce<number>((sum, times) => sum + (times ?? 0), 0)
  const allowed = dead < 0 ? 0 : 2
  if (counted < expected || counted > expected + allowed) return `${expected} had it, ${counted} were counted`
  if (dead < 0 && holderOf(words, first) !== 0) return 'it is held, and everybody has gone'
  return undefined
}

const file = 'sync/mutex.js'
const once = (stage: Stage): number => hold(stage)
const twice = (stage: Stage): number => hold(stage) + hold(stage)

export const two: Scenario = {
  setup,
  prepare,
  bodies: [twice, twice],
  judge,
  mortal: [0],
  flaws: {
    'the flag is not set by who waits': {
      file,
      from: 'compareExchange(words, at, seen, seen | WAITERS) !== seen)\n            continue;',
      to: 'false) continue;',
    },
    'taken whoever has it': { file, from: 'if (orphan && isKnown(seen & ownerMask))', to: 'if (false)' },
    'a dead holder is not seen': {
      file,
      from: 'if (!isAlive(seen & ownerMask))',
      to: 'if (false)',
      deadly: true,
    },
  },
}

export const three: Scenario = { setup, prepare, bodies: [once, once, twice], judge, mortal: [0] }

/** One does not wait for long. */
export const hasty: Scenario = {
  setup,
  prepare,
  bodies: [(stage) => hold(stage, 0), once, once],
  judge,
  flaws: {
    'who gives up keeps what it was granted': {
      file: 'memory/park.js',
      from: 'if (left <= 0 && giveUp(words, node))',
      to: 'if (left <= 0 && ((waits = giveUp(words, node)), true))',
    },
  },
}
