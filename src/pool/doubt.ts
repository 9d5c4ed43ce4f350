/**
 * Whether a worker that has work and does not begin it still lives: it may be stopped by a signal, or its
 * event loop be held by what an earlier task left behind. PoolWorker tells what it sees, and acts.
 */

/** Milliseconds for which a worker may have work and not begin it. */
const doubtAfter = 50
/** Milliseconds from then on after which it is given up; no longer than a start may take. */
export const aliveWithin = 10_000

export class Doubt {
  /** It is given nothing until it shows that it lives. */
  stuck = false
  /** Since when it was seen to have work and not to begin it. */
  #since: number | undefined

  /** It goes on, or has nothing to begin. */
  ease(): void {
    this.#since = undefined
  }

  /** It has shown that it lives. */
  end(): void {
    this.stuck = false
    this.#since = undefined
  }

  /** It has work and was seen not to begin it. True once: when that has lasted too long. */
  grow(): boolean {
    const now = performance.now()
    this.#since ??= now
    if (this.stuck || now - this.#since < doubtAfter) return false
    return (this.stuck = true)
  }
}
