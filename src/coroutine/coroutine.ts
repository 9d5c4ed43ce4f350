/**
 * Python's generator protocol over a JavaScript generator: send, throw and close, and StopIteration at the
 * end. Called by users alone; it runs nothing by itself and knows no scheduler. What JavaScript's own
 * protocol would let pass in silence (a first value that nobody receives, a body that goes on after close())
 * is an error here, as in Python.
 */
import { InvalidStateError, StopIteration } from '../core/errors.ts'
import { checkFunction } from '../core/options.ts'

type Verb = 'next' | 'throw' | 'return'
type Driven<Y, R> = Record<Verb, (value: unknown) => IteratorResult<Y, R>>

/**
 * A generator that its caller drives: `send` hands a value in and gives what is yielded next.
 *
 * States: `created` until the first `send(null)`, then `suspended` at a yield, `running` inside of it, and
 * `closed` for good. A coroutine never runs on its own: each call runs its body to the next yield.
 *
 * @example
 * ```ts
 * import { coroutine } from 'plait/coroutine'
 *
 * const average = coroutine(function* (): Generator<number, void, number> {
 *   let [sum, count] = [0, 0]
 *   while (true) {
 *     sum += yield count === 0 ? 0 : sum / count
 *     count++
 *   }
 * })
 * const running = average()
 * running.send(null) // => 0
 * running.send(10) // => 10
 * running.send(20) // => 15
 * running.close()
 * running.state // => 'closed'
 * ```
 * @see Python's generators: `send`, `throw`, `close`
 */
export class Coroutine<Y, R = void, S = unknown> implements Iterable<Y> {
  readonly #generator: Generator<Y, R, S>
  readonly #name: string
  #state: 'created' | 'running' | 'suspended' | 'closed' = 'created'
  /** The generator's own methods, once others have been given it. */
  #native: Driven<Y, R> | undefined

  /** For a generator that has not begun; `coroutine()` makes both at once. */
  constructor(generator: Generator<Y, R, S>, name = 'coroutine') {
    this.#generator = generator
    this.#name = name
  }

  get state(): 'created' | 'running' | 'suspended' | 'closed' {
    return this.#state
  }

  /**
   * Runs the body to its next yield, where `value` is what the last one gives; returns what is yielded. The
   * first one starts the body and has nothing to give: `send(null)`.
   *
   * @throws {StopIteration} where the body returns, with its `value`, and ever after.
   * @throws {TypeError} for a value sent before the first yield; the coroutine has not begun.
   * @throws {InvalidStateError} where it runs already.
   */
  send(value: S | null): Y {
    if (this.#state === 'created' && value !== null && value !== undefined)
      throw new TypeError(`${this.#name} has not begun, so no yield can receive a value: send(null) first`)
    if (this.#state === 'closed') throw this.#ended(undefined)
    return this.#step('next', value)
  }

  /**
   * Throws `error` at the yield where the body waits; returns what is yielded next. A coroutine that has not
   * begun or has ended throws it back at once, and is closed.
   *
   * @throws {StopIteration} where the body returns.
   * @throws {InvalidStateError} where it runs already.
   */
  throw(error: unknown): Y {
    return this.#step('throw', error)
  }

  /**
   * Ends the body where it waits: its finally blocks run, and no catch block sees anything. What has not
   * begun never runs. Returns what the body returns; undefined where there is nothing to end.
   *
   * @throws {InvalidStateError} where the body yields again ("generator ignored close()"): it is suspended
   * there; and where it runs already.
   */
  close(): R | undefined {
    if (this.#state === 'closed') return undefined
    const { done, value } = this.#drive('return', undefined)
    if (done !== true) throw new InvalidStateError(`${this.#name}: generator ignored close()`)
    return value
  }

  /**
   * The generator beneath: for…of and yield* keep JavaScript's own protocol (return() on break, delegated
   * throw()).
   */
  [Symbol.iterator](): Generator<Y, R, S> {
    if (this.#native === undefined) this.#watch()
    return this.#generator
  }

  #step(how: 'next' | 'throw', value: unknown): Y {
    const begun = this.#state === 'suspended'
    let result: IteratorResult<Y, R>
    try {
      result = this.#drive(how, value)
    } catch (error) {
      // Out of a body it would be taken for its end. Python: PEP 479.
      if (begun && error instanceof StopIteration)
        throw new InvalidStateError(`${this.#name}: generator raised StopIteration`, { cause: error })
      throw error
    }
    if (result.done === true) throw this.#ended(result.value)
    return result.value
  }

  #drive(how: Verb, value: unknown): IteratorResult<Y, R> {
    if (this.#state === 'running') throw new InvalidStateError(`${this.#name}: generator already executing`)
    this.#state = 'running'
    try {
      const result = (this.#native ?? (this.#generator as Driven<Y, R>))[how](value)
      this.#state = result.done === true ? 'closed' : 'suspended'
      return result
    } catch (error) {
      this.#state = 'closed'
      throw error
    }
  }

  /** From here on others may drive the generator itself: it tells us, so that `state` stays true. */
  #watch(): void {
    const generator = this.#generator as Driven<Y, R>
    const { next, throw: throwInto, return: end } = generator
    const native = {
      next: next.bind(generator),
      throw: throwInto.bind(generator),
      return: end.bind(generator),
    }
    this.#native = native
    for (const how of ['next', 'throw', 'return'] as const) {
      // A call from inside of its body is for the generator itself to refuse.
      const value = (value: unknown): IteratorResult<Y, R> =>
        this.#state === 'running' ? native[how](value) : this.#drive(how, value)
      Object.defineProperty(generator, how, { value, configurable: true, writable: true })
    }
  }

  #ended(value: R | undefined): StopIteration<R | undefined> {
    return new StopIteration(`${this.#name} has ended`, value)
  }
}

/**
 * Makes coroutines of a generator function: the same parameters, and a `Coroutine` instead of the generator.
 *
 * @example
 * ```ts
 * import { coroutine, StopIteration } from 'plait/coroutine'
 *
 * const greet = coroutine(function* (name: string): Generator<string, number, string> {
 *   const mood = yield `how are you, ${name}?`
 *   return mood.length
 * })
 * const talk = greet('Ada')
 * talk.send(null) // => 'how are you, Ada?'
 * try {
 *   talk.send('fine')
 * } catch (error) {
 *   if (!(error instanceof StopIteration)) throw error
 *   error.value // => 4
 * }
 * ```
 */
export function coroutine<F extends AnyGeneratorFunction>(
  fn: F,
): (...args: Parameters<F>) => CoroutineOf<ReturnType<F>>
export function coroutine<A extends readonly unknown[], Y, R, S>(
  fn: (...args: A) => Generator<Y, R, S>,
): (...args: A) => Coroutine<Y, R, S>
export function coroutine(fn: AnyGeneratorFunction): (...args: unknown[]) => Coroutine<unknown, unknown> {
  checkFunction(fn, 'what coroutine() is given')
  const make = function (this: unknown, ...args: unknown[]): Coroutine<unknown, unknown> {
    const generator: Generator<unknown, unknown> = Reflect.apply(fn, this, args)
    return new Coroutine(generator, fn.name === '' ? undefined : fn.name)
  }
  return Object.defineProperty(make, 'name', { value: fn.name, configurable: true })
}

/** Where its author does not say what it is sent, it takes anything. */
// oxlint-disable-next-line typescript/no-explicit-any -- it has to fit every function
type AnyGeneratorFunction = (this: any, ...args: any[]) => Generator<unknown, unknown>
type CoroutineOf<G> = G extends Generator<infer Y, infer R, infer S> ? Coroutine<Y, R, S> : never
