/**
 * memory/heap.ts, memory/holders.ts and memory/sweep.ts: no block is given to two, none is lost but what a
 * death is said to cost; a cell goes with its last holder, once, and never before.
 */
import { add, exchange, load, store } from '#plait/memory/atomics.js'
import { allocate, free, usage, wordAt } from '#plait/memory/heap.js'
import {
  cellWord,
  defineKind,
  hold,
  isHeld,
  makeCell,
  receive,
  release,
  send,
} from '#plait/memory/holders.js'
import * as at from '#plait/memory/layout.js'
import { isKnown, me, slotAt, stateWord } from '#plait/memory/participants.js'
import { region } from '#plait/memory/region.js'
import { bury } from '#plait/memory/sweep.js'
import { freeLists } from '../free-lists.ts'
import type { Scenario, Stage } from '../scenario.ts'

const { kinds } = at
const file = 'memory/heap.js'

/** The owners' words of the threads, in a block that stays. */
function roll(): number {
  return wordAt(allocate(64, kinds.payload))
}

function enroll(thread: number, [book]: Stage): void {
  store(region().words, book + thread, me())
}

function buryThe(dead: number, [book]: Stage): void {
  if (dead >= 0) bury(load(region().words, book + dead))
}

// ── blocks ──

function borrow(bytes: number, mark: number): void {
  const { words } = region()
  const block = allocate(bytes, kinds.payload)
  store(words, wordAt(block), mark)
  if (load(words, wordAt(block)) !== mark) throw new Error('two have one block')
  free(block)
}

export const blocks: Scenario = {
  setup() {
    const book = roll()
    // One in the list, so that some are cut and some are found.
    free(allocate(64, kinds.payload))
    return [book, usage().blocks]
  },
  prepare: enroll,
  bodies: [() => (borrow(64, 1), borrow(64, 2), 0), () => (borrow(64, 3), 0)],
  judge({ dead, stage }) {
    buryThe(dead, stage)
    const { blocks: left } = usage()
    return left === stage[1] ? freeLists() : `${left} blocks are in use, and ${stage[1]} were`
  },
  mortal: [0, 1],
  flaws: {
    'no guard': { file, from: 'enter(words, at.HEAP_GUARD)', to: '(enter, false)' },
    'a death in the guard is not repaired': {
      file,
      from: 'function repair() {',
      to: 'function repair() { return;',
      deadly: true,
    },
    'the kind before the owner': {
      file,
      from: 'write(address, at.H_OWNER, owner);',
      to: 'write(address, at.H_KIND, kind); write(address, at.H_OWNER, owner);',
      deadly: true,
    },
  },
}

// ── cells ──

/** In the book: how often the cell was destroyed. */
const GONE = 10
let book = 0
defineKind(kinds.lock, {
  // Whoever goes on after a death does it again: what was done says so.
  destroy(address) {
    const { words } = region()
    if (exchange(words, cellWord(address) + 1, 1) === 0) add(words, book + GONE, 1)
  },
})

function use([first, cell]: Stage): void {
  book = first!
  if (load(region().words, first + GONE) !== 0) throw new Error('it is gone, and somebody holds it')
  load(region().words, cellWord(cell))
}

function takeIn(stage: Stage): number {
  receive(stage[1])
  use(stage)
  release(stage[1])
  return 0
}

/** Two messages are under way, and nobody else holds it. */
export const messages: Scenario = {
  setup() {
    book = roll()
    const cell = makeCell(kinds.lock, 4)
    send(cell)
    send(cell)
    release(cell)
    return [book, cell]
  },
  prepare: enroll,
  bodies: [
    (stage) => {
      book = stage[0]!
      receive(stage[1])
      send(stage[1]) // to itself
      return takeIn(stage)
    },
    (stage) => ((book = stage[0]!), takeIn(stage)),
  ],
  judge({ dead, stage }) {
    book = stage[0]!
    buryThe(dead, stage)
    const gone = load(region().words, book + GONE)
    return dead < 0 && gone !== 1
      ? `it was destroyed ${gone} times`
      : gone > 1
        ? 'it went twice'
        : freeLists()
  },
  mortal: [0],
  flaws: {
    'what is held already counts again': {
      file: 'memory/holders.js',
      from: 'if (!setBit(address))\n        drop(address);\n}\n/** A message with a handle will',
      to: 'setBit(address);\n}\n/** A message with a handle will',
    },
  },
}

/** The judge holds it all the time; a thread that holds it too dies. */
export const holders: Scenario = {
  setup() {
    book = roll()
    return [book, makeCell(kinds.lock, 4)]
  },
  prepare: enroll,
  bodies: [
    (stage) => {
      hold(stage[1])
      release(stage[1])
      return 0
    },
    (stage) => {
      hold(stage[1])
      use(stage)
      release(stage[1])
      return 0
    },
  ],
  judge({ dead, stage }) {
    book = stage[0]!
    buryThe(dead, stage)
    if (!isHeld(stage[1]) || load(region().words, book + GONE) !== 0) return 'it went while it was held'
    return undefined
  },
  mortal: [0, 1],
  flaws: {
    'the bit before the count': {
      file: 'memory/holders.js',
      from: 'addHold(address, 1);\n    if (!setBit(address))\n        drop(address);',
      to: 'if (setBit(address)) addHold(address, 1);',
      deadly: true,
    },
  },
}

// ── two bury one ──

/** A participant that is none: its thread began at another time than the system says. */
function forge(slot: number): number {
  const { words } = region()
  const first = slotAt(slot)
  const owner = (9 << 11) | (slot + 1)
  store(words, first + at.S_PID, 1)
  store(words, first + at.S_TID, 8)
  store(words, first + at.S_STARTED, 5)
  store(words, first + at.S_STATE, stateWord(owner, at.LIVE))
  return owner
}

export const burials: Scenario = {
  setup() {
    book = roll()
    const owner = forge(100)
    const cell = makeCell(kinds.lock, 4)
    // As if the dead one held it, and the judge did not.
    const { words } = region()
    store(words, wordAt(cell), 0)
    store(words, wordAt(cell) + 3, 1 << 4)
    const block = allocate(64, kinds.payload)
    store(words, wordAt(block) + at.H_OWNER, owner)
    return [book, cell, owner, usage().blocks]
  },
  prepare: enroll,
  bodies: [
    ([first, , owner]) => ((book = first!), bury(owner), 0),
    ([first, , owner]) => ((book = first!), bury(owner), 0),
  ],
  judge({ dead, stage: [first, , owner, before], stage }) {
    book = first!
    const late = isKnown(owner)
    bury(owner)
    buryThe(dead, stage)
    const gone = load(region().words, book + GONE)
    if (late) return 'it is still known'
    if (load(region().words, slotAt(100) + at.S_PID) !== 0 && dead < 0) return 'its slot is not free'
    if (gone > 1) return 'its cell went twice'
    const { blocks: left } = usage()
    if (dead < 0 && left !== before - 2) return `${left} blocks are left of ${before}`
    return freeLists()
  },
  mortal: [0],
  flaws: {
    'two sweep at once': {
      file: 'memory/sweep.js',
      from: 'if (sweeper !== 0 && isAlive(sweeper))',
      to: 'if (false)',
    },
  },
}
