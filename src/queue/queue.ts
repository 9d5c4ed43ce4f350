/**
 * Queue: many producers, many consumers, in threads and processes alike. The public face; what is shared
 * lies in a cell, see layout.ts. An object of this class is one thread's handle to it.
 */
import { inspect } from 'node:util'
import { ClosedError, Empty, Full, ShutDown, TimeoutError } from '../core/errors.ts'
import { checkBoolean, checkInteger, checkOptions } from '../core/options.ts'
import { checkWaitOptions, type WaitOptions } from '../core/waiting.ts'
import { load, store } from '../memory/atomics.ts'
import { adopt, defineHandle, letGo } from '../memory/handles.ts'
import { cellWord, defineKind, makeCell } from '../memory/holders.ts'
import { kinds } from '../memory/layout.ts'
import { park } from '../memory/park.ts'
import { push, pushFirst, remove } from '../memory/waiters.ts'
import { Channel, GETTERS, PUTTERS } from './channel.ts'
import { Receiver, Sender } from './ends.ts'
import * as fifo from './fifo.ts'
import { items } from './items.ts'
import * as at from './layout.ts'

/** In place of the options: a cell that is there already, and held. */
class Opened {
  readonly address: number
  constructor(address: number) {
    this.address = address
  }
}

/** What a handle is made of while it is open. */
interface Open {
  readonly address: number
  readonly channel: Channel
  readonly sender: Sender
  readonly receiver: Receiver
}

/** Out of the class, which would be renamed by bundlers if it named itself. */
let addressOf: (queue: Queue) => number

/**
 * First in, first out, between any threads and processes: pass it as an argument, capture it, put it into
 * another queue. Items are whatever travels, functions included; they are copied by `put`, and lie in shared
 * memory when it returns, so that their producer may end at once. Without `maxsize` nothing bounds it but
 * memory.
 *
 * ```ts
 * const queue = new Queue<number>()
 * const worker = new Process({ target: async (q: Queue<number>) => {
 *   for (let n = 1; n <= 3; n++) await q.put(n * n)
 *   q.shutdown()
 * }, args: [queue] }).start()
 * const squares: number[] = []
 * for await (const square of queue) squares.push(square)
 * await worker.join()
 * console.log(squares) // => [1, 4, 9]
 * ```
 *
 * Python: `multiprocessing.Queue` and `JoinableQueue`, `queue.Queue`.
 */
export class Queue<T = unknown> {
  #open: Open | undefined

