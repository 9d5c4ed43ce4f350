/**
 * The threads of this process that plait knows, in memory that they all share: who is alive, under which
 * name, and who was asked to stop; and the counters that number threads and processes. Whoever starts a
 * thread enters it and strikes it out, with all that the thread itself had started. What threads say of each
 * other is in current-thread.ts.
 *
 * Words: [0] threads numbered so far, [1] processes; then one slot of `slotWords` for each thread, the first
 * of them the main thread's: ident (0 free; not filled yet: that of the thread that has taken it, negative),
 * ident of the thread that started it, flags, bytes of the name, the name in UTF-8. A slot is filled before
 * its ident is stored.
 */
import { add, and, compareExchange, load, or, store, threadFutex, type Words } from '../memory/atomics.ts'
import { heritage, inThread, selfName } from '../core/context.ts'
import { PlaitError } from '../core/errors.ts'

const slotWords = 32
const headWords = 32
/** Threads of one process that are alive at the same time. */
const mostThreads = 1024
/** A longer name is cut: see `cutName`. */
const nameBytes = (slotWords - 4) * 4

const IDENT = 0
const PARENT = 1
const FLAGS = 2
const LENGTH = 3
const NAME = 4

const DAEMON = 1
const STOP = 2
/** It is in a call that it must not be ended in; somebody is about to end it. */
const BUSY = 4
const ENDING = 8
/** It has opened what it was started with. */
const OPENED = 16

/** Milliseconds for which its end waits for such a call, which takes a few. */
const mostBusy = 1000

const key = 'threads'
let words: Words | undefined
let ownIndex = 0
/** How many calls that this thread must not be ended in it is in. */
let busy = 0

/** The number of the next thread, or of the next process, that is started from anywhere in this process. */
export function nextNumber(of: 'thread' | 'process'): number {
  return add(table(), of === 'thread' ? 0 : 1, 1) + 1
}

/** One thread that is alive, or was a moment ago. */
export class Slot {
  readonly index: number
  readonly #at: number

  constructor(index: number) {
    this.index = index
    this.#at = headWords + index * slotWords
  }

