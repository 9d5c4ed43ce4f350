/**
 * Channel: values handed from one coroutine or async function to another of the same thread, in order, each
 * to one receiver. It holds no more than its capacity; who sends more waits. It does not cross threads: that
 * is a Queue.
 */
import { ClosedError } from '../core/errors.ts'
import { checkInteger } from '../core/options.ts'
import { abortedOf, stopsOf } from '../core/stops.ts'
import { checkWaitOptions, type WaitOptions } from '../core/waiting.ts'
import { Waiter } from './waiter.ts'

/**
 * A bounded channel between the coroutines of one thread (CSP). With capacity 0, the default, sender and
 * receiver meet: send() resolves when the value is received.
 *
 * Waits are first come, first served. They end early with `timeout` (TimeoutError), with `signal`, with the
 * signal of the TaskGroup or timeout() in which they wait, and where the coroutine of a Scheduler that yields
 * them is cancelled; they have sent or taken nothing then.
 *
 * @example
 * ```ts
 * import { Channel, TaskGroup } from 'plait/coroutine'
 *
 * const squares = new Channel<number>()
 * const sum = await TaskGroup.run(async (group) => {
 *   group.spawn(async () => {
 *     for (let n = 1; n <= 3; n++) await squares.send(n * n)
 *     squares.close()
 *   })
 *   let sum = 0
 *   for await (const square of squares) sum += square
 *   return sum
 * })
 * sum // => 14
 * ```
 */
export class Channel<T> {
  readonly #capacity: number
  readonly #values: T[] = []
  /** Where the first of the values is: what is before it has been received. */
  #first = 0
  readonly #senders = new Map<Waiter<void>, T>()
  readonly #receivers = new Set<Waiter<T>>()
  #closed = false

  /** `capacity`: so many values may wait to be received; Infinity for any number. */
  constructor(capacity = 0) {
    if (capacity !== Infinity) checkInteger(capacity, 'capacity', 0)
    this.#capacity = capacity
  }

  /**
   * Resolves when the value is received, or has a place to wait in.
   *
   * @throws {ClosedError} after close(), and where it is closed meanwhile: the value is not sent.
   * @throws {TimeoutError} past the timeout; with 0 where it would have to wait.
   */
  send(value: T, options?: WaitOptions): Promise<void> {
    const waiter = new Waiter<void>(() => this.#senders.delete(waiter))
    this.#wait(waiter, options, 'no receiver came', () => {
      if (this.#closed) return waiter.reject(new ClosedError('the channel is closed: nothing can be sent'))
      const receiver = firstOf(this.#receivers)
      if (receiver !== undefined) {
        this.#receivers.delete(receiver)
        receiver.resolve(value)
        waiter.resolve()
      } else if (this.#length < this.#capacity) {
        this.#values.push(value)
        waiter.resolve()
      } else this.#senders.set(waiter, value)
    })
    return waiter.promise
  }

  /**
   * The next value.
   *
   * @throws {ClosedError} after close(), once what was sent before is received.
   * @throws {TimeoutError} past the timeout; with 0 where it would have to wait.
   */
  receive(options?: WaitOptions): Promise<T> {
    const waiter = new Waiter<T>(() => this.#receivers.delete(waiter))
    this.#wait(waiter, options, 'nothing was sent', () => {
      const sender = firstOf(this.#senders.keys())
      if (this.#length > 0) {
        waiter.resolve(this.#shift())
        if (sender !== undefined) this.#values.push(this.#admit(sender))
      } else if (sender !== undefined) waiter.resolve(this.#admit(sender))
      else if (this.#closed) waiter.reject(drained())
      else this.#receivers.add(waiter)
    })
    return waiter.promise
  }

  /** No more values: those who wait to send or to receive get a ClosedError. A second close is nothing. */
  close(): void {
    this.#closed = true
    for (const sender of this.#senders.keys())
      sender.reject(new ClosedError('the channel was closed before the value was received'))
    for (const receiver of this.#receivers) receiver.reject(drained())
    this.#senders.clear()
    this.#receivers.clear()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Ends when the channel is closed and drained. Leaving the loop does not close it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      if (this.#closed && this.#length === 0) return
      let value: T
      try {
        value = await this.receive()
      } catch (error) {
        if (error instanceof ClosedError && this.#closed) return
        throw error
      }
      yield value
    }
  }

  /** Tries at once; where that does not settle it, the wait may end early. */
  #wait<W>(waiter: Waiter<W>, options: WaitOptions | undefined, what: string, attempt: () => void): void {
    try {
      checkWaitOptions(options)
    } catch (error) {
      return waiter.reject(error)
    }
    const stops = stopsOf(options?.signal)
    if (abortedOf(stops) === undefined) attempt()
    waiter.endsWith(stops)
    waiter.endsAfter(options?.timeout, `${what} within ${options?.timeout} ms`)
  }

  get #length(): number {
    return this.#values.length - this.#first
  }

  #shift(): T {
    const value = this.#values[this.#first]!
    this.#values[this.#first++] = undefined as T
    // In one go once half of them are gone: so each value is moved once at most.
    if (this.#first * 2 > this.#values.length) {
      this.#values.splice(0, this.#first)
      this.#first = 0
    }
    return value
  }

  /** Takes the value of one who waits to send it. */
  #admit(sender: Waiter<void>): T {
    const value = this.#senders.get(sender) as T
    this.#senders.delete(sender)
    sender.resolve()
    return value
  }
}

function drained(): ClosedError {
  return new ClosedError('the channel is closed and nothing is left to receive')
}

function firstOf<W>(waiting: Iterable<W>): W | undefined {
  for (const one of waiting) return one
  return undefined
}
