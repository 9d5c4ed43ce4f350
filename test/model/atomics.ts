/**
 * Stands in the place of memory/atomics.ts in the threads of the model checker: before each operation a
 * thread waits for its turn, and each is written down. Sleeping is modelled too: who sleeps goes on when it
 * is woken, and by its slice only where nobody else could go on any more, which is counted. redirect.ts puts
 * it there.
 */
import * as c from './control.ts'

type Words = Int32Array

/** Thrown at a thread that died, from each operation it still tries: `finally` changes nothing any more. */
export class Died extends Error {}

let control: Int32Array
let self = -1
/** Whether steps are counted: in a run, not while things are set up or judged. */
let stepping = false
let dead = false
/** Another may go on right after a store as well, before what is written without one. */
let between = false

export function enterModel(words: Int32Array, thread: number, plain: boolean): void {
  control = words
  self = thread
  between = plain
}

export function beginRun(): void {
  stepping = true
  dead = false
}

/** The body has returned, by itself or by its death. */
export function endRun(): void {
  stepping = false
  if (!dead) {
    control[c.STATE + self] = c.DONE
    handOn()
  }
  dead = false
}

/** In shared memory, so that the dead are known to all. */
export function isDead(thread: number): boolean {
  return control[c.DEAD + thread] === 1
}

export function takeTurn(): void {
  for (;;) {
    const turn = Atomics.load(control, c.TURN)
    if (turn === self + 1) return
    c.awaitChange(control, c.TURN, turn)
  }
}

function those(state: number): number {
  let found = 0
  for (let i = 0; i < control[c.COUNT]; i++) if (control[c.STATE + i] === state) found |= 1 << i
  return found
}

/** Who was chosen for the next step, or -1 where nobody was. */
function decided(): number {
  const met = control[c.MET]
  if (met >= control[c.DECISIONS] || control[c.decisionsAt + 2 * met] !== control[c.STEPS]) return -1
  control[c.MET] = met + 1
  const next = control[c.decisionsAt + 2 * met + 1]
  // Where it sleeps, its slice is over.
  if (control[c.STATE + next] === c.SLEEPING) control[c.STATE + next] = c.RUNNABLE
  return next
}

/** This thread cannot go on: another does. */
function handOn(): void {
  const count = control[c.COUNT]
  if (those(c.RUNNABLE) === 0 && those(c.SLEEPING) !== 0) {
    control[c.SLICES] = control[c.SLICES] + 1
    for (let i = 0; i < count; i++) if (control[c.STATE + i] === c.SLEEPING) control[c.STATE + i] = c.RUNNABLE
  }
  const ready = those(c.RUNNABLE)
  let next = decided()
  if (next < 0)
    for (let i = 1; i <= count && next < 0; i++)
      if ((ready & (1 << ((self + i) % count))) !== 0) next = (self + i) % count
  c.tellTurn(control, ready === 0 ? 0 : next + 1)
}

/** Waits for its turn, and writes the step down. */
function step(kind: number, word: number): void {
  if (!stepping) return
  if (dead) throw new Died()
  const next = decided()
  if (next >= 0 && next !== self) {
    c.tellTurn(control, next + 1)
    takeTurn()
  }
  const own = control[c.OWN + self]
  if (control[c.VICTIM] === self && control[c.LAST] === own) die()
  const at = control[c.STEPS]
  if (at >= c.maxSteps) throw new Error('it does not end')
  control[c.OWN + self] = own + 1
  control[c.logAt + 2 * at] = c.packStep(self, kind, those(c.RUNNABLE), those(c.SLEEPING))
  control[c.logAt + 2 * at + 1] = word
  control[c.STEPS] = at + 1
}

function die(): never {
  dead = true
  control[c.DEAD + self] = 1
  control[c.STATE + self] = c.GONE
  handOn()
  throw new Died()
}

// ── the exports of memory/atomics.ts ──

export const spins = 1

export function load(words: Words, index: number): number {
  step(c.kinds.load, index)
  return Atomics.load(words, index)
}

function writing(
  operate: (words: Words, index: number, value: number) => number,
): (words: Words, index: number, value: number) => number {
  return (words, index, value) => {
    step(c.kinds.write, index)
    const before = operate(words, index, value)
    if (between) step(c.kinds.pause, index)
    return before
  }
}

export const store = writing((words, index, value) => Atomics.store(words, index, value))
export const add = writing((words, index, value) => Atomics.add(words, index, value))
export const sub = writing((words, index, value) => Atomics.sub(words, index, value))
export const and = writing((words, index, value) => Atomics.and(words, index, value))
export const or = writing((words, index, value) => Atomics.or(words, index, value))
export const exchange = writing((words, index, value) => Atomics.exchange(words, index, value))

export function peek(words: Words, index: number): number {
  return load(words, index)
}
export const poke = writing((words, index, value) => Atomics.store(words, index, value))

export function compareExchange(words: Words, index: number, expected: number, value: number): number {
  step(c.kinds.write, index)
  return Atomics.compareExchange(words, index, expected, value)
}

export const threadFutex = {}

export function useFutex(): void {}

export function sleepOn(words: Words, index: number, value: number, _ms?: number): void {
  step(c.kinds.sleep, index)
  if (!stepping || Atomics.load(words, index) !== value) return
  control[c.STATE + self] = c.SLEEPING
  control[c.WORD + self] = index
  control[c.SINCE + self] = control[c.SLEEPS] = control[c.SLEEPS] + 1
  handOn()
  takeTurn()
}

export function wake(_words: Words, index: number, count: number): void {
  step(c.kinds.wake, index)
  if (!stepping) return
  const sleepers: number[] = []
  for (let i = 0; i < control[c.COUNT]; i++)
    if (control[c.STATE + i] === c.SLEEPING && control[c.WORD + i] === index) sleepers.push(i)
  sleepers.sort((a, b) => control[c.SINCE + a] - control[c.SINCE + b])
  for (const sleeper of sleepers.slice(0, count)) control[c.STATE + sleeper] = c.RUNNABLE
}

// ── the event loop ──

let waiting: { words: Words; index: number; value: number; fn: () => void } | undefined

export function whenWoken(words: Words, index: number, value: number, fn: () => void): void {
  waiting = { words, index, value, fn }
}

const turn = setImmediate
/** Immediates that were asked for, and that came: while there are any a loop does not sleep. */
let asked = 0
let came = 0
globalThis.setImmediate = Object.assign(
  (fn: (...args: unknown[]) => void) => {
    asked++
    return turn(() => {
      came++
      fn()
    })
  },
  { __promisify__: turn.__promisify__ },
) as typeof setImmediate

/** What comes again by the clock (a slice, a look for lost rings) never does: nothing here may need it. */
globalThis.setInterval = (() => ({ unref() {} })) as unknown as typeof setInterval

/** One turn of this thread's event loop: what it has to do, or else it sleeps until its bell is rung. */
export async function turnLoop(): Promise<void> {
  const before = came
  await new Promise((resolve) => turn(resolve))
  if (came !== before || asked !== came) return
  const { words, index, value, fn } = waiting!
  sleepOn(words, index, value)
  fn()
}

/** Lets the loop come to rest: what is left of this run must not begin the next one. */
export async function settleLoop(): Promise<void> {
  for (;;) {
    const { words, index, value, fn } = waiting!
    if (asked === came) {
      if (Atomics.load(words, index) === value) return
      fn()
    }
    await new Promise((resolve) => turn(resolve))
  }
}
