/** Tells the errors of those who only obeyed an abort from those that say something. Changes nothing. */
import { CancelledError } from '../core/errors.ts'

/** Is `error` no more than the way out of code that `signal`, which has aborted, asked to stop? */
export function obeyed(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false
  if (error === signal.reason || error instanceof CancelledError) return true
  if (!(error instanceof Error)) return false
  // What Node's own functions make of a signal.
  if (error.name === 'AbortError') return true
  return error instanceof AggregateError && error.errors.every((each) => obeyed(each, signal))
}
