/**
 * The cells of the scenarios of sync/: opened anew in each run, so that no object knows what was in a run
 * before; and who takes part, for the judge to bury.
 */
import { load, store } from '#plait/memory/atomics.js'
import { allocate, wordAt } from '#plait/memory/heap.js'
import { hold } from '#plait/memory/holders.js'
import { kinds } from '#plait/memory/layout.js'
import { me } from '#plait/memory/participants.js'
import { region } from '#plait/memory/region.js'
import { bury } from '#plait/memory/sweep.js'
import { giveNode, takeNode } from '#plait/memory/waiters.js'
import { openCell, type Cell } from '#plait/sync/cell.js'
import type { Ending, Stage } from './scenario.ts'

// A stage begins with the first of the words that the bodies share, and then has addresses of cells.

/** Words of the bodies' own, from the stage's first number on; those behind them name the participants. */
const own = 8

const kept: Cell[] = []

const addressOf = (cell: Cell): number => (cell as unknown as { address: number }).address

/** Cells for a stage; they live as long as this thread does. */
export function stageOf(...cells: readonly Cell[]): number[] {
  kept.push(...cells)
  return [wordAt(allocate(4 * (own + 8), kinds.payload)), ...cells.map(addressOf)]
}

/** A body's thread holds the cells, has a node, and says who it is. */
export function prepare(thread: number, [first, ...cells]: Stage): void {
  giveNode(takeNode(false))
  store(region().words, first + own + thread, me())
  for (const cell of cells) hold(cell)
}

/** The dead one is buried: what it had is somebody else's. */
export function buryDead({ dead, stage: [first] }: Ending): void {
  if (dead >= 0) bury(load(region().words, first + own + dead))
}

/** The stage's cell number `index`, from 1 on, as an object that is used for the first time. */
export function opened<T extends Cell>(stage: Stage, index: number, make: () => T): T {
  return openCell(stage[index], make)
}
