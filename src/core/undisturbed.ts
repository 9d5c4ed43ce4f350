/**
 * What a thread must not be ended in. Some calls, since that would end the whole process: where its
 * JavaScript is stopped while koffi makes an object, koffi can only say so by an error, which cannot be
 * thrown any more; and Node 20 takes a module for broken that it was about to require. And steps that would
 * be left half done where nobody sees it. Whoever calls koffi for more than a number, or requires a module of
 * plait's, does so through here; worker/ says what it takes.
 */
interface Hold {
  begin(): void
  end(): void
}

let hold: Hold | undefined

/** Calls `fn`. In a thread: whoever ends it waits for that, and where that was first it is not called. */
export function undisturbed<T>(fn: () => T): T {
  if (hold === undefined) return fn()
  hold.begin()
  try {
    return fn()
  } finally {
    hold.end()
  }
}

/** The two halves of it, for what begins in one function and ends in another. They nest. */
export function beginUndisturbed(): void {
  hold?.begin()
}

export function endUndisturbed(): void {
  hold?.end()
}

/** In a thread, before anything is shared. */
export function setUndisturbed(how: Hold): void {
  hold = how
}
