/**
 * What the model checker plays: a small program of two or three threads, and what must be true of each of its
 * ends. Scenarios are in scenarios/, one file for each structure; thread.ts runs their bodies.
 */
import type { Flaw } from './redirect-hooks.ts'

/** Numbers that all threads get: addresses of what was set up. */
export type Stage = readonly number[]

export interface Ending {
  /** What each body answered; undefined for the dead one. */
  readonly results: readonly (number | undefined)[]
  /** Its number, or -1. */
  readonly dead: number
  readonly stage: Stage
}

export interface Scenario {
  /** In one thread that takes no turns, once: makes what the bodies use. */
  setup(): number[]
  /** In each thread, once, before any run: what shall not be part of the orders. */
  prepare?(thread: number, stage: Stage): void
  /** One for each thread. */
  readonly bodies: readonly ((stage: Stage) => number | Promise<number>)[]
  /** After each run, in the first thread again: what is wrong, or nothing. */
  judge(ending: Ending): string | undefined
  /** What is read and written without atomic operations matters: orders part after each of them as well. */
  readonly plain?: boolean
  /** Which threads may die, one a run; none where it is left out. */
  readonly mortal?: readonly number[]
  /** Mistakes that must be found. */
  readonly flaws?: Readonly<Record<string, Flaw>>
}
