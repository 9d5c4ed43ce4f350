/**
 * Timer: a thread that waits, then calls a function, unless it is cancelled before. Python's.
 */
import { onAbort } from '../core/abort.ts'
import { currentThreadSignal, threadStopRequested } from '../core/context.ts'
import { checkArray, checkFunction, checkTimeout } from '../core/options.ts'
import { compareExchange, load, threadFutex, whenWoken } from '../memory/atomics.ts'
import { Thread } from './thread.ts'
import { nextNumber } from './threads.ts'

/** Node's own timers go no further. */
const longestTimer = 2 ** 31 - 1

const WAITS = 0
const CALLS = 1
const CANCELLED = 2

/**
 * Calls `fn(...args)` in a thread of its own, `delay` milliseconds after start(): also where the thread that
 * started it is busy then.
 *
 * @example
 * ```ts
 * import { Timer } from 'plait/threading'
 *
 * const timer = new Timer(60_000, () => console.log('time is up')).start()
 * timer.cancel()
 * await timer.join() // => true
 * ```
 * @see Python `threading.Timer`
 */
export class Timer<A extends readonly unknown[] | [] = []> extends Thread<A> {
  readonly delay: number
  /** When it calls, in milliseconds of a clock that all threads of this process have; 0 before start(). */
  due = 0
  /** For all threads that have it: 0 while it waits, 1 from its call on, 2 where it was cancelled before. */
  readonly phase = new Int32Array(new SharedArrayBuffer(4))

  constructor(delay: number, fn: (...args: A) => unknown, args?: A) {
    checkTimeout(delay, 'delay')
    checkFunction(fn, 'fn')
    if (args !== undefined) checkArray(args, 'args')
    super({ target: fn, args, name: `Thread-${nextNumber('thread')}` })
    this.delay = delay
  }

  override start(): this {
    const { due } = this
    this.due = now() + this.delay
    try {
      return super.start()
    } catch (error) {
      this.due = due
      throw error
    }
  }

  override async run(): Promise<void> {
    await until(this.due, this.phase)
    // In one step with the look: a timer that was cancelled in time never calls.
    if (!threadStopRequested() && compareExchange(this.phase, 0, WAITS, CALLS) === WAITS) await super.run()
  }

  /** It does not call any more. Changes nothing where it does already. */
  cancel(): void {
    if (compareExchange(this.phase, 0, WAITS, CANCELLED) === WAITS) threadFutex.wake(this.phase, 0, 1)
  }
}

/** Of the system, and so the same in all threads; never set back. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Resolves at `due`, or where the timer was cancelled or its thread asked to stop. */
async function until(due: number, phase: Int32Array): Promise<void> {
  const signal = currentThreadSignal()!
  let timer: NodeJS.Timeout | undefined
  let deafen = (): void => {}
  await new Promise<void>((resolve) => {
    const look = (): void => {
      clearTimeout(timer)
      const left = due - now()
      if (left <= 0 || signal.aborted || load(phase, 0) !== WAITS) resolve()
      else timer = setTimeout(look, Math.min(left, longestTimer))
    }
    deafen = onAbort(signal, look)
    whenWoken(phase, 0, WAITS, look)
    look()
  })
  deafen()
}
