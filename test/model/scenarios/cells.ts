/**
 * memory/holders.ts where cells hang together, and come and go: what is destroyed goes once, whoever died at
 * it; a late look at a cell that has gone harms nothing that lies there now; a pipe is there as long as one
 * of its ends.
 */
import { add, exchange, load, store } from '#plait/memory/atomics.js'
import { allocate, freeAt, read, usage, walk, wordAt, write } from '#plait/memory/heap.js'
import {
  cellWord,
  defineKind,
  dropDead,
  isHeld,
  makeCell,
  receive,
  release,
  send,
  unsendAt,
} from '#plait/memory/holders.js'
import { H_HELD, H_HOLDS, H_KIND, H_OWNER, kinds } from '#plait/memory/layout.js'
import { me } from '#plait/memory/participants.js'
import { region } from '#plait/memory/region.js'
import { bury } from '#plait/memory/sweep.js'
import { makePipe } from '#plait/queue/pipe.js'
import { freeLists } from '../free-lists.ts'
import type { Scenario, Stage } from '../scenario.ts'

/** In the book, behind the owners' words of the threads: how often a cell was destroyed. */
const GONE = 10
let book = 0

function roll(): number {
  return (book = wordAt(allocate(64, kinds.payload)))
}

function enroll(thread: number, [first]: Stage): void {
  book = first!
  store(region().words, first + thread, me())
}

function buryThe(dead: number): void {
  if (dead >= 0) bury(load(region().words, book + dead))
}

/** A cell that a message brings, and nobody holds. */
function underWay(cell: number): number {
  send(cell)
  release(cell)
  return cell
}

function takeAndLetGo(cell: number): void {
  receive(cell)
  release(cell)
}

// ── a look that comes late ──

defineKind(kinds.lock, {
  // Whoever goes on after a death does it again: what was done says so.
  destroy(address) {
    const { words } = region()
    if (exchange(words, cellWord(address), 1) === 0) add(words, book + GONE, 1)
  },
})

/** An owner's word that nobody has. */
const nobody = (9 << 11) | 101

export const late: Scenario = {
  setup: () => [roll(), underWay(makeCell(kinds.lock, 4))],
  prepare: enroll,
  bodies: [
    // The block is the next one's at once.
    ([, cell]) => (takeAndLetGo(cell), makeCell(kinds.lock, 4)),
    ([, cell]) => (read(cell, H_HELD) === 1 && dropDead(cell, nobody), 0),
  ],
  judge({ results: [made] }) {
    const gone = load(region().words, book + GONE)
    if (gone !== 1) return `it was destroyed ${gone} times`
    return isHeld(made!) && read(made!, H_KIND) === kinds.lock ? freeLists() : 'a new cell has gone'
  },
  flaws: {
    'a new cell counts nobody at first': {
      file: 'memory/heap.js',
      from: 'write(address, at.H_HOLDS, -owner);',
      to: 'write(address, at.H_HOLDS, 0);',
    },
  },
}

// ── a death while a cell is destroyed ──

const BLOCK = 0
const INNER = 1
defineKind(kinds.value, {
  destroy(address) {
    const { words } = region()
    freeAt(words, cellWord(address) + BLOCK)
    unsendAt(words, cellWord(address) + INNER)
  },
})

/** The judge holds what the cell holds a share of. */
export const destroyed: Scenario = {
  setup() {
    const first = roll()
    const inner = makeCell(kinds.lock, 4)
    const { blocks } = usage()
    const { words } = region()
    const [cell, block] = [makeCell(kinds.value, 4), allocate(64, kinds.payload)]
    store(words, cellWord(cell) + BLOCK, block)
    write(block, H_OWNER, 0)
    send(inner)
    store(words, cellWord(cell) + INNER, inner)
    send(cell)
    return [first, underWay(cell), inner, blocks]
  },
  prepare: enroll,
  bodies: [([, cell]) => (takeAndLetGo(cell), 0), ([, cell]) => (takeAndLetGo(cell), 0)],
  judge({ dead, stage: [, cell, inner, before] }) {
    buryThe(dead)
    const { blocks } = usage()
    const gone = read(cell, H_KIND) === kinds.free
    if (read(inner, H_KIND) === kinds.free) return 'what is held by others has gone with it'
    if (!gone && read(cell, H_HOLDS) <= 0) return 'nobody goes on with what is half destroyed'
    // What was on its way out of the cell.
    if (gone && blocks > before + (dead < 0 ? 0 : 1)) return `${blocks} blocks are left of ${before}`
    release(inner)
    return freeLists()
  },
  mortal: [0, 1],
  flaws: {
    'nobody goes on': {
      file: 'memory/holders.js',
      from: 'read(address, at.H_HOLDS) === -owner ? finish(address) : destroy(address)',
      to: 'destroy(address)',
      deadly: true,
    },
    'a block is freed and still in the cell': {
      file: 'memory/heap.js',
      from: 'exchange(words, word, 0)',
      to: 'load(words, word)',
      deadly: true,
    },
    'a share ends and is still in the cell': {
      file: 'memory/holders.js',
      from: 'const address = exchange(words, word, 0);\n    if (address !== 0)\n        drop(address);',
      to: 'const address = load(words, word); if (address !== 0) drop(address); exchange(words, word, 0);',
      deadly: true,
    },
  },
}

// ── pipes ──

/** Which kinds of cells a walk finds. */
function kindsLeft(): Set<number> {
  return new Set(Array.from(walk(), (address) => read(address, H_KIND)))
}

export const makingPipe: Scenario = {
  setup: () => [roll(), usage().blocks],
  prepare: enroll,
  bodies: [() => (makePipe([3, 3]), 0)],
  judge({ dead, stage: [, before] }) {
    buryThe(dead)
    const { blocks } = usage()
    if (dead < 0) return blocks === before + 3 ? undefined : `${blocks - before} blocks are no pipe`
    // Its maker may die with a share on its way, or between its bit and its count: that costs the pipe.
    if (kindsLeft().has(kinds.end) || blocks > before + 1) return `${blocks} blocks are left of ${before}`
    return freeLists()
  },
  mortal: [0],
  flaws: {
    'who makes a cell holds it late': {
      file: 'memory/holders.js',
      from: 'setBit(address);\n    // A death before',
      to: 'write(address, at.H_HOLDS, 1);\n    // A death before',
      deadly: true,
    },
  },
}

const PIPE = 0

/** One end is with a message, the other with the judge. */
export const closingEnd: Scenario = {
  setup() {
    const first = roll()
    const { blocks } = usage()
    const [one, other] = makePipe([3, 3])
    return [first, underWay(one), other, load(region().words, cellWord(one) + PIPE), blocks]
  },
  prepare: enroll,
  bodies: [([, end]) => (takeAndLetGo(end), 0)],
  judge({ dead, stage: [, end, other, pipe, before] }) {
    buryThe(dead)
    if (read(pipe, H_KIND) !== kinds.pipe || !isHeld(pipe)) return 'the pipe has gone before its second end'
    const first = read(end, H_KIND) === kinds.free
    if (!first && read(end, H_HOLDS) <= 0) return 'nobody goes on with what is half destroyed'
    release(other)
    const left = usage().blocks - before
    if (dead < 0 ? left !== 0 : left > (first ? 1 : 2)) return `${left} blocks are left`
    return freeLists()
  },
  mortal: [0],
  flaws: {
    'an end lets go of its pipe twice': {
      file: 'memory/holders.js',
      from: 'const address = exchange(words, word, 0);',
      to: 'const address = load(words, word);',
      deadly: true,
    },
  },
}
