/**
 * memory/waiters.ts and memory/park.ts: of a grant and a giving up exactly one happens, nobody who was
 * granted sleeps on, a token is neither lost nor doubled; in the thread and in the event loop.
 */
import { add, load } from '#plait/memory/atomics.js'
import { onRing, ring } from '#plait/memory/bell.js'
import { enter, leave } from '#plait/memory/guard.js'
import { allocate, wordAt } from '#plait/memory/heap.js'
import { kinds, listWords } from '#plait/memory/layout.js'
import { park, parkSync } from '#plait/memory/park.js'
import { me } from '#plait/memory/participants.js'
import { region } from '#plait/memory/region.js'
import * as waiters from '#plait/memory/waiters.js'
import { settleLoop, turnLoop } from '../atomics.ts'
import type { Ending, Scenario, Stage } from '../scenario.ts'
import { putToken, tokensOf, tokenWords, wantToken } from '../tokens.ts'

const LINE = 1
const file = 'memory/waiters.js'

/** A node of its own is ready, so that no page is made in a run. */
const prepare = (): void => {
  me()
  waiters.giveNode(waiters.takeNode(false))
}

function inside<T>(first: number, fn: () => T): T {
  const { words } = region()
  if (enter(words, first)) waiters.purge(words, first + LINE)
  const result = fn()
  leave(words, first)
  return result
}

/** Stands in line, and gives up: 1 where it was granted before that. */
function stand([first]: Stage): number {
  const { words } = region()
  const node = waiters.takeNode(false)
  try {
    inside(first, () => waiters.push(words, first + LINE, node))
    if (!waiters.giveUp(words, node)) return 1
    inside(first, () => waiters.remove(words, first + LINE, node))
    return 0
  } finally {
    waiters.giveNode(node)
  }
}

function call([first]: Stage): number {
  const { words } = region()
  const node = inside(first, () => waiters.grantFirst(words, first + LINE, 7))
  if (node !== 0) waiters.tell(words, node)
  return node === 0 ? 0 : 1
}

export const granting: Scenario = {
  setup: () => [wordAt(allocate(4 * (LINE + listWords), kinds.payload))],
  prepare,
  bodies: [stand, call],
  judge({ results: [stood, called], dead, stage: [first] }) {
    const { words } = region()
    const left = inside(first, () => waiters.first(words, first + LINE))
    if (left !== 0 && dead !== 0) return 'somebody stands in line who has gone'
    if (dead < 0 && called !== stood) return `${called} grants, and ${stood} was granted`
    return undefined
  },
  mortal: [0, 1],
  flaws: {
    'a grant that does not compete': {
      file,
      from: 'compareExchange(words, node + at.N_STATE, at.WAITING, at.GRANTED) === at.WAITING',
      to: '(store(words, node + at.N_STATE, at.GRANTED), true)',
    },
  },
}

// ── tokens ──

const tokens = (): number[] => [wordAt(allocate(4 * tokenWords, kinds.payload))]

const want = ([first]: Stage): number => parkSync(wantToken(first)) ?? 0
/** Gives up at once where none is there. */
const wantNow = ([first]: Stage): number => parkSync(wantToken(first), 0) ?? 0

function put([first]: Stage): number {
  putToken(first)
  return 0
}

function putTwo(stage: Stage): number {
  return put(stage) + put(stage)
}

function counted(made: number): (ending: Ending) => string | undefined {
  return ({ results, dead, stage: [first] }) => {
    const got = results.reduce<number>((sum, one) => sum + (one ?? 0), 0)
    const left = tokensOf(first)
    if (dead < 0 && got + left !== made) return `${made} tokens became ${got} and ${left}`
    return got + left <= made ? undefined : `${made} tokens became ${got} and ${left}`
  }
}

const unheard = { file, from: 'return wake(words, node + at.N_STATE, 1);', to: 'return;' }

export const parkedThreads: Scenario = {
  setup: tokens,
  prepare,
  bodies: [want, want, putTwo],
  judge: counted(2),
  mortal: [0],
  flaws: {
    'nobody is told': unheard,
    'what was there is not seen': {
      file,
      from: 'store(words, node + at.N_STATE, at.WAITING);',
      to: '',
    },
  },
}

export const givenUp: Scenario = {
  setup: tokens,
  prepare,
  bodies: [wantNow, put],
  judge: counted(1),
  mortal: [0, 1],
  flaws: {
    'a grant that comes with the deadline is dropped': {
      file: 'memory/park.js',
      from: 'if (left <= 0 && giveUp(words, node))',
      to: 'if (left <= 0 && ((waits = giveUp(words, node)), true))',
    },
  },
}

// ── in the event loop ──

/** Parks, and turns its loop until it has a token: microtasks run in between. */
async function wantInLoop([first]: Stage): Promise<number> {
  let got = 0
  void park(wantToken(first)).then((value) => (got = value!))
  for (;;) {
    for (let i = 0; i < 5; i++) await Promise.resolve()
    if (got > 0) break
    await turnLoop()
  }
  await settleLoop()
  return got
}

const prepareLoop = (): void => {
  prepare()
  onRing(() => {})
}

const unordered = {
  file: 'memory/bell.js',
  from: 'sleep();\n        stays = false;\n        stays = tellAll();',
  to: 'stays = tellAll(); sleep(); stays = false;',
}

export const parkedLoops: Scenario = {
  setup: tokens,
  prepare: prepareLoop,
  bodies: [wantInLoop, wantInLoop, putTwo],
  judge: counted(2),
  flaws: {
    'the bell looks before it stores': unordered,
  },
}

export const mixed: Scenario = {
  setup: tokens,
  prepare: prepareLoop,
  bodies: [wantInLoop, want, putTwo],
  judge: counted(2),
}

// ── the bell alone ──

const rungBy = new Set<number>()

export const bell: Scenario = {
  setup: () => [wordAt(allocate(64, kinds.payload))],
  prepare(thread, [first]) {
    me()
    if (thread !== 0) return
    // Its own owner's word lies in the last word, for those who ring.
    add(region().words, first + 15, me())
    onRing(() => {
      for (const i of [1, 2]) if (load(region().words, first + i) === 1) rungBy.add(i)
    })
  },
  bodies: [
    async () => {
      rungBy.clear()
      while (rungBy.size < 2) await turnLoop()
      await settleLoop()
      return 0
    },
    (stage) => ringOnce(stage, 1),
    (stage) => ringOnce(stage, 2),
  ],
  judge: () => undefined,
  flaws: { 'it looks before it stores': unordered },
}

function ringOnce([first]: Stage, word: number): number {
  const { words } = region()
  add(words, first + word, 1)
  ring(load(words, first + 15))
  return 0
}
