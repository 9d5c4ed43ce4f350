/**
 * One wait for a cell, in either of two ways: `parkSync` stops the thread, in slices, so that no lost signal
 * costs more than one; `park` lets the event loop go on and keeps it alive. What is waited for is a `Wait`,
 * the same for both. A deadline, a signal and a death end a wait; each of them competes with the grant, and
 * one wins (W2). Beside the caller's own signal the ambient one does: of the thread that is asked to stop, or
 * of the TaskGroup. Used by sync/, queue/ and the rings.
 */
import { onAbort, reasonOf } from '../core/abort.ts'
import { currentSignal, currentThreadSignal, outside, threadStopRequested } from '../core/context.ts'
import { startTimer } from '../core/waiting.ts'
import { load, sleepOn, store } from './atomics.ts'
import { keepAlive, letGo, onRing } from './bell.ts'
import * as at from './layout.ts'
import { region } from './region.ts'
import { giveNode, giveUp, takeNode, takeReady } from './waiters.ts'

/** Milliseconds after which a waiter looks again at what it waits for, come what may. */
export const slice = 100

/** What somebody waits for: a lock, an item, an event. Each method enters and leaves the guard. */
export interface Wait<R> {
  /**
   * Takes it, or stands in line with `node` (first in line where it was there before) and answers undefined.
   * May throw what makes waiting useless; then it is not in line.
   */
  begin(node: number, again: boolean): R | undefined
  /** `node` was granted. Answers undefined where that means no more than "look again". */
  granted(node: number): R | undefined
  /** Leaves the line. Where `granted`, the grant is passed on: nobody takes it here. */
  cancel(node: number, granted: boolean): void
  /** After each slice: is whoever has it still there? May throw, as `begin` may; then the wait is over. */
  check?(): void
}

/** A wait that no ambient signal ends: what was let go for it is taken back by it. */
export interface Limits {
  readonly steadfast?: boolean
}

let lookAround = (): void => {}

/**
 * What a thread that stands still has to look at beside what it waits for: its event loop, which would be
 * told, does not run. Called after each slice.
 */
export function whileStanding(look: () => void): void {
  lookAround = look
}

/** Stops this thread until it has it; undefined past the deadline. A signal is looked at between slices. */
export function parkSync<R>(
  wait: Wait<R>,
  timeout?: number,
  signal?: AbortSignal,
  limits?: Limits,
): R | undefined {
  const { words } = region()
  const deadline = timeout === undefined ? Infinity : performance.now() + timeout
  const ambient = ambientSignals(limits)
  const node = takeNode(false)
  let waits = true
  try {
    for (let again = false; ; again = true) {
      waits = false
      const got = wait.begin(node, again)
      if (got !== undefined) return got
      waits = true
      while (load(words, node + at.N_STATE) === at.WAITING) {
        // Asked for its effect: nothing else makes the signal of a thread abort that blocks.
        if (ambient.length > 0) threadStopRequested()
        const aborted = signal?.aborted === true ? signal : ambient.find((one) => one.aborted)
        if (aborted !== undefined && giveUp(words, node)) throw reasonOf(aborted)
        const left = deadline - performance.now()
        if (left <= 0 && giveUp(words, node)) return undefined
        sleepOn(words, node + at.N_STATE, at.WAITING, Math.min(slice, Math.max(0, left)))
        if (load(words, node + at.N_STATE) === at.WAITING) lookAround()
        if (load(words, node + at.N_STATE) === at.WAITING) wait.check?.()
      }
      waits = false
      const granted = wait.granted(node)
      if (granted !== undefined) return granted
      store(words, node + at.N_HUNGRY, 1)
    }
  } finally {
    try {
      if (waits) {
        giveUp(words, node)
        wait.cancel(node, load(words, node + at.N_STATE) === at.GRANTED)
      }
    } finally {
      giveNode(node)
    }
  }
}

// ── in the event loop ──

interface Parked {
  /** Its node was granted. */
  arrive(): void
  look(): void
}

const parked = new Map<number, Parked>()
let listening = false
let timer: NodeJS.Timeout | undefined