  /**
   * An empty queue. `maxsize` is the most items that it holds; 0, less, or left out: as many as there is
   * memory for.
   */
  constructor(options: { maxsize?: number | undefined } = {}) {
    const opened = (options as object) instanceof Opened ? (options as unknown as Opened) : undefined
    if (opened === undefined) {
      checkOptions(options)
      if (options.maxsize !== undefined) checkInteger(options.maxsize, 'maxsize', Number.MIN_SAFE_INTEGER)
    }
    const address = opened?.address ?? makeCell(kinds.queue, at.queueWords)
    const channel = channelOf(address)
    if (opened === undefined) {
      store(channel.words, channel.w + at.MAX, Math.max(0, Math.min(options.maxsize ?? 0, 2 ** 31 - 1)))
      adopt(this, address)
    }
    this.#open = {
      address,
      channel,
      sender: new Sender(this, channel, words),
      receiver: new Receiver(this, channel, words),
    }
  }

  /**
   * Appends an item; waits while the queue is full. Rejects with Full past the deadline, with ShutDown after
   * `shutdown()`, with SerializationError where the item cannot travel, with MemoryError where the program's
   * shared memory has no room for it: then nothing was put.
   */
  put(item: T, options?: WaitOptions): Promise<void> {
    try {
      checkWaitOptions(options)
      return this.#is().sender.put(item, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** As `put`, and stops this thread meanwhile. */
  putSync(item: T, options?: WaitOptions): void {
    checkWaitOptions(options)
    this.#is().sender.putSync(item, options)
  }

  /** As `put`; Full where it would have to wait. */
  putNowait(item: T): void {
    this.#is().sender.putNowait(item)
  }

  /**
   * Takes the first item; waits while there is none. Calls of one thread resolve in their order. Rejects with
   * Empty past the deadline, with ShutDown once the queue is shut down and drained. What an item needs is
   * imported first; where that fails, the item is gone, and that is the error.
   */
  get(options?: WaitOptions): Promise<T> {
    try {
      checkWaitOptions(options)
      return this.#is().receiver.get<T>(options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * As `get`, and stops this thread meanwhile. An item that needs modules which plait has not loaded here yet
   * (those that its functions use; plait/threading for a Local) stays in the queue: InvalidStateError, which
   * says to await `get()`.
   */
  getSync(options?: WaitOptions): T {
    checkWaitOptions(options)
    return this.#is().receiver.getSync<T>(options)
  }

  /** As `getSync`; Empty where it would have to wait. */
  getNowait(): T {
    return this.#is().receiver.getSync<T>({ timeout: 0 })
  }

  /** How many items there are, at this moment. */
  qsize(): number {
    return this.#is().channel.count()
  }

  /** No item is there, at this moment. */
  empty(): boolean {
    return this.qsize() === 0
  }

  /** As many items as `maxsize` allows are there, at this moment. */
  full(): boolean {
    const { channel } = this.#is()
    const max = load(channel.words, channel.w + at.MAX)
    return max !== 0 && channel.count() >= max
  }

  /** One of the items that were taken is done, see `join`. RangeError where all are done already. */
  taskDone(): void {
    const { channel } = this.#is()
    channel.locked(() => {
      if (unfinished(channel) === 0)
        throw new RangeError('taskDone() was called more often than items were put')
      addDone(channel, 1)
    })
  }

  /**
   * Waits until every item that was put is done: `taskDone()` was called for it, or `shutdown({ immediate:
   * true })` threw it away. TimeoutError past the deadline.
   */
  async join(options?: WaitOptions): Promise<void> {
    checkWaitOptions(options)
    const { channel } = this.#is()
    if (channel.locked(() => unfinished(channel)) === 0) return
    const list = channel.w + at.JOINERS
    const wait = {
      begin: (node: number, again: boolean) =>
        channel.locked(() => {
          if (unfinished(channel) === 0) return true
          ;(again ? pushFirst : push)(channel.words, list, node)
          return undefined
        }),
      granted: () => undefined,
      cancel: (node: number) => channel.locked(() => remove(channel.words, list, node)),
      check: () => {
        void this.#open // the handle lives as long as somebody waits
        channel.locked(() => addDone(channel, 0)) // who did the last one may have died before it said so
      },
    }
    if ((await park(wait, options?.timeout, options?.signal)) === undefined)
      throw new TimeoutError(`${unfinished(channel)} items of the queue were not done in time`)
  }

  /**
   * No more items: `put` throws ShutDown from now on, everywhere, and `get` does once the queue is drained;
   * those who wait are told. `immediate` drains it now: what is left counts as done.
   */
  shutdown(options?: { immediate?: boolean | undefined }): void {
    checkOptions(options)
    if (options?.immediate !== undefined) checkBoolean(options.immediate, 'immediate')
    const { channel } = this.#is()
    const discard = channel.setState(at.SHUT, () => {
      if (options?.immediate !== true) return undefined
      const left = channel.count()
      const rest = fifo.unhook(channel.words, channel.w)
      addDone(channel, Math.min(left, unfinished(channel)))
      return rest
    })
    discard?.()
  }

  /**
   * This object is not used any more: every other call throws ClosedError, and its pending ones reject with
   * it. The queue lives on for others. Python's close() says the same of one process.
   */
  close(): void {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    open.sender.end(closedError)
    open.receiver.pump.end(closedError)
    letGo(this)
  }

  /** Takes item by item; ends when the queue is shut down and drained. `return()` ends a pending `next()`. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return items(
      (options) => this.get(options),
      (error) => error instanceof ShutDown,
    )
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close()
  }

  [inspect.custom](): string {
    const open = this.#open
    if (open === undefined) return '<Queue closed>'
    const shut = open.channel.state === 0 ? '' : ' shut down'
    return `<Queue${shut} qsize=${open.channel.count()}>`
  }

  #is(): Open {
    if (this.#open === undefined) throw closedError()
    return this.#open
  }

  static {
    addressOf = (queue) => queue.#is().address
  }
}

defineHandle<Queue>(Queue.prototype, {
  room: 'queue',
  name: 'Queue',
  what: 'a Queue',
  cell: kinds.queue,
  addressOf,
  make: (address) => new Queue(new Opened(address) as object),
})

const words = {
  refuseGet(state: number): void {
    if (state !== 0) throw new ShutDown('the queue is shut down, and nothing is left in it')
  },
  refusePut(): never {
    throw new ShutDown('the queue is shut down: nothing more can be put')
  },
  lateGet: () => new Empty('the queue is empty'),
  latePut: () => new Full('the queue is full'),
  what: 'the item',
  verb: 'get',
}

function channelOf(address: number): Channel {
  return new Channel(cellWord(address), at.JOINERS)
}

function closedError(): ClosedError {
  return new ClosedError('this Queue was closed here')
}

/** Items that were put and are not done. */
function unfinished({ words, w }: Channel): number {
  return (load(words, w + at.PUT) - load(words, w + at.DONE)) >>> 0
}

function addDone(channel: Channel, n: number): void {
  const { words, w } = channel
  store(words, w + at.DONE, (load(words, w + at.DONE) + n) | 0)
  if (unfinished(channel) === 0) channel.wakeAll(w + at.JOINERS)
}

defineKind(kinds.queue, {
  destroy(address) {
    channelOf(address).destroy()
  },
  // It may have been woken, and have taken nothing: the next in line is.
  died(address) {
    const channel = channelOf(address)
    channel.nudge(GETTERS)
    channel.nudge(PUTTERS)
  },
})
