/**
 * The submits of a dispatch whose tasks are not all there yet: the input is still being read. While there is
 * one, a pool that is closed goes on. Whoever waits for the end of the pool has them read on unasked.
 */

export interface Submit {
  /** The pool will not work any more. */
  halt(error: unknown): void
  /** The rest is to come without being asked for; or no longer. */
  drain?(on: boolean): void
}

export class Submits {
  /** With what messages call them. */
  readonly #open = new Map<Submit, string>()
  #drainers = 0
  readonly #onEnd: () => void

  /** `onEnd` is called after the end of each. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  get size(): number {
    return this.#open.size
  }

  /** One begins; it ends when the answer is called. */
  add(what: string, submit: Submit): () => void {
    this.#open.set(submit, what)
    return () => {
      if (this.#open.delete(submit)) this.#onEnd()
    }
  }

  /** Somebody waits for them to end, until the answer is called. */
  drain(): () => void {
    if (this.#drainers++ === 0) for (const submit of Array.from(this.#open.keys())) submit.drain?.(true)
    return () => {
      if (--this.#drainers === 0) for (const submit of this.#open.keys()) submit.drain?.(false)
    }
  }

  halt(error: (what: string) => unknown): void {
    for (const [submit, what] of Array.from(this.#open)) submit.halt(error(what))
  }
}
