/**
 * Something that happens once: the end of a child, the end of its output. Any number may wait for it, and a
 * wait that gave up leaves nothing behind, so a loop may ask for ever. Made by whoever makes it happen; holds
 * nothing that keeps the event loop alive.
 */
import { reasonOf } from '../core/abort.ts'
import { abortedOf, onStop, stopsOf } from '../core/stops.ts'
import { startLateTimer, type WaitOptions } from '../core/waiting.ts'

export class Moment {
  #waiters: Set<() => void> | undefined = new Set()

  get come(): boolean {
    return this.#waiters === undefined
  }

  /** It is now. A second time is nothing. */
  happen(): void {
    const waiters = this.#waiters
    this.#waiters = undefined
    for (const tell of waiters ?? []) tell()
  }

  /** Calls `fn` when it comes, or at once where it has. */
  whenCome(fn: () => void): void {
    if (this.#waiters === undefined) fn()
    else this.#waiters.add(fn)
  }

  /**
   * True when it has come, false where the time is over; rejects with the reason of an abort. What has come
   * wins over both. `stops` left out: of any wait here.
   */
  async wait({ timeout, signal }: WaitOptions = {}, stops = stopsOf(signal)): Promise<boolean> {
    const waiters = this.#waiters
    if (waiters === undefined) return true
    const aborted = abortedOf(stops)
    if (aborted !== undefined) throw reasonOf(aborted)
    return await new Promise<boolean>((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer)
        stopListening()
        waiters.delete(tell)
      }
      const tell = (): void => (stop(), resolve(true))
      // Where this process was busy past the time, the end of the child may wait to be seen.
      const timer = startLateTimer(timeout, () => (stop(), resolve(this.come)))
      const stopListening = onStop(stops, (reason) => (stop(), reject(reason)))
      waiters.add(tell)
    })
  }
}
