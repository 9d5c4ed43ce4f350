/**
 * Who of this process's threads runs this code, and which others there are. The facts are in threads.ts.
 */
import { currentThreadSignal } from '../core/context.ts'
import { aliveSlots, mainSlot, ownSlot, type Slot } from './threads.ts'

/** A thread as seen from inside of it, or from any other of its process. */
export interface ThreadInfo {
  /** In the main program "MainThread"; in a thread that plait did not start "Dummy-1". */
  readonly name: string
  /** Never 0, and no other thread's of this process while it lives. */
  readonly ident: number
  readonly daemon: boolean
  /**
   * Aborts when the thread is asked to stop: one that listens for that, and has nothing else to do, stays
   * until then. Of another thread it tells whether it had been when this was asked for, and does not change.
   */
  readonly signal: AbortSignal
}

/**
 * The thread that runs this. Python: `threading.current_thread`.
 *
 * @example
 * ```ts
 * import { currentThread, Thread } from 'plait/threading'
 *
 * currentThread().name // => 'MainThread'
 * await new Thread({ name: 'errand', target: () => currentThread().name }).start().result // => 'errand'
 * ```
 */
export function currentThread(): ThreadInfo {
  return infoOf(ownSlot())
}

/** The thread in which this process began. Python: `threading.main_thread`. */
export function mainThread(): ThreadInfo {
  return infoOf(mainSlot())
}

/**
 * All threads of this process that plait knows and that have not ended, whoever started them, the main one
 * and daemons and the workers of pools included; the main one first. Python: `threading.enumerate`.
 */
export function enumerate(): ThreadInfo[] {
  return aliveSlots().map((slot) => infoOf(slot))
}

/** How many enumerate() would list. Python: `threading.active_count`. */
export function activeCount(): number {
  return aliveSlots().length
}

/** What was so when somebody asked, but for the own signal. */
function infoOf(slot: Slot): ThreadInfo {
  const { name, ident, daemon, index, stopped } = slot
  return {
    name,
    ident,
    daemon,
    get signal() {
      if (index === ownSlot().index) return ownSignal()
      return stopped ? AbortSignal.abort() : new AbortController().signal
    },
  }
}

let never: AbortSignal | undefined

/** The main thread, and the workers of a pool, are never asked. */
function ownSignal(): AbortSignal {
  return currentThreadSignal() ?? (never ??= new AbortController().signal)
}
