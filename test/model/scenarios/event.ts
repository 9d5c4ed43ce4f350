/**
 * sync/event.ts: who waits when it is set goes on, also where it is cleared at once, and where whoever set it
 * died before it had told all.
 */
import { Event } from '#plait/sync/event.js'
import { buryDead, opened, prepare, stageOf } from '../opened.ts'
import type { Ending, Scenario, Stage } from '../scenario.ts'

const file = 'sync/event.js'
const open = (stage: Stage): Event => opened(stage, 1, () => new Event())
const wait = (stage: Stage): number => (open(stage).waitSync() ? 1 : 0)

/** Not for long: nobody may set it any more. */
const waitForAWhile = (stage: Stage): number => (open(stage).waitSync({ timeout: 10_000 }) ? 1 : 2)

function set(stage: Stage): number {
  open(stage).set()
  return 0
}

/** Whoever comes after the second set finds it so. */
function setTwice(stage: Stage): number {
  const event = open(stage)
  event.set()
  event.clear()
  event.set()
  return 0
}

function judge(ending: Ending): string | undefined {
  buryDead(ending)
  const { dead, results, stage } = ending
  if (dead < 0 && results.includes(2)) return 'it was set, and one waited in vain'
  return dead >= 0 || open(stage).isSet() ? undefined : 'it is not set'
}

const setup = (): number[] => stageOf(new Event())

export const two: Scenario = {
  setup,
  prepare,
  bodies: [setTwice, wait],
  judge,
  flaws: {
    'nobody is woken': { file, from: 'granted.push(node)', to: 'void node' },
    'it stands in line without a look': { file, from: 'if ((state & 1) === 1)', to: 'if (false)' },
  },
}

export const three: Scenario = { setup, prepare, bodies: [setTwice, wait, wait], judge }

/** One that sets it dies: another completes what it began, or does it alone. */
export const deaths: Scenario = {
  setup,
  prepare,
  bodies: [
    set,
    set,
    (stage) => {
      if (waitForAWhile(stage) !== 1) throw new Error('one who lives has set it')
      return 1
    },
  ],
  judge,
  mortal: [0],
}

/** Nobody else sets it: whoever has noted another state is let go by its own look. */
export const cutOff: Scenario = {
  setup,
  prepare,
  bodies: [set, (stage) => (waitForAWhile(stage) === 2 && open(stage).isSet() ? 3 : 1)],
  judge(ending) {
    return ending.results[1] === 3 ? 'it is set, and one waited in vain' : judge(ending)
  },
  mortal: [0],
  flaws: {
    'nobody looks': {
      file,
      from: 'if (load(words, at + STATE) !== noted)',
      to: 'if (false)',
      deadly: true,
    },
  },
}