/** Resolves with what it got, or undefined past the deadline; rejects with the signal's reason. */
export function park<R>(
  wait: Wait<R>,
  timeout?: number,
  signal?: AbortSignal,
  limits?: Limits,
): Promise<R | undefined> {
  let node: number | undefined
  let got: R | undefined
  try {
    listen() // before anybody can grant: a bell that cannot be opened leaves nobody in line
    node = takeNode(true)
    got = wait.begin(node, false)
  } catch (error) {
    if (node !== undefined) giveNode(node)
    return Promise.reject(error)
  }
  if (got !== undefined) {
    giveNode(node)
    return Promise.resolve(got)
  }
  const signals = ambientSignals(limits)
  if (signal !== undefined) signals.unshift(signal)
  return new Promise((resolve, reject) => {
    new Waiting(node, wait, resolve, reject).start(timeout, signals)
  })
}

/** Those of the TaskGroup and of the thread: either ends every wait. */
function ambientSignals(limits: Limits | undefined): AbortSignal[] {
  if (limits?.steadfast === true) return []
  const [own, ofThread] = [currentSignal(), currentThreadSignal()]
  const signals = own === undefined ? [] : [own]
  if (ofThread !== undefined && ofThread !== own) signals.push(ofThread)
  return signals
}

class Waiting<R> implements Parked {
  readonly #node: number
  readonly #wait: Wait<R>
  readonly #resolve: (value: R | undefined) => void
  readonly #reject: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  readonly #deaf: (() => void)[] = []

  constructor(
    node: number,
    wait: Wait<R>,
    resolve: (value: R | undefined) => void,
    reject: (e: unknown) => void,
  ) {
    this.#node = node
    this.#wait = wait
    this.#resolve = resolve
    this.#reject = reject
  }

  start(timeout: number | undefined, signals: readonly AbortSignal[]): void {
    parked.set(this.#node, this)
    keepAlive()
    timer ??= outside(() => setInterval(lookAtAll, slice))
    this.#timer = startTimer(timeout, () => {
      this.look() // who has it may have died without a word
      if (this.#parked()) this.#leave(() => this.#resolve(undefined))
    })
    for (const signal of signals) {
      if (!this.#parked()) break
      if (signal.aborted) this.#leave(() => this.#reject(reasonOf(signal)))
      else this.#deaf.push(onAbort(signal, (reason) => this.#leave(() => this.#reject(reason))))
    }
  }

  #parked(): boolean {
    return parked.get(this.#node) === this
  }

  arrive(): void {
    if (load(region().words, this.#node + at.N_STATE) !== at.GRANTED) return
    this.#step(() => {
      const granted = this.#wait.granted(this.#node)
      if (granted !== undefined) return granted
      store(region().words, this.#node + at.N_HUNGRY, 1)
      return this.#wait.begin(this.#node, true)
    })
  }

  look(): void {
    if (!this.#parked()) return // one before it has ended it
    if (load(region().words, this.#node + at.N_STATE) === at.GRANTED) return this.arrive()
    try {
      this.#wait.check?.()
    } catch (error) {
      this.#leave(() => this.#reject(error))
    }
  }

  #step(fn: () => R | undefined): void {
    try {
      const got = fn()
      if (got === undefined) return
      this.#end()
      this.#resolve(got)
    } catch (error) {
      this.#end()
      this.#reject(error)
    }
  }

  /** Past the deadline, or aborted: unless it was granted just before. */
  #leave(then: () => void): void {
    while (!giveUp(region().words, this.#node)) {
      this.arrive()
      if (!this.#parked()) return
    }
    this.#wait.cancel(this.#node, false)
    this.#end()
    then()
  }

  #end(): void {
    clearTimeout(this.#timer)
    for (const deafen of this.#deaf) deafen()
    parked.delete(this.#node)
    giveNode(this.#node)
    letGo()
    if (parked.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

function listen(): void {
  if (listening) return
  onRing(arrivals) // nothing was granted before this (B2)
  listening = true
}

function arrivals(): void {
  for (const node of takeReady(region().words).reverse()) parked.get(node)?.arrive()
}

/** Cells that a check has looked after in this look. */
const looked = new Set<number>()

/** Whether no other check of this look has been here for the same cell: they would all find the same. */
export function firstLook(cell: number): boolean {
  if (looked.has(cell)) return false
  if (looking) looked.add(cell)
  return true
}

let looking = false

function lookAtAll(): void {
  looking = true
  for (const waiting of Array.from(parked.values())) waiting.look()
  looking = false
  looked.clear()
}
