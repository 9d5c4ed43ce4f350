/**
 * One wait of a sleep or a channel: a promise, and the ways in which the wait ends early: a signal, a
 * deadline, or that the coroutine which is parked on it is cancelled. Whoever waits for something of this
 * room's makes one; what is waited for is left as it was.
 */
import { reasonOf } from '../core/abort.ts'
import { rejectWithCallers } from '../core/callers.ts'
import { TimeoutError } from '../core/errors.ts'
import { abortedOf, onStop, type Stops } from '../core/stops.ts'
import { currentClock } from './clock.ts'

export class Waiter<T> {
  readonly promise: Promise<T>
  #resolve!: (value: T) => void
  #reject!: (error: unknown) => void
  #settled = false
  /** Takes the wait out of where it waits. */
  readonly #leave: () => void
  #stops: (() => void)[] | undefined

  constructor(leave: () => void) {
    this.#leave = leave
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    Withdrawable.mark(this.promise, this)
  }

  /** The wait ends with the first of these, whether it has aborted or will. */
  endsWith(stops: Stops): void {
    if (stops.length === 0 || this.#settled) return
    const end = (reason: unknown): void => void (this.#end() && (this.#leave(), this.#reject(reason)))
    const aborted = abortedOf(stops)
    if (aborted !== undefined) return end(reasonOf(aborted))
    ;(this.#stops ??= []).push(onStop(stops, end))
  }

  /** The wait ends in `ms` milliseconds with a TimeoutError; with 0, now. */
  endsAfter(ms: number | undefined, message: string): void {
    if (ms === undefined || this.#settled) return
    const end = (): void => {
      if (!this.#end()) return
      this.#leave()
      rejectWithCallers(this.#resolve, this.#reject, new TimeoutError(message))
    }
    if (ms === 0) return end()
    const stop = currentClock().after(ms, end)
    ;(this.#stops ??= []).push(stop)
  }

  resolve(value: T): void {
    if (this.#end()) this.#resolve(value)
  }

  /** With an error that was made for this wait. */
  reject(error: unknown): void {
    if (this.#end()) rejectWithCallers(this.#resolve, this.#reject, error)
  }

  /** The wait is given up; false where it has its outcome already. */
  withdraw(reason: unknown): boolean {
    if (!this.#end()) return false
    this.#leave()
    this.#reject(reason)
    return true
  }

  #end(): boolean {
    if (this.#settled) return false
    this.#settled = true
    const stops = this.#stops
    this.#stops = undefined
    if (stops !== undefined) for (const stop of stops) stop()
    return true
  }
}

/** Its instance is the object that it is given: a subclass adds its private fields to that. */
const Given = function (object: object): object {
  return object
} as unknown as new (object: object) => object

type Withdrawal = Pick<Waiter<unknown>, 'withdraw'>

/** A field on a promise that nobody sees. A million of them cost less than as many entries of a WeakMap. */
class Withdrawable extends Given {
  readonly #waiter: Withdrawal

  private constructor(promise: object, waiter: Withdrawal) {
    super(promise)
    this.#waiter = waiter
  }

  static mark(promise: object, waiter: Withdrawal): object {
    return new Withdrawable(promise, waiter)
  }

  static waiterOf(promise: object): Withdrawal | undefined {
    return #waiter in promise ? promise.#waiter : undefined
  }
}

/**
 * Gives up what `promise` waits for. 'late' where it has its outcome, which is on its way; 'unknown' where it
 * is no wait of this room's.
 */
export function withdraw(promise: object, reason: unknown): 'done' | 'late' | 'unknown' {
  const waiter = Withdrawable.waiterOf(promise)
  if (waiter === undefined) return 'unknown'
  return waiter.withdraw(reason) ? 'done' : 'late'
}
