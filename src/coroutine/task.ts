/**
 * One coroutine of a Scheduler: its generator, where it stands, and who waits for it. The loop calls turn()
 * once for each switch; what the generator yields decides whether it runs again at its next turn, or is
 * parked until something settles. It never chooses when it runs: that is the loop's.
 */
import { inspect, types } from 'node:util'
import { rejectWithCallers } from '../core/callers.ts'
import { CancelledError, InvalidStateError } from '../core/errors.ts'
import { Coroutine } from './coroutine.ts'
import { addTrace } from './trace.ts'
import { withdraw } from './waiter.ts'

/**
 * A coroutine of a Scheduler. Awaited or yielded, it gives what its body returns or throws.
 *
 * @example
 * ```ts
 * import { Scheduler, sleep } from 'plait/coroutine'
 *
 * const scheduler = new Scheduler()
 * const cleaned: string[] = []
 * const sleeper = scheduler.spawn(function* () {
 *   try {
 *     yield sleep(60_000)
 *   } finally {
 *     cleaned.push('sleeper')
 *   }
 * })
 * const boss = scheduler.spawn(function* () {
 *   yield
 *   return sleeper.cancel('that is enough')
 * })
 * await scheduler.run()
 * await boss // => true
 * cleaned // => ['sleeper']
 * await sleeper // throws CancelledError
 * ```
 */
export interface CoroutineTask<R> extends PromiseLike<R> {
  /** As given; else "Coroutine-1 (consumer)", with the name of its function where that is known. */
  readonly name: string
  /** It has returned, thrown, or ended as it was cancelled. */
  readonly done: boolean
  /**
   * Ends the body where it waits, at its next turn: finally blocks run, catch blocks see nothing, and what it
   * waits for is given up, unless that has happened already: then it is seen first. Once the body has ended
   * the task rejects with CancelledError, whose cause is `reason`. A second cancel changes nothing. False
   * where the task is done.
   */
  cancel(reason?: unknown): boolean
}

export type Body<R> = Generator<unknown, R, unknown>
type How = 'next' | 'throw' | 'return'

/** Not an async one, whose steps are promises. */
export function isGenerator(value: unknown): value is Body<unknown> {
  return types.isGeneratorObject(value) && !(Symbol.asyncIterator in value)
}

/** What a task asks of the loop that runs it. */
export interface Host {
  /** Its turn comes after those that wait for theirs. */
  ready(task: Task<unknown>): void
  /** It is done; `failed` where with an error that is no cancellation. */
  ended(task: Task<unknown>, failed: boolean): void
}

export class Task<R> implements CoroutineTask<R> {
  /** Behind it in the loop's line, which alone writes it: a switch joins and leaves the line. */
  next: Task<unknown> | undefined = undefined
  done = false
  /** Somebody learns what becomes of it. */
  claimed = false
  readonly #host: Host
  readonly #id: number
  readonly #label: string | undefined
  /** The generator that runs; below it those that yielded to another one, outermost first. */
  #body: Body<unknown> | undefined
  #outer: Body<unknown>[] | undefined = undefined
  /** Its method: generators of a thousand closures have a thousand shapes, and each look-up would be slow. */
  #next: Body<unknown>['next']
  /** How it is resumed, and with what; once it is done, what became of it. */
  #how: How = 'next'
  #value: unknown = undefined
  /** `woken` is ready with something that has arrived. */
  #where: 'ready' | 'woken' | 'running' | 'parked' = 'ready'
  #on: object | undefined = undefined
  /** Counts its parkings: what belongs to an earlier one comes too late. */
  #parking = 0
  #cancelled: CancelledError | undefined = undefined
  /** It is cancelled, and that waits for the next yield. */
  #due = false
  /** So many generators, from the outermost on, does the cancellation end; the others belong to a finally. */
  #ending = 0
  #waiting: Set<Task<unknown>> | undefined = undefined
  #promise: Promise<R> | undefined = undefined
  #settle: (() => void) | undefined = undefined

  constructor(host: Host, id: number, label: string | undefined, body: Body<R>) {
    this.#host = host
    this.#id = id
    this.#label = label
    this.#body = body
    this.#next = body.next
  }

