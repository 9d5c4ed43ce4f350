/**
 * Inside a child: what it was started for, if that is the run() of a Process. Set by run.ts, read by
 * process.ts; apart, so that a child with a plain function loads nothing of the parent's half.
 */

/** What a parent captures: a function with its arguments, or a Process with a run() of its own. */
export interface Work {
  readonly target: ((...args: unknown[]) => unknown) | undefined
  readonly args: readonly unknown[]
  /** Called so for the path in a refusal: "cannot send `this.socket` of Process-1". */
  readonly this: { run(): unknown } | undefined
  /** The parent's home id: what comes from there goes back by name. */
  readonly home: string
}

export const self: {
  work: Work | null
  /** Of a thread: whether its target waits to be asked to stop. Then the thread stays until it is. */
  waitsForStop: () => boolean
} = { work: null, waitsForStop: () => false }
