/**
 * How what the user gave is called back: callbacks of results and futures, and onProgress. What it throws is
 * a process warning, and changes nothing for whoever calls it.
 */
import { inspect } from 'node:util'

/** Calls what the user gave; what it throws, now or later, is shown and harms no one. */
export function callUser<A extends unknown[]>(fn: ((...args: A) => unknown) | undefined, ...args: A): void {
  try {
    const later = fn?.(...args)
    if (later instanceof Promise) later.catch(warn)
  } catch (error) {
    warn(error)
  }
}

/** Whatever was thrown: a value that cannot even be shown must not keep a promise from settling. */
function warn(thrown: unknown): void {
  const error = thrown instanceof Error ? thrown : new Error(`a callback threw ${inspect(thrown)}`)
  process.emitWarning(error)
}
