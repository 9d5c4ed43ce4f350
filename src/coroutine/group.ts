/**
 * TaskGroup: structured concurrency for async functions. Whoever opens a group waits at its end for all that
 * was spawned in it; the first failure asks the others to stop, and they are waited for too. It cannot stop
 * what does not listen to the signal: it waits.
 */
import { setMaxListeners } from 'node:events'
import { runAsOwner, runWithSignal } from '../core/context.ts'
import { CancelledError, InvalidStateError } from '../core/errors.ts'
import { checkFunction, checkOptions, checkSignal } from '../core/options.ts'
import { textOf } from '../core/text.ts'
import { onAbortAbove } from './above.ts'
import { obeyed } from './obeyed.ts'

/**
 * Async functions that begin and end together: none outlives the group, and the first failure stops the rest.
 *
 * The group's signal aborts with the first failure, with cancel(), and with that of the TaskGroup, timeout()
 * or pool task in which the group was opened. Children get it as their argument; every wait of plait's in a
 * child ends with it by itself, and a task or program that the child awaits is stopped; only `sleep` goes on
 * where it is not given the signal, for what cleans up. Whoever throws the signal's reason, an AbortError or
 * a CancelledError after that has merely obeyed, which is no failure.
 *
 * Each child keeps the AsyncLocalStorage context of whoever spawned it, and is an owner of its own for RLock.
 *
 * @example
 * ```ts
 * import { sleep, TaskGroup } from 'plait/coroutine'
 *
 * const stopped: string[] = []
 * const error = await TaskGroup.run(async (group) => {
 *   group.spawn((signal) => sleep(60_000, { signal }).catch(() => stopped.push('the sleeper')))
 *   group.spawn(async () => {
 *     throw new RangeError('no such page')
 *   })
 * }).catch((error) => error)
 *
 * error instanceof AggregateError // => true
 * error.errors[0].message // => 'no such page'
 * stopped // => ['the sleeper']
 * ```
 * @see Python `asyncio.TaskGroup`, and trio's nurseries
 */
export class TaskGroup {
  readonly #controller = new AbortController()
  readonly #letGo: () => void
  /** Each once, though the one who awaits a child throws its error again. */
  readonly #failures = new Set<unknown>()
  #alive = 0
  #ended = false
  /** It was aborted from above. */
  #cut = false
  #whenQuiet: (() => void) | undefined

  /** Ends with `signal` too. A group that is not run() has to be disposed: `await using`. */
  constructor(options?: { signal?: AbortSignal | undefined }) {
    checkOptions(options)
    checkSignal(options?.signal)
    // As many children as there are may listen.
    setMaxListeners(0, this.signal)
    this.#letGo = onAbortAbove(options?.signal, (reason) => {
      this.#cut = true
      this.cancel(reason)
    })
  }

  /**
   * Aborts when the group is to stop. The reason after a failure is a CancelledError with the failure as its
   * cause.
   */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /**
   * Calls `fn(signal)` now; the promise is what becomes of it, and need not be looked at: the group does. In
   * a group that is stopping, `fn` is not called and the promise rejects with the signal's reason.
   *
   * @throws {InvalidStateError} (a rejection) where the group has ended.
   */
  spawn<R>(fn: (signal: AbortSignal) => R): Promise<Awaited<R>> {
    const promise = this.#spawn(fn)
    promise.catch(() => {})
    return promise
  }

  /**
   * Asks all to stop: the signal aborts with `reason`, by default a CancelledError. The group is waited for
   * as ever, and that they stop is no failure.
   */
  cancel(reason: unknown = new CancelledError('the group was cancelled')): void {
    if (!this.#ended && !this.signal.aborted) this.#controller.abort(reason)
  }

  /**
   * Waits for all. As `await using` does not tell it how the block ended, an error in the block does not stop
   * the children: TaskGroup.run() does.
   *
   * @throws {AggregateError} of the failures, in their order.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended || this.#whenQuiet !== undefined) return this.#quiet()
    await this.#quiet()
    this.#throwFailures()
  }

  /**
   * Opens a group, calls `fn(group)`, waits for all, and gives what `fn` gives. What `fn` throws is a failure
   * like a child's.
   *
   * @throws {AggregateError} of the failures, in their order: also of one.
   * @throws the signal's reason where the group was stopped from outside and nothing has failed.
   */
  static async run<R>(
    fn: (group: TaskGroup) => R,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<Awaited<R>> {
    checkFunction(fn, 'what TaskGroup.run() is given')
    const group = open(options)
    group.signal.throwIfAborted()
    let value: Awaited<R>
    let thrown: { error: unknown } | undefined
    try {
      value = await runWithSignal(group.signal, () => fn(group))
    } catch (error) {
      thrown = { error }
      group.#fail(error)
    }
    await group.#quiet()
    group.#throwFailures()
    if (group.#cut) throw group.signal.reason
    // It obeyed the group's own cancel().
    if (thrown !== undefined) throw thrown.error
    return value!
  }

  async #spawn<R>(fn: (signal: AbortSignal) => R): Promise<Awaited<R>> {
    checkFunction(fn, 'what spawn() is given')
    if (this.#ended) throw new InvalidStateError('the group has ended: nothing can be spawned in it')
    this.signal.throwIfAborted()
    this.#alive++
    try {
      return await runAsOwner(null, () => fn(this.signal), this.signal)
    } catch (error) {
      this.#fail(error)
      throw error
    } finally {
      if (--this.#alive === 0) this.#whenQuiet?.()
    }
  }

  #fail(error: unknown): void {
    if (obeyed(error, this.signal)) return
    this.#failures.add(error)
    this.cancel(new CancelledError(`a sibling in the group has failed: ${textOf(error)}`, { cause: error }))
  }

  /** All have ended, and with them the group. */
  async #quiet(): Promise<void> {
    if (this.#alive > 0)
      await new Promise<void>((resolve) => {
        const others = this.#whenQuiet
        this.#whenQuiet = () => {
          this.#end()
          others?.()
          resolve()
        }
      })
    this.#end()
  }

  #end(): void {
    this.#ended = true
    this.#letGo()
  }

  #throwFailures(): void {
    const errors = [...this.#failures]
    if (errors.length === 0) return
    const count = errors.length === 1 ? '1 failure' : `${errors.length} failures`
    throw new AggregateError(errors, `${count} in the group: ${errors.map(textOf).join('; ')}`)
  }
}

/** Outside of the class: one that speaks of itself is renamed by the bundler. */
function open(options: { signal?: AbortSignal | undefined } | undefined): TaskGroup {
  return new TaskGroup(options)
}
