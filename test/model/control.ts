/**
 * The words by which the explorer and its threads agree on who does the next step, in a piece of shared
 * memory of their own. Only who has the turn writes here, so nothing of it needs care. Used by explore.ts and
 * by what runs in the threads.
 */

/** Whose turn it is: a thread's number plus 1; 0 for the explorer. */
export const TURN = 0
/** Steps done in this run. */
export const STEPS = 1
/** How many decisions there are, and how many were met. */
export const DECISIONS = 2
export const MET = 3
/** The thread that shall die, or -1, and before which of its own steps. */
export const VICTIM = 4
export const LAST = 5
/** How often nobody could go on, and those who slept were woken by their slice alone. */
export const SLICES = 6
/** What whoever has the turn is to do, if it does nothing yet. */
export const JOB = 8
/** Threads that take part in runs; the judge has the number behind them. */
export const COUNT = 9
/** Sleeps so far: who slept first is woken first. */
export const SLEEPS = 10
/** Bytes of the text that a thread has left: an error. */
export const TEXT = 11
/** Threads that were started. */
export const READY = 12

/** One word of each for each thread. */
export const STATE = 16
export const WORD = 24
export const SINCE = 32
export const OWN = 40
export const RESULT = 48
export const DEAD = 56

/** Pairs: before which step, and who goes on. */
export const decisionsAt = 64
export const maxDecisions = 200
/** Pairs: what was done by whom, and to which word. */
export const logAt = 512
export const maxSteps = 6000
export const textAt = logAt + 2 * (maxSteps + 10)
export const controlWords = textAt + 1024

export const RUNNABLE = 0
export const SLEEPING = 1
export const DONE = 2
export const GONE = 3

export const jobs = { setup: 1, prepare: 2, run: 3, judge: 4, end: 5 } as const

/** What a step was. */
export const kinds = { load: 0, write: 1, sleep: 2, wake: 3, pause: 4 } as const

/**
 * One step in the log: who, what, which threads could have gone on instead, and which could by their slice.
 */
export function packStep(thread: number, kind: number, ready: number, asleep: number): number {
  return thread | (kind << 4) | (ready << 8) | (asleep << 16)
}

export interface Step {
  readonly thread: number
  readonly kind: number
  readonly ready: number
  readonly asleep: number
  readonly word: number
}

export function stepAt(control: Int32Array, index: number): Step {
  const packed = control[logAt + 2 * index]
  return {
    thread: packed & 15,
    kind: (packed >> 4) & 15,
    ready: (packed >> 8) & 0xff,
    asleep: packed >> 16,
    word: control[logAt + 2 * index + 1],
  }
}

/** Waits until a word is not `value`; the other side is quick, mostly. */
export function awaitChange(control: Int32Array, index: number, value: number): void {
  for (let i = 0; i < 400; i++) if (Atomics.load(control, index) !== value) return
  while (Atomics.load(control, index) === value) Atomics.wait(control, index, value)
}

export function tellTurn(control: Int32Array, turn: number): void {
  Atomics.store(control, TURN, turn)
  Atomics.notify(control, TURN)
}
