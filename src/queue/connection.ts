/**
 * Connection and Pipe: messages between two ends, in threads and processes alike. The public face; what is
 * shared is in pipe.ts. Each arrival of a connection is an object of its own, and its end is open until the
 * last of them, anywhere, is closed or gone.
 */
import { ClosedError, EOFError, InvalidStateError, TimeoutError } from '../core/errors.ts'
import { checkBoolean, checkOptions } from '../core/options.ts'
import { turnDue } from '../core/turn.ts'
import { waitable } from '../core/waitable.ts'
import { checkWaitOptions, type WaitOptions } from '../core/waiting.ts'
import { adopt, defineHandle, letGo } from '../memory/handles.ts'
import { kinds } from '../memory/layout.ts'
import { Receiver, Sender } from './ends.ts'
import { items } from './items.ts'
import { LookJob } from './jobs.ts'
import { End, makePipe, READS, WRITES } from './pipe.ts'
import * as at from './layout.ts'

/** What a connection is made of while it is open. */
interface Open {
  readonly end: End
  readonly sender: Sender
  readonly receiver: Receiver
}

/** In place of an address, so that nobody makes a connection by hand. */
class Opened {
  readonly address: number
  constructor(address: number) {
    this.address = address
  }
}

/** Out of the class, which would be renamed by bundlers if it named itself. */
let addressOf: (connection: Connection) => number

/**
 * One end of a pipe: sends S, receives R. Passed on (as an argument, captured, in a message), it is open
 * there as well: the other end sees the end of the stream when every copy is closed or its process has ended.
 * A copy that came with a pool's task is closed when the task has settled, unless something there keeps it.
 * Python: `multiprocessing.connection.Connection`.
 */
export class Connection<S = unknown, R = S> {
  #open: Open | undefined

  /** @internal Connections are made by `Pipe()`. */
  constructor(opened: unknown) {
    if (!(opened instanceof Opened)) throw new TypeError('a Connection is made by Pipe()')
    const end = new End(opened.address)
    const words = wordsOf(end)
    const sender = new Sender(this, end.outgoing, words)
    this.#open = { end, sender, receiver: new Receiver(this, end.incoming, words) }
  }

