/**
 * Every atomic operation of plait, and the two that sleep. All are sequentially consistent: what was written
 * before an operation is seen by whoever sees the operation. The model checker puts another file in this
 * one's place and so decides the order of the steps; nothing else may name `Atomics`. Words are 32 bit
 * integers of a region.
 */

/** The words of a region, or of any shared memory. */
export type Words = Int32Array

export const { load, store, add, sub, and, or, exchange, compareExchange } = Atomics

// Two that are not atomic, at a twentieth of the cost: for words under a guard, which gives them their order,
// for words that one thread alone uses, and for a look before an exchange that looks itself. Who dies has
// written what came before, in its order. Nobody may wait for a change with `peek`: it need not look twice.

export function peek(words: Words, index: number): number {
  return words[index]!
}

export function poke(words: Words, index: number, value: number): void {
  words[index] = value
}

/** How often a short lock is looked at before a sleep: a holder on another core is done before one begins. */
export const spins = 100

/** How a thread sleeps on a word of its region; set with the region. */
interface Futex {
  /** Returns when woken, when the word is not `value` (any more), or after `ms`; may return for no reason. */
  wait(words: Words, index: number, value: number, ms: number): void
  /** Wakes up to `count` threads that sleep on the word, in whatever process. */
  wake(words: Words, index: number, count: number): void
}

/** Memory that only threads share: V8's own list of sleepers. */
export const threadFutex: Futex = {
  wait: (words, index, value, ms) => void Atomics.wait(words, index, value, ms),
  wake: (words, index, count) => void Atomics.notify(words, index, count),
}

let futex = threadFutex

export function useFutex(other: Futex): void {
  futex = other
}

/** Sleeps while the word is `value`, at most `ms`. The caller looks again at what it waits for. */
export function sleepOn(words: Words, index: number, value: number, ms: number): void {
  futex.wait(words, index, value, ms)
}

export function wake(words: Words, index: number, count: number): void {
  futex.wake(words, index, count)
}

/**
 * A thread whose event loop goes on: `fn` is called when the word was woken or is not `value`. Only where
 * threads alone share the memory. Keeps no loop alive.
 */
export function whenWoken(words: Words, index: number, value: number, fn: () => void): void {
  const { async, value: outcome } = Atomics.waitAsync(words, index, value)
  if (async) void outcome.then(fn)
  else queueMicrotask(fn)
}
