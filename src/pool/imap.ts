/**
 * A map whose items are taken, run and handed out as the consumer asks: at most `buffersize` items are ahead
 * of it, whatever the input and however slow the consumer. Nothing is taken before the first `next()`, and
 * nothing more once an error was handed out, until the next one. It makes tasks and keeps outcomes; when a
 * task runs is the dispatch's business. Faces: Pool.imap, Pool.imapUnordered, Executor.map.
 *
 * What may stand still, and what ends it: a `next()` (its outcome, the end of the input, its own timeout or
 * signal, the submit's signal, the end of the pool), the input (leave() does not wait for it).
 */
import { reasonOf } from '../core/abort.ts'
import { callUser } from '../core/callbacks.ts'
import { rejectWithCallers } from '../core/callers.ts'
import { CancelledError, TimeoutError } from '../core/errors.ts'
import { abortedOf, onStop, stopsOf, type Stops } from '../core/stops.ts'
import { startTimer, type WaitOptions } from '../core/waiting.ts'
import { Mixed } from './call.ts'
import type { Source, Step } from './inputs.ts'

/** What an Imap needs of the face that made it. */
export interface ImapHost<T> {
  /** The input. */
  readonly source: Pick<Source<T>, 'next' | 'close' | 'closing'>
  /**
   * Submits one task for `items`, the first of which is number `offset`; `done` is called once. Throws where
   * one of them cannot travel.
   */
  submit(items: readonly T[], offset: number, done: ChunkDone): Cancel
  /** The event loop is to go on until the answer is called. */
  stayAlive(): () => void
  /** Nothing more will be submitted, and nothing is under way. */
  done(): void
  /** Nobody asks any more. */
  over(): void
}

/** Tells what became of a chunk: its values, or an error, which may be a Mixed. */
export type ChunkDone = (succeeded: boolean, outcome: unknown) => void
/** Takes a task back: what has not begun never does; `reason` is for what has. */
export type Cancel = (reason: unknown) => void

export interface ImapRules {
  readonly ordered: boolean
  readonly chunksize: number
  readonly buffersize: number
  /** So many chunks may run at the same time. */
  readonly slots: number
  /** It ends at the first error, and what runs then goes on. */
  readonly eager: boolean
  readonly total: number | undefined
  readonly onProgress: ((done: number, total: number | undefined) => void) | undefined
}

/** Of one item. */
interface Outcome {
  readonly succeeded: boolean
  readonly value: unknown
}

/** One `next()` that waits. */
interface Request<R> {
  resolve(result: IteratorResult<R, undefined>): void
  reject(error: unknown): void
  /** Keeps the iterator from being collected while somebody waits for it. */
  readonly holder: object
}

/** The state behind one iterator; it outlives it only until somebody notices. */
export class Imap<T, R> {
  readonly #host: ImapHost<T>
  readonly #rules: ImapRules
  /** By place: of the item in the input, or of its arrival. */
  readonly #outcomes = new Map<number, Outcome>()
  readonly #requests = new Set<Request<R>>()
  readonly #tasks = new Set<Cancel>()
  /** Items taken and not yet submitted. */
  #part: T[] = []
  #taken = 0
  #submitted = 0
  #arrived = 0
  #delivered = 0
  /** So many items may have been taken by now. */
  #granted = 0
  #pulling = false
  /** See #soon. */
  #turning = false
  /** Nothing more comes from the input; what it threw comes last. */
  #ended = false
  #done = false
  /** Somebody waits for the end of all work: the rest is done without being asked for. */
  #draining = false
  /** Nothing more may be submitted. */
  #refusal: unknown
  #last: Outcome | undefined
  #over = false
  #release: (() => void) | undefined

  constructor(host: ImapHost<T>, rules: ImapRules) {
    this.#host = host
    this.#rules = rules
  }

  /** Takes a window of items now, before anybody asks. */
  begin(): void {
    this.#grant()
  }

