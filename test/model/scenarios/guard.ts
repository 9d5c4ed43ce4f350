/**
 * memory/guard.ts: one holder at a time, nobody sleeps on while it is free, and a death hands it on and says
 * so. Two threads take it twice, or three take it once.
 */
import { load, store } from '#plait/memory/atomics.js'
import { enter, leave } from '#plait/memory/guard.js'
import { allocate, wordAt } from '#plait/memory/heap.js'
import { kinds } from '#plait/memory/layout.js'
import { me } from '#plait/memory/participants.js'
import { region } from '#plait/memory/region.js'
import type { Ending, Scenario, Stage } from '../scenario.ts'

const GUARD = 0
const INSIDE = 1
const COUNT = 2

const setup = (): number[] => [wordAt(allocate(64, kinds.payload))]

/** What a structure does under its guard: it must be alone, and what it reads stays as it is. */
function critical([first]: Stage): number {
  const { words } = region()
  const taken = enter(words, first + GUARD)
  const inside = load(words, first + INSIDE)
  store(words, first + INSIDE, 1)
  if (inside !== 0 && !taken) throw new Error('two were inside at once')
  const count = load(words, first + COUNT)
  store(words, first + COUNT, count + 1)
  store(words, first + INSIDE, 0)
  leave(words, first + GUARD)
  return taken ? 1 : 0
}

function judge(times: number): (ending: Ending) => string | undefined {
  return ({ stage: [first], dead, results }) => {
    const { words } = region()
    const count = load(words, first + COUNT)
    const expected = results.length * times
    if (dead < 0 && results.some((taken) => taken !== 0)) return 'it was taken over, and nobody had died'
    if (dead < 0) return count === expected ? undefined : `${count} of ${expected} were counted`
    return count >= expected - times && count <= expected ? undefined : `${count} were counted`
  }
}

const twice = (stage: Stage): number => critical(stage) + critical(stage)
const file = 'memory/guard.js'

export const two: Scenario = {
  setup,
  prepare: () => void me(),
  bodies: [twice, twice],
  judge: judge(2),
  mortal: [0],
  flaws: {
    'no flag of those who sleep': { file, from: 'seen | CONTENDED) !== seen', to: 'seen) !== seen' },
    'taken without looking': {
      file,
      from: 'if (seen === 0) {',
      to: 'if (seen === 0) { store(words, guard, self); return false;',
    },
    'taken over from the living': { file, from: '|| isAlive(held & ownerMask)', to: '' },
    'never taken over': { file, from: 'isAlive(held & ownerMask)', to: 'true', deadly: true },
  },
}

export const three: Scenario = {
  setup,
  prepare: () => void me(),
  bodies: [critical, critical, critical],
  judge: judge(1),
  mortal: [0],
  flaws: {
    'a woken one forgets the others': {
      file,
      from: 'compareExchange(words, guard, 0, self | CONTENDED) === 0',
      to: 'compareExchange(words, guard, 0, self) === 0',
    },
  },
}