  get name(): string {
    if (this.#id === 0) return this.#label!
    return this.#label === undefined ? `Coroutine-${this.#id}` : `Coroutine-${this.#id} (${this.#label})`
  }

  /** What it has failed with. */
  get error(): unknown {
    return this.#value
  }

  /** In a log: not the whole line behind it. */
  [inspect.custom](): string {
    return `CoroutineTask { ${this.name}${this.done ? ', done' : ''} }`
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a task is a PromiseLike by contract
  then<A = R, B = never>(
    onValue?: ((value: R) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.claimed = true
    return this.#asPromise().then(onValue, onError)
  }

  cancel(reason?: unknown): boolean {
    if (this.done) return false
    if (this.#cancelled !== undefined) return true
    const options = reason === undefined ? undefined : { cause: reason }
    this.#cancelled = new CancelledError(`${this.name} was cancelled`, options)
    this.#cancelHere()
    return true
  }

  /** One switch: to the next yield, or to the end. */
  turn(): void {
    const how = this.#how
    const value = this.#value
    const body = this.#body!
    this.#where = 'running'
    this.#how = 'next'
    this.#value = undefined
    let result: IteratorResult<unknown, unknown>
    try {
      result =
        how === 'next'
          ? this.#next.call(body, value)
          : how === 'throw'
            ? body.throw(value)
            : body.return(undefined)
    } catch (error) {
      return this.#bodyEnded('throw', error)
    }
    if (result.done === true) return this.#bodyEnded('next', result.value)
    if (result.value === undefined && !this.#due) return this.#ready('ready')
    this.#park(result.value)
    if (this.#due) this.#cancelHere()
  }

  #cancelHere(): void {
    if (this.#where === 'ready') this.#end()
    else if (this.#where === 'parked') this.#leave()
    else this.#due = true
  }

  #ready(where: 'ready' | 'woken'): void {
    this.#where = where
    this.#host.ready(this)
  }

  /** The turn after this one ends the body. */
  #end(): void {
    this.#due = false
    this.#ending = 1 + (this.#outer?.length ?? 0)
    this.#how = 'return'
  }

  /** A cancelled one gives up what it is parked on; what is on its way already is waited for. */
  #leave(): void {
    const on = this.#on!
    if (on instanceof Task) on.#waiting?.delete(this)
    else if (withdraw(on, this.#cancelled) === 'late') {
      this.#due = true
      return
    }
    this.#on = undefined
    this.#parking++
    this.#end()
    this.#ready('ready')
  }

  /** What is yielded decides when it goes on: an event, the end of another generator, or its next turn. */
  #park(value: unknown): void {
    if ((typeof value !== 'object' || value === null) && typeof value !== 'function')
      return this.#ready('ready')
    const parking = ++this.#parking
    this.#where = 'parked'
    this.#on = value
    try {
      if (value instanceof Task) return this.#parkOnTask(parking, value)
      if (value instanceof Coroutine) return this.#enter(value[Symbol.iterator]())
      if (isGenerator(value)) return this.#enter(value)
      const { then } = value as PromiseLike<unknown>
      if (typeof then !== 'function') return this.#wake(parking, 'ready', 'next', undefined)
      then.call(
        value,
        (value) => this.#wake(parking, 'woken', 'next', value),
        (error: unknown) => this.#wake(parking, 'woken', 'throw', error),
      )
    } catch (error) {
      this.#wake(parking, 'woken', 'throw', error)
    }
  }

  #wake(parking: number, where: 'ready' | 'woken', how: How, value: unknown): void {
    if (parking !== this.#parking) return
    this.#parking++
    this.#on = undefined
    this.#how = how
    this.#value = value
    this.#ready(where)
  }

  #parkOnTask(parking: number, other: Task<unknown>): void {
    if (other === this) throw new InvalidStateError(`${this.name} cannot wait for itself`)
    if (!other.done) return void (other.#waiting ??= new Set()).add(this)
    other.claimed = true
    this.#wake(parking, 'woken', other.#how, other.#value)
  }

  /** Runs `inner` to its end, in the place of what yielded it. */
  #enter(inner: Body<unknown>): void {
    ;(this.#outer ??= []).push(this.#body!)
    this.#body = inner
    this.#next = inner.next
    this.#on = undefined
    this.#ready('ready')
  }

  #bodyEnded(how: 'next' | 'throw', value: unknown): void {
    const depth = this.#outer?.length ?? 0
    if (depth === 0) return this.#finish(how, value)
    const body = this.#outer!.pop()!
    this.#body = body
    this.#next = body.next
    this.#value = value
    this.#how = how
    if (this.#due && how === 'next') this.#end()
    else if (this.#ending > depth) {
      // It is cancelled as a whole, unless the end of the inner one has failed: that is the outer one's.
      this.#ending = how === 'next' ? depth : 0
      if (how === 'next') this.#how = 'return'
    }
    this.#ready('woken')
  }

  #finish(how: 'next' | 'throw', value: unknown): void {
    const cancelled = how === 'next' ? this.#cancelled : undefined
    if (how === 'throw') addTrace(value, this.name)
    this.done = true
    this.#body = undefined
    this.#how = cancelled === undefined ? how : 'throw'
    this.#value = cancelled ?? value
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined && waiting.size > 0) {
      this.claimed = true
      for (const task of waiting) task.#wake(task.#parking, 'woken', this.#how, this.#value)
    }
    this.#settle?.()
    this.#host.ended(this, how === 'throw')
  }

  /** Whoever asks for it listens to it: so it is no unhandled rejection by itself. */
  #asPromise(): Promise<R> {
    return (this.#promise ??= new Promise((resolve, reject) => {
      this.#settle = () =>
        this.#how === 'throw' ? rejectWithCallers(resolve, reject, this.#value) : resolve(this.#value as R)
      if (this.done) this.#settle()
    }))
  }
}