  next(options: WaitOptions | undefined, holder: object): Promise<IteratorResult<R, undefined>> {
    return new Promise((resolve, reject) => {
      const request: Request<R> = {
        resolve,
        reject: (error) => rejectWithCallers(resolve, reject, error),
        holder,
      }
      const stops = stopsOf(options?.signal)
      if (options?.timeout !== undefined || stops.length > 0) this.#limit(request, options?.timeout, stops)
      this.#requests.add(request)
      this.#grant()
      this.#serve()
      if (this.#requests.size > 0) this.#release ??= this.#host.stayAlive()
    })
  }

  /**
   * The consumer needs no more: what runs is stopped, the input closed. Those who wait are told the end. The
   * answer is what the input says to that, if it can: one that is being asked is not waited for.
   */
  leave(): Promise<void> | undefined {
    this.#end()
    this.#serve()
    return this.#pulling ? undefined : this.#host.source.closing
  }

  /** Does what is left without waiting for the consumer, a window of it at a time; or no longer. */
  drain(on: boolean): void {
    this.#draining = on
    if (on) this.#grant()
  }

  /**
   * What was taken is done; the next item that is taken is `error`, and the end. `now`: an input that is
   * being asked is not waited for.
   */
  refuse(error: unknown, now: boolean): void {
    this.#submit()
    this.#refusal = error
    if (!now || !this.#pulling) return
    this.#host.source.close()
    this.#inputEnded({ succeeded: false, value: error })
  }

  /** The work cannot go on: whoever asks next is told why. */
  fail(error: unknown): void {
    if (this.#over) return
    this.#end()
    this.#last = { succeeded: false, value: error }
    this.#serve()
  }

  /** Hands out what is there to those who wait, and takes what may be taken for those who still do. */
  #serve(): void {
    for (const request of this.#requests) {
      const outcome = this.#next()
      if (outcome === undefined) break
      this.#requests.delete(request)
      this.#hand(request, outcome)
    }
    if (this.#requests.size > 0) this.#grant()
    if (this.#requests.size > 0) return
    this.#release?.()
    this.#release = undefined
  }

  /** Somebody waits: as many items as the window holds may be taken. */
  #grant(): void {
    const from = this.#draining ? this.#arrived : this.#delivered
    this.#granted = Math.max(this.#granted, from + this.#rules.buffersize)
    this.#pull()
  }

  /** The outcome that is next; null where there will be none; undefined where it is not there yet. */
  #next(): Outcome | null | undefined {
    const outcome = this.#outcomes.get(this.#delivered)
    if (outcome !== undefined) {
      this.#outcomes.delete(this.#delivered++)
      if (!outcome.succeeded && this.#rules.eager) this.#end()
      return outcome
    }
    if (!this.#over && (!this.#ended || this.#delivered < this.#taken)) return undefined
    const last = this.#last
    this.#last = undefined
    this.#end()
    return last ?? null
  }

  #hand(request: Request<R>, outcome: Outcome | null): void {
    if (outcome === null) request.resolve({ done: true, value: undefined })
    else if (outcome.succeeded) request.resolve({ done: false, value: outcome.value as R })
    else request.reject(outcome.value)
  }

  /** A `next()` that waits no longer takes nothing with it. */
  #limit(request: Request<R>, timeout: number | undefined, stops: Stops): void {
    const withdraw = (error: unknown): void => {
      stop()
      if (!this.#requests.delete(request)) return
      request.reject(error)
      this.#serve()
    }
    const expired = (): void =>
      withdraw(
        new TimeoutError(`no result was ready within ${timeout} ms; it is handed out by a later next()`),
      )
    const timer = timeout === 0 ? undefined : startTimer(timeout, expired)
    const stop = (): void => {
      clearTimeout(timer)
      stopListening()
    }
    const { resolve, reject } = request
    request.resolve = (result) => (stop(), resolve(result))
    request.reject = (error) => (stop(), reject(error))
    // What is there already wins over a signal that has aborted.
    const aborted = abortedOf(stops)
    if (aborted !== undefined) queueMicrotask(() => withdraw(reasonOf(aborted)))
    else if (timeout === 0) queueMicrotask(expired)
    const stopListening = onStop(stops, withdraw)
  }

  /** Takes items as far as granted. One pull at a time; an asynchronous input goes on by itself. */
  #pull(): void {
    if (this.#pulling) return
    this.#pulling = true
    try {
      while (!this.#ended && this.#taken < this.#granted) {
        const step = this.#host.source.next()
        if (step instanceof Promise) return this.#await(step)
        this.#take(step)
      }
    } catch (error) {
      this.#inputEnded({ succeeded: false, value: error })
    }
    this.#pulling = false
  }

  #await(step: Promise<Step<T>>): void {
    if (this.#part.length > 0) this.#soon()
    const then = (): void => {
      this.#pulling = false
      this.#pull()
      this.#serve()
    }
    step.then(
      (answer) => {
        this.#take(answer)
        then()
      },
      (error: unknown) => {
        this.#inputEnded({ succeeded: false, value: error })
        then()
      },
    )
  }

  #take(step: Step<T>): void {
    if (this.#over) return
    if (step.done === true) return this.#inputEnded(undefined)
    if (this.#refusal !== undefined) {
      this.#host.source.close()
      return this.#inputEnded({ succeeded: false, value: this.#refusal })
    }
    this.#taken++
    this.#part.push(step.value)
    if (this.#part.length >= this.#rules.chunksize || this.#taken >= this.#granted) this.#submit()
  }

  #inputEnded(last: Outcome | undefined): void {
    if (this.#over) return
    this.#ended = true
    this.#last = last
    this.#submit()
    // Those who wait may have had all that came before.
    this.#serve()
    this.#checkDone()
  }

  #submit(): void {
    const items = this.#part
    this.#part = []
    if (items.length > 0) this.#send(items)
  }

  #send(items: readonly T[]): void {
    const offset = this.#submitted
    let cancel: Cancel | undefined
    let settled = false
    const done: ChunkDone = (succeeded, outcome) => {
      settled = true
      if (cancel !== undefined) this.#tasks.delete(cancel)
      this.#settle(items.length, offset, succeeded, outcome)
    }
    try {
      cancel = this.#host.submit(items, offset, done)
    } catch (error) {
      // An item that cannot travel fails alone.
      if (items.length > 1) return items.forEach((item) => this.#over || this.#send([item]))
      this.#submitted++
      return done(false, error)
    }
    this.#submitted += items.length
    if (!settled) this.#tasks.add(cancel)
  }

  #settle(count: number, offset: number, succeeded: boolean, outcome: unknown): void {
    if (this.#over) return
    const mixed = outcome instanceof Mixed
    const failures = new Map(mixed ? outcome.failures : [])
    for (let i = 0; i < count && !this.#over; i++) {
      const place = this.#rules.ordered ? offset + i : this.#arrived
      this.#arrived++
      const good = succeeded || (mixed && !failures.has(i))
      const values = (mixed ? outcome.values : outcome) as unknown[]
      const value = good ? values[i] : mixed ? failures.get(i) : outcome
      this.#outcomes.set(place, { succeeded: good, value })
      if (this.#rules.onProgress !== undefined)
        callUser(this.#rules.onProgress, this.#arrived, this.#rules.total)
    }
    this.#serve()
    if (this.#draining || this.#part.length > 0) this.#soon()
    this.#checkDone()
  }

  /**
   * In the next turn of the event loop. An input that has not answered by then is slow, and may wait for a
   * result itself: what was taken is not kept back for a full chunk while a worker could have it. A window of
   * items that cannot travel is done at once: the next one must not keep the loop from turning.
   */
  #soon(): void {
    if (this.#turning) return
    this.#turning = true
    setImmediate(() => {
      this.#turning = false
      if (this.#tasks.size < this.#rules.slots) this.#submit()
      if (this.#draining) this.#grant()
    })
  }

  #checkDone(): void {
    if (this.#done || !this.#ended || this.#arrived < this.#taken) return
    this.#done = true
    this.#host.done()
  }

  #end(): void {
    if (this.#over) return
    this.#over = this.#ended = true
    this.#last = undefined
    this.#part = []
    this.#outcomes.clear()
    const reason = new CancelledError('the iteration that it was for has ended')
    for (const cancel of this.#tasks) cancel(reason)
    this.#tasks.clear()
    this.#host.source.close()
    this.#host.over()
    if (!this.#done) this.#host.done()
    this.#done = true
  }
}
