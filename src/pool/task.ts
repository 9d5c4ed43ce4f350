/**
 * One task as the pool sees it: what to call, with which encoded arguments, and whom to tell. It is settled
 * exactly once, whatever else happens to it: later results, deaths and timers find it settled and change
 * nothing. Subclasses say what settling means (a promise for a call, a place in the results for a chunk).
 */
import { rejection } from '../core/callers.ts'
import type { Template } from '../closure/unit.ts'
import type { Carried } from '../codec/handles.ts'
import type { Image } from './images.ts'

/** What a caller may say about one task. */
export interface TaskOptions {
  /**
   * Milliseconds from the moment the task STARTS. Past it: TimeoutError at once, currentTask().signal aborts,
   * and the worker is killed unless it has ended `grace` later.
   */
  timeout?: number | undefined
  /** Aborting rejects at once: queued work is dropped, a running task is stopped as above. */
  signal?: AbortSignal | undefined
  /** Milliseconds. Default 1000. */
  grace?: number | undefined
  /**
   * Higher runs first; equal ones in order of submission; waiting long enough always wins in the end. Default
   * 0.
   */
  priority?: number | undefined
}

/** Encoded arguments: a range of a buffer that is shared with other tasks. */
export interface Arguments {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly templates: readonly Template[] | null
  /** Handles among them, until the task is settled; null where there are none. */
  readonly lent: Carried | null
  /** What they add to the flags of their task. */
  readonly flags: number
}

let lastId = 0

/** A million of them may wait: few fields, and no object beside it. */
export abstract class Task implements Arguments {
  readonly id = ++lastId
  readonly image: Image
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly templates: readonly Template[] | null
  readonly lent: Carried | null
  readonly flags: number
  readonly options: TaskOptions | undefined
  /** From 1; a death of the worker that ran it takes one off `retries`. */
  attempt = 1
  retries: number
  settled = false
  /** Its number at the worker that holds it; 0 where none does. */
  seq = 0
  /** When it began to wait, by the line's clock; milliseconds. */
  since = 0
  /** What the pool expected it to take when it was sent: microseconds. */
  expected = 0
  /** Runs out, then is the grace before the kill. */
  timer: NodeJS.Timeout | undefined = undefined

  constructor(
    image: Image,
    args: Arguments,
    flags: number,
    options: TaskOptions | undefined,
    retries: number,
  ) {
    this.image = image
    this.bytes = args.bytes
    this.start = args.start
    this.end = args.end
    this.templates = args.templates
    this.lent = args.lent
    this.flags = flags | args.flags
    this.options = options
    this.retries = retries
  }

  /** Called once, by the dispatch. Must not throw. */
  abstract succeed(value: unknown): void
  /** Called once, by the dispatch. Must not throw. */
  abstract fail(error: unknown): void
}

/**
 * A call whose outcome somebody is told. Without `reject`, `resolve` is a promise's own, which rejects it as
 * well: then it is all that is kept of the promise.
 */
export class CallTask extends Task {
  readonly succeed: (value: unknown) => void
  readonly reject: ((error: unknown) => void) | undefined

  constructor(
    image: Image,
    args: Arguments,
    flags: number,
    options: TaskOptions | undefined,
    retries: number,
    resolve: (value: never) => void,
    reject?: (error: unknown) => void,
  ) {
    super(image, args, flags, options, retries)
    this.succeed = resolve as (value: unknown) => void
    this.reject = reject
  }

  fail(error: unknown): void {
    if (this.reject === undefined) this.succeed(rejection(error))
    else this.reject(error)
  }
}
