/** The check of a time that has to be given: how long to sleep, when to give up. Throws, and does nothing. */
import { checkTimeout } from '../core/options.ts'

/** A number of milliseconds, zero or more; Infinity is for ever. */
export function checkMilliseconds(ms: unknown): asserts ms is number {
  if (ms === undefined) throw new TypeError('ms must be a number of milliseconds, got undefined')
  checkTimeout(ms, 'ms')
}
