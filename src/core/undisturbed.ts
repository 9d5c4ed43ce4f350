/**
 * Calls that a thread must not be ended in, since that would end the whole process. Where its JavaScript is
 * stopped while koffi makes an object, koffi can only say so by an error, which cannot be thrown any more;
 * and Node 20 takes a module for broken that it was about to require. Whoever calls koffi for more than a
 * number, or requires a module of plait's, does so through here; worker/ says what it takes.
 */
type Hold = <T>(fn: () => T) => T

let hold: Hold = (fn) => fn()

/** Calls `fn`. In a thread: whoever ends it waits for that, and where that was first it is not called. */
export function undisturbed<T>(fn: () => T): T {
  return hold(fn)
}

/** In a thread, before anything is shared. */
export function setUndisturbed(how: Hold): void {
  hold = how
}
