/**
 * What `wait()` can wait for: a protocol, so that rooms which do not know each other can all be waited for.
 */

/** The method by which an object is waited for. */
export const waitable: unique symbol = Symbol('plait.waitable')

/** Something that becomes ready, and may be ready already. */
export interface Waitable {
  /**
   * Calls `ready` once it is, with an error where it cannot be waited for any more; answers how to take that
   * back, or undefined where it is ready now, and `ready` is never called. Keeps the event loop alive until
   * one of these. Throws where it cannot be waited for.
   */
  [waitable](ready: (error?: unknown) => void): (() => void) | undefined
}

export function isWaitable(value: unknown): value is Waitable {
  return typeof value === 'object' && value !== null && waitable in value
}
