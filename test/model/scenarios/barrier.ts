/**
 * sync/barrier.ts: all parties go on together, each with a number of its own, round after round; a death
 * breaks it for the others, and nobody waits for ever.
 */
import { BrokenBarrierError } from '#plait/core/errors.js'
import { Barrier } from '#plait/sync/barrier.js'
import { buryDead, opened, prepare, stageOf } from '../opened.ts'
import type { Ending, Scenario, Stage } from '../scenario.ts'

const file = 'sync/barrier.js'
const open = (stage: Stage): Barrier => opened(stage, 1, () => new Barrier(1))

/** Its number plus 1; 9 where it was broken. */
function meet(barrier: Barrier, timeout?: number): number {
  try {
    return barrier.waitSync({ timeout }) + 1
  } catch (error) {
    if (error instanceof BrokenBarrierError) return 9
    throw error
  }
}

const once = (stage: Stage): number => meet(open(stage))

function twice(stage: Stage): number {
  const barrier = open(stage)
  return meet(barrier) * 10 + meet(barrier)
}

/** `numbers`: those that all visits must have, where nobody dies. */
function judge(numbers: string): (ending: Ending) => string | undefined {
  return (ending) => {
    buryDead(ending)
    const { results, dead, stage } = ending
    const got = Array.from(results.join('')).toSorted().join('')
    if (dead < 0 && got !== numbers) return `the numbers were ${results.join(', ')}`
    const barrier = open(stage)
    if (dead < 0 && (barrier.broken || barrier.nWaiting !== 0)) return 'it is not as it was before'
    barrier.reset()
    return barrier.broken || barrier.nWaiting !== 0 ? 'it is not as new' : undefined
  }
}

export const two: Scenario = {
  setup: () => stageOf(new Barrier(2)),
  prepare,
  bodies: [twice, twice],
  judge: judge('1122'),
  flaws: {
    'nobody is let go': { file, from: 'granted.push(node)', to: 'void node' },
    'who has come is counted for ever': { file, from: 'store(words, at + COUNT, 0);', to: '' },
  },
}

export const three: Scenario = {
  setup: () => stageOf(new Barrier(3)),
  prepare,
  bodies: [once, once, once],
  judge: judge('123'),
}

/** Two rounds, and who is of which is open. */
export const four: Scenario = {
  setup: () => stageOf(new Barrier(2)),
  prepare,
  bodies: [once, once, once, once],
  judge: judge('1122'),
  flaws: {
    'who comes while it acts is inside': { file, from: 'if (state === ACTING) {', to: 'if (false) {' },
  },
}

/** Not for ever: the other may die before it comes. */
export const deaths: Scenario = {
  setup: () => stageOf(new Barrier(2)),
  prepare,
  bodies: [once, (stage) => meet(open(stage), 10_000)],
  judge: judge('12'),
  mortal: [0],
}
