/**
 * sync/condition.ts: who waits under the lock when it is notified goes on, with the lock; a notification for
 * one who dies is another's.
 */
import { add, load, store } from '#plait/memory/atomics.js'
import { region } from '#plait/memory/region.js'
import { Condition } from '#plait/sync/condition.js'
import { Lock } from '#plait/sync/lock.js'
import { buryDead, opened, prepare, stageOf } from '../opened.ts'
import type { Ending, Scenario, Stage } from '../scenario.ts'

const file = 'sync/condition.js'

function setup(): number[] {
  const lock = new Lock()
  return stageOf(lock, new Condition(lock))
}

function open(stage: Stage): Condition {
  const lock = opened(stage, 1, () => new Lock())
  return opened(stage, 2, () => new Condition(lock))
}

/**
 * Waits until there is one of the things that the stage counts, and does what is to be done then: 1. Past the
 * timeout 2, or 3 where a holder of the lock died: it may have been told, or have told nobody.
 */
function find(stage: Stage, then: (changed: Condition) => void, timeout?: number): number {
  const changed = open(stage)
  const guard = changed.acquireSync()
  let found: boolean
  // Not waitFor(), which looks once more past its timeout, whoever told it.
  do found = load(region().words, stage[0]) > 0
  while (!found && changed.waitSync({ timeout }))
  if (found) then(changed)
  if (!(changed.lock as Lock).locked) throw new Error('it has come without the lock')
  guard.release()
  if (found) return 1
  return guard.ownerDied ? 3 : 2
}

/** Makes one, and notifies one who waits. */
function make(stage: Stage): number {
  const { words } = region()
  const changed = open(stage)
  const guard = changed.acquireSync()
  store(words, stage[0], load(words, stage[0]) + 1)
  changed.notify()
  guard.release()
  return 0
}

function judge(ending: Ending): string | undefined {
  buryDead(ending)
  const { lock } = open(ending.stage)
  if (lock.acquireNowait() === null) return 'the lock is held, and everybody has gone'
  const left = load(region().words, ending.stage[0])
  return left > 0 && ending.results.includes(2) ? 'something is there, and one waited in vain' : undefined
}

const take = (stage: Stage): number => find(stage, () => void add(region().words, stage[0], -1))

/** For as long as it takes to find a death out; it tells the next one. */
const see = (stage: Stage): number => find(stage, (changed) => changed.notify(), 10_000)

export const two: Scenario = {
  setup,
  prepare,
  bodies: [take, make],
  judge,
  flaws: {
    'the lock is free before it stands in line': {
      file,
      from: 'locked(words, at, () => push(words, at + LIST, node));',
      to:
        'this.rewind = lock.unwind(this.#again); ' +
        'locked(words, at, () => push(words, at + LIST, node)); return;',
    },
    'nobody is notified': { file, from: 'granted.push(node);', to: '' },
  },
}

export const three: Scenario = {
  setup,
  prepare,
  bodies: [take, take, (stage) => make(stage) + make(stage)],
  judge,
}

/** Of two that wait one dies; the other is told of what was made, whatever the dead one was told. */
export const deaths: Scenario = {
  setup,
  prepare,
  bodies: [see, see, make],
  judge,
  mortal: [0],
  flaws: {
    "what the dead one was told is nobody else's": {
      file,
      from: 'if (unseen > 0)',
      to: 'if (false)',
      deadly: true,
    },
    'nor what it had seen, and had not come to use': {
      file,
      from: 'this.#kept = keepGrant(this.#of.words, this.#of.at + LIST);',
      to: '',
      deadly: true,
    },
  },
}
