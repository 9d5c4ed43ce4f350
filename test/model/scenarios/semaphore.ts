/**
 * sync/semaphore.ts: never more inside than there are permits; nobody sleeps on while one is free; what the
 * dead had comes back, once. sync/accounts.ts: of each participant one account, also where they move.
 */
import { add, peek, poke } from '#plait/memory/atomics.js'
import { enter, leave } from '#plait/memory/guard.js'
import { allocate, wordAt } from '#plait/memory/heap.js'
import { kinds } from '#plait/memory/layout.js'
import { me } from '#plait/memory/participants.js'
import { region } from '#plait/memory/region.js'
import { accountsWords, closeAccounts, ownPair, pairsOf, sumOf, type Place } from '#plait/sync/accounts.js'
import { Semaphore } from '#plait/sync/semaphore.js'
import { buryDead, opened, prepare, stageOf } from '../opened.ts'
import type { Ending, Scenario, Stage } from '../scenario.ts'

const file = 'sync/semaphore.js'
const open = (stage: Stage): Semaphore => opened(stage, 1, () => new Semaphore())

/** Goes in and out; answers how often it was in. */
function pass(stage: Stage, timeout?: number): number {
  const { words } = region()
  const guard = open(stage).acquireSync(timeout === undefined ? {} : { timeout })
  if (guard === null) return 0
  add(words, stage[0], 1)
  add(words, stage[0], -1)
  guard.release()
  return 1
}

/** Two are never inside at once; a dead one may be there for ever. */
function passAlone(stage: Stage): number {
  const { words } = region()
  const guard = open(stage).acquireSync()
  if (add(words, stage[0], 1) !== 0) throw new Error('two were inside')
  add(words, stage[0], -1)
  guard.release()
  return 1
}

function judge(permits: number): (ending: Ending) => string | undefined {
  return (ending) => {
    buryDead(ending)
    const { value } = open(ending.stage)
    return value === permits ? undefined : `${value} permits are free, there were ${permits}`
  }
}

const once = (stage: Stage): number => pass(stage)
const twice = (stage: Stage): number => pass(stage) + pass(stage)

export const alone: Scenario = {
  setup: () => stageOf(new Semaphore(1)),
  prepare,
  bodies: [passAlone, (stage) => passAlone(stage) + passAlone(stage)],
  judge: judge(1),
  flaws: {
    'taken whatever is free': { file, from: 'if (value <= (hungry ? 0 : reserved))', to: 'if (false)' },
    'a release wakes nobody': {
      file,
      from: 'poke(words, at + VALUE, after);\n            wake(words, at, granted, n);',
      to: 'poke(words, at + VALUE, after);',
    },
  },
}

export const deaths: Scenario = {
  setup: () => stageOf(new Semaphore(1)),
  prepare,
  bodies: [twice, once],
  judge: judge(1),
  mortal: [0],
  flaws: {
    'what is free is not reckoned anew': {
      file,
      from: 'purge(words, at + LIST);\n    reckon(words, at);',
      to: 'purge(words, at + LIST);',
      deadly: true,
    },
  },
}

export const three: Scenario = {
  setup: () => stageOf(new Semaphore(1)),
  prepare,
  bodies: [once, once, twice],
  judge: judge(1),
}

/** One does not wait for long; another gives a permit to whoever comes. */
export const hasty: Scenario = {
  setup: () => stageOf(new Semaphore(0)),
  prepare,
  bodies: [
    (stage) => pass(stage, 0),
    once,
    (stage) => {
      open(stage).release()
      return 0
    },
  ],
  judge: judge(1),
}

// ── accounts ──

const GUARD = accountsWords

/** One permit more to its own account, which may be the fifth. */
function take(first: number, place: Place): void {
  const { words } = region()
  enter(words, first + GUARD)
  const pair = ownPair(words, first, place)
  poke(words, pair + 1, peek(words, pair + 1) + 1)
  leave(words, first + GUARD)
}

function takeTwo([first]: Stage): number {
  const place = { offset: 0 }
  take(first, place)
  take(first, place)
  return 2
}

export const accounts: Scenario = {
  setup() {
    const first = wordAt(allocate(4 * (GUARD + 1), kinds.payload))
    const { words } = region()
    // Three of the four in the cell are somebody else's already.
    for (const pair of [...pairsOf(words, first)].slice(0, 3)) {
      poke(words, pair, me())
      poke(words, pair + 1, 1)
    }
    return [first]
  },
  prepare: () => void me(),
  bodies: [takeTwo, takeTwo],
  judge({ results, dead, stage: [first] }) {
    const { words } = region()
    if (enter(words, first + GUARD)) leave(words, first + GUARD)
    const sum = sumOf(words, first)
    const expected = results.reduce<number>((all, one) => all + (one ?? 0), 3)
    if (sum < expected || sum > expected + (dead < 0 ? 0 : 2)) return `${expected} were taken, ${sum} counted`
    const freed = closeAccounts(words, first, me())
    return freed === 3 ? undefined : `${freed} of 3 were closed`
  },
  mortal: [0],
  flaws: {
    'an account that moved is written where it was': {
      file: 'sync/accounts.js',
      from: 'const first = firstPair(words, accounts);\n    if (',
      to: 'const first = accounts + INLINE;\n    if (',
    },
  },
}
