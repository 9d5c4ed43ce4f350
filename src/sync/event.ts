/**
 * A flag that many wait for. One word holds the flag and how often it was set: a waiter notes the word when
 * it stands in line, so that a set is its own even where a clear has followed, or where whoever set it died
 * before it had told all (S7).
 */
import { turnDue } from '../core/turn.ts'
import type { WaitOptions } from '../core/waiting.ts'
import { load, store, type Words } from '../memory/atomics.ts'
import { cellWord, defineKind } from '../memory/holders.ts'
import { kinds, listWords, N_VALUE } from '../memory/layout.ts'
import { park, parkSync, type Wait } from '../memory/park.ts'
import { region } from '../memory/region.ts'
import { dropList, first, grant, purge, push, remove, waiting } from '../memory/waiters.ts'
import { Cell, travels } from './cell.ts'
import { guarded } from './guarded.ts'
import { checkOptions } from './lockable.ts'

/** Bit 0: the flag. Above: a count of sets. */
const STATE = 0
const LIST = 2

const locked = guarded((words, at) => purge(words, at + LIST))

/**
 * A flag that threads and processes wait for. `set()` wakes all who wait; a waiter that was woken answers
 * true even where `clear()` follows at once. Python: `multiprocessing.Event`.
 *
 * ```ts
 * const ready = new Event()
 * console.log(await ready.wait({ timeout: 1 })) // => false
 * const waits = ready.wait()
 * ready.set()
 * ready.clear()
 * console.log([await waits, ready.isSet()]) // => [true, false]
 * ```
 */
export class Event extends Cell {
  constructor() {
    super(kinds.event, LIST + listWords)
  }

  /** Whether the flag is up: at the moment of the call. */
  isSet(): boolean {
    return (load(this.words, this.at + STATE) & 1) === 1
  }

  /** Puts the flag up and wakes all who wait. */
  set(): void {
    const { words, at } = this
    locked(words, at, (granted) => {
      const state = load(words, at + STATE)
      if ((state & 1) === 0) store(words, at + STATE, (state + 3) | 0)
      wake(words, at, granted)
    })
  }

  /** Takes the flag down: who waits from now on waits for the next `set()`. */
  clear(): void {
    const { words, at } = this
    locked(words, at, (granted) => {
      store(words, at + STATE, load(words, at + STATE) & ~1)
      // Where a set was cut off by a death, it is completed first.
      wake(words, at, granted)
    })
  }

  /** Resolves to true once it is set, at once where it is, and to false where the timeout came first. */
  async wait(options?: WaitOptions): Promise<boolean> {
    checkOptions(options)
    const set = this.isSet()
    if (set || options?.timeout === 0) {
      const turn = turnDue()
      if (turn !== undefined) await turn
      return set
    }
    return (await park(this.#wait(), options?.timeout, options?.signal)) ?? false
  }

  /** The same, and stops this thread meanwhile. */
  waitSync(options?: WaitOptions): boolean {
    checkOptions(options)
    if (this.isSet()) return true
    if (options?.timeout === 0) return false
    return parkSync(this.#wait(), options?.timeout, options?.signal) ?? false
  }

  #wait(): Wait<true> {
    const { words, at } = this
    let noted = 0
    return {
      begin(node) {
        return locked(words, at, () => {
          const state = (noted = load(words, at + STATE))
          if ((state & 1) === 1) return true
          store(words, node + N_VALUE, state)
          push(words, at + LIST, node)
          return undefined
        })
      },
      granted: () => true,
      cancel(node, granted) {
        if (!granted) locked(words, at, () => remove(words, at + LIST, node))
      },
      check() {
        if (load(words, at + STATE) !== noted) locked(words, at, (granted) => wake(words, at, granted))
      },
    }
  }

  /** @internal */
  describe(): string {
    return this.isSet() ? 'set' : 'unset'
  }
}

/** Under the guard: grants all who wait for an earlier state than this. */
function wake(words: Words, at: number, granted: number[]): void {
  const state = load(words, at + STATE)
  for (const node of waiting(words, at + LIST))
    if (load(words, node + N_VALUE) !== (state & ~1) || (state & 1) === 1)
      if (grant(words, node, state)) granted.push(node)
  first(words, at + LIST) // drops those that wait no more
}

defineKind(kinds.event, {
  destroy: (address) => dropList(region().words, cellWord(address) + LIST),
})
travels(Event.prototype, kinds.event, () => new Event())