  /** Never 0, and never that of another thread of this process. 0 once the thread has ended. */
  get ident(): number {
    return Math.max(0, load(table(), this.#at + IDENT))
  }

  get parent(): number {
    return load(table(), this.#at + PARENT)
  }

  get daemon(): boolean {
    return (load(table(), this.#at + FLAGS) & DAEMON) !== 0
  }

  get name(): string {
    return this.#nameMemory().toString('utf8', 0, load(table(), this.#at + LENGTH))
  }

  set name(name: string) {
    store(table(), this.#at + LENGTH, this.#nameMemory().write(name))
  }

  /** It was asked to stop. */
  get stopped(): boolean {
    return (load(table(), this.#at + FLAGS) & STOP) !== 0
  }

  stop(): void {
    or(table(), this.#at + FLAGS, STOP)
  }

  /** It has opened what it was started with. */
  get opened(): boolean {
    return (load(table(), this.#at + FLAGS) & OPENED) !== 0
  }

  sayOpened(): void {
    or(table(), this.#at + FLAGS, OPENED)
  }

  /** In the thread itself: whoever ends it waits from here on; where that was first, this does. */
  begin(): void {
    if (busy++ > 0) return
    const [words, flags] = [table(), this.#at + FLAGS]
    // After the store of BUSY: whoever ends this thread stores ENDING first, then looks whether it is busy.
    while ((or(words, flags, BUSY) & ENDING) !== 0) {
      this.#rest()
      threadFutex.wait(words, flags, load(words, flags), mostBusy)
    }
  }

  rest(): void {
    if (--busy === 0) this.#rest()
  }

  #rest(): void {
    const [words, flags] = [table(), this.#at + FLAGS]
    if ((and(words, flags, ~BUSY) & ENDING) !== 0) threadFutex.wake(words, flags, Infinity)
  }

  /** It is about to be ended, and all that it has started with it: returns when that does no harm. */
  end(): void {
    const [words, flags] = [table(), this.#at + FLAGS]
    or(words, flags, ENDING)
    const until = performance.now() + mostBusy
    for (
      let now = load(words, flags);
      (now & BUSY) !== 0 && performance.now() < until;
      now = load(words, flags)
    )
      threadFutex.wait(words, flags, now, 10)
    endThreadsOf(this.ident)
  }

  /** Takes this slot where it is free; the thread's ident is not known yet. */
  take(name: string, daemon: boolean): boolean {
    const { ident } = ownSlot()
    if (compareExchange(table(), this.#at + IDENT, 0, -ident) !== 0) return false
    store(table(), this.#at + PARENT, ident)
    store(table(), this.#at + FLAGS, daemon ? DAEMON : 0)
    this.name = name
    return true
  }

  fill(ident: number): void {
    store(table(), this.#at + IDENT, ident)
  }

  /**
   * The thread has ended, or was never there; so have all that it had started. Answers the idents of all that
   * were there.
   */
  free(): number[] {
    const { ident } = this
    and(table(), this.#at + FLAGS, 0)
    store(table(), this.#at + IDENT, 0)
    if (ident === 0) return []
    return [ident, ...allSlots().flatMap((slot) => (slot.#isOf(ident) ? slot.free() : []))]
  }

  /** Started by that thread, or taken: it may have ended before it filled it. */
  #isOf(ident: number): boolean {
    const own = load(table(), this.#at + IDENT)
    return own === -ident || (own > 0 && this.parent === ident)
  }

  /** The bytes of the name. Nothing atomic: two who name a thread at once may mix their names. */
  #nameMemory(): Buffer {
    return Buffer.from(table().buffer as unknown as ArrayBuffer, (this.#at + NAME) * 4, nameBytes)
  }
}

/** A slot for a thread that is about to be started here. */
export function takeSlot(name: string, daemon: boolean): Slot {
  for (let index = 1; index <= mostThreads; index++) {
    const slot = new Slot(index)
    if (slot.take(name, daemon)) return slot
  }
  throw new PlaitError(`cannot start ${name}: ${mostThreads} threads of this process are alive`)
}

/** Those that the thread with this ident has started are about to be ended. */
export function endThreadsOf(ident: number): void {
  if (ident > 0) for (const slot of aliveSlots()) if (slot.parent === ident) slot.end()
}

/** The main thread first. */
export function aliveSlots(): Slot[] {
  return allSlots().filter((slot) => slot.ident > 0)
}

function allSlots(): Slot[] {
  return Array.from({ length: mostThreads + 1 }, (_, index) => new Slot(index))
}

/** Of the thread that runs this. */
export function ownSlot(): Slot {
  table()
  return new Slot(ownIndex)
}

export function mainSlot(): Slot {
  return new Slot(0)
}

/** In a thread that was given a slot, before anything else here. Whoever gave it may be slower to fill it. */
export function settle(index: number, threadId: number): void {
  ownIndex = index
  ownSlot().fill(identOf(threadId))
}

/** What was inherited; else this is where plait begins, and the first slot is this thread's. */
function table(): Words {
  if (words !== undefined) return words
  const inherited = heritage.get(key) as SharedArrayBuffer | undefined
  const memory = inherited ?? new SharedArrayBuffer((headWords + (mostThreads + 1) * slotWords) * 4)
  words = new Int32Array(memory)
  if (inherited === undefined) begin(memory)
  return words
}

/** Where somebody else has made this thread, a worker of worker_threads, it is called as Python would. */
function begin(memory: SharedArrayBuffer): void {
  heritage.set(key, memory)
  const { isMainThread, threadId } = process.getBuiltinModule('node:worker_threads')
  const main = mainSlot()
  main.name = isMainThread ? 'MainThread' : `Dummy-${threadId}`
  main.fill(identOf(threadId))
}

/** What of a name all can see: its first bytes, in whole characters. */
export function cutName(name: string): string {
  const bytes = Buffer.alloc(nameBytes)
  return bytes.toString('utf8', 0, bytes.write(name))
}

/** Node counts from 0, the main thread's; Python's are never 0. */
export function identOf(threadId: number): number {
  return threadId + 1
}

/** For messages: "Process-1 (pid 4711)", "Thread-1 (thread 3)". */
export function selfWho(): string {
  return inThread() ? `${selfName()} (thread ${ownSlot().ident})` : `${selfName()} (pid ${process.pid})`
}