  /**
   * Sends a message. Waits while more than a megabyte of messages is on its way. Rejects with EOFError where
   * the other end is gone (Python: BrokenPipeError), with TimeoutError past the deadline, with
   * SerializationError where the value cannot travel, with MemoryError where the program's shared memory has
   * no room for it; then nothing was sent.
   */
  send(value: S, options?: WaitOptions): Promise<void> {
    try {
      checkWaitOptions(options)
      return this.#can(WRITES).sender.put(value, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** As `send`, and stops this thread meanwhile. */
  sendSync(value: S, options?: WaitOptions): void {
    checkWaitOptions(options)
    this.#can(WRITES).sender.putSync(value, options)
  }

  /**
   * The next message; waits while there is none. EOFError where the other end is gone and nothing is left,
   * TimeoutError past the deadline.
   */
  recv(options?: WaitOptions): Promise<R> {
    try {
      checkWaitOptions(options)
      return this.#can(READS).receiver.get<R>(options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * As `recv`, and stops this thread meanwhile. A message that needs modules which plait has not loaded here
   * yet stays where it is: InvalidStateError, which says to await `recv()`.
   */
  recvSync(options?: WaitOptions): R {
    checkWaitOptions(options)
    return this.#can(READS).receiver.getSync<R>(options)
  }

  /**
   * True where `recv()` would not wait, end of stream included; takes nothing. With options it waits for
   * that, and false means that the deadline passed.
   */
  async poll(options?: WaitOptions): Promise<boolean> {
    checkWaitOptions(options)
    const { end, receiver } = this.#can(READS)
    const readable = end.incoming.locked(() => end.incoming.readable())
    if (readable || options === undefined || options.timeout === 0) {
      await turnDue()
      return readable
    }
    return await receiver.pump.add(new LookJob(end.incoming), options, () => LookJob.late)
  }

  /** close() was called on this object. */
  get closed(): boolean {
    return this.#open === undefined
  }

  /** `recv` is for this end. */
  get readable(): boolean {
    return (this.#is().end.directions & READS) !== 0
  }

  /** `send` is for this end. */
  get writable(): boolean {
    return (this.#is().end.directions & WRITES) !== 0
  }

  /** This object is not used any more: every other call throws ClosedError, pending ones reject with it. */
  close(): void {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    open.sender.end(closedError)
    open.receiver.pump.end(closedError)
    letGo(this)
  }

  /** Message by message, to the end of the stream. `return()` ends a pending `next()`. */
  [Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    return items(
      (options) => this.recv(options),
      (error) => error instanceof EOFError,
    )
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close()
  }

  /** For `wait()`. */
  [waitable](ready: (error?: unknown) => void): (() => void) | undefined {
    const { end, receiver } = this.#can(READS)
    if (end.incoming.locked(() => end.incoming.readable())) return undefined
    const stop = new AbortController()
    const look = new LookJob(end.incoming)
    receiver.pump
      .add(look, { signal: stop.signal }, () => LookJob.late)
      .then(
        () => ready(),
        (error: unknown) => {
          if (!stop.signal.aborted) ready(error)
        },
      )
    return () => stop.abort()
  }

  #is(): Open {
    if (this.#open === undefined) throw closedError()
    return this.#open
  }

  #can(direction: number): Open {
    const open = this.#is()
    if ((open.end.directions & direction) !== 0) return open
    throw new InvalidStateError(
      direction === READS
        ? 'this Connection only sends: it is the writing end of a Pipe that is not duplex'
        : 'this Connection only receives: it is the reading end of a Pipe that is not duplex',
    )
  }

  static {
    addressOf = (connection) => connection.#is().end.address
  }
}

defineHandle<Connection>(Connection.prototype, {
  room: 'queue',
  name: 'Connection',
  what: 'a Connection',
  cell: kinds.end,
  separate: true,
  addressOf,
  make: (address) => new Connection(new Opened(address)),
})

/**
 * Two connected ends: what one sends the other receives. With `duplex: false` the first only receives and the
 * second only sends. Python: `multiprocessing.Pipe()`.
 *
 * ```ts
 * const [parent, child] = Pipe<string>()
 * const worker = new Process({ target: async (end: typeof child) => {
 *   await end.send(`hello ${await end.recv()}`)
 * }, args: [child] }).start()
 * child.close() // the worker has its own
 * await parent.send('world')
 * console.log(await parent.recv()) // => 'hello world'
 * await worker.join()
 * await parent.recv() // throws EOFError
 * ```
 */
export function Pipe<A = unknown, B = A>(
  options: { duplex?: boolean | undefined } = {},
): [Connection<A, B>, Connection<B, A>] {
  checkOptions(options)
  const { duplex = true } = options
  checkBoolean(duplex, 'duplex')
  const [one, other] = makePipe(duplex ? [READS | WRITES, READS | WRITES] : [READS, WRITES])
  return [opened<A, B>(one), opened<B, A>(other)]
}

function opened<S, R>(address: number): Connection<S, R> {
  const connection = new Connection<S, R>(new Opened(address))
  adopt(connection, address)
  return connection
}

function wordsOf(end: End): ConstructorParameters<typeof Sender>[2] {
  return {
    refuseGet(state) {
      if ((state & at.WRITER_GONE) !== 0)
        throw new EOFError('the other end of the pipe is closed, and nothing is left to receive')
    },
    refusePut() {
      throw new EOFError('the other end of the pipe is closed: nobody would receive it')
    },
    lateGet: () => new TimeoutError('nothing was received in time'),
    latePut: () => new TimeoutError('the pipe is full, and nothing was received from it in time'),
    what: 'the message',
    verb: 'recv',
    check: end.checkPeer,
  }
}

function closedError(): ClosedError {
  return new ClosedError('this Connection was closed here')
}
