/**
 * Timer: a thread that waits, then calls a function, unless it is cancelled before. Python's.
 */
import { currentThreadSignal, threadStopRequested } from '../core/context.ts'
import { checkArray, checkFunction, checkTimeout } from '../core/options.ts'
import { Thread } from './thread.ts'
import { nextNumber } from './threads.ts'

/** Node's own timers go no further. */
const longestTimer = 2 ** 31 - 1

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
  /** When it calls, in milliseconds of Date.now(); 0 before start(), -1 where it was cancelled before. */
  due = 0

  constructor(delay: number, fn: (...args: A) => unknown, args?: A) {
    checkTimeout(delay, 'delay')
    checkFunction(fn, 'fn')
    if (args !== undefined) checkArray(args, 'args')
    super({ target: fn, args, name: `Thread-${nextNumber('thread')}` })
    this.delay = delay
  }

  override start(): this {
    if (this.due === 0) this.due = Date.now() + this.delay
    return super.start()
  }

  override async run(): Promise<void> {
    if (this.due === -1) return
    await until(this.due)
    // Asked again, and at once: a timer that was cancelled in time never calls.
    if (!threadStopRequested()) await super.run()
  }

  /** It does not call any more. Changes nothing where it does already. */
  cancel(): void {
    if (this.ident === null) this.due = -1
    else this.stop()
  }
}

/** Resolves at `due`, or when the thread is asked to stop. */
async function until(due: number): Promise<void> {
  const signal = currentThreadSignal()!
  for (let left = due - Date.now(); left > 0 && !signal.aborted; left = due - Date.now())
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, Math.min(left, longestTimer))
      signal.addEventListener('abort', done)
    })
}
