/**
 * Thread: any function in a thread of its own, with Python's names and life. The public face; what it does is
 * in job.ts. An instance belongs to the thread that made it.
 */
import type { MessagePort, ResourceLimits } from 'node:worker_threads'
import { inspect } from 'node:util'
import { capture } from '../closure/capture.ts'
import { CancelledError, InvalidStateError } from '../core/errors.ts'
import { checkOptions, checkString } from '../core/options.ts'
import { waitable } from '../core/waitable.ts'
import { checkWaitOptions, type WaitOptions } from '../core/waiting.ts'
import { checkJobOptions, findJob, isSelf, Job, jobOf, setJob, workOf } from './job.ts'
import type { StopMessage } from './protocol.ts'
import { ThreadHandle } from './thread-handle.ts'
import { cutName, nextNumber, ownSlot } from './threads.ts'

type Awaitable<T> = T | PromiseLike<T>

export interface ThreadOptions<A extends readonly unknown[] | [], R> {
  /**
   * Any function: inline, closure, method, class member. Captured variables travel by value, imports by
   * reference.
   */
  target?: ((...args: A) => R) | undefined
  args?: A | undefined
  /** Default "Thread-1", with a named target "Thread-1 (write)". Cut after 112 bytes of UTF-8. */
  name?: string | undefined
  /** Ended when the program ends, and does not keep it alive. Default: that of the thread that makes it. */
  daemon?: boolean | undefined
  /** How much memory it may have; one that wants more ends, alone. */
  resourceLimits?: ResourceLimits | undefined
}

/** What a Thread has beside its job. */
interface Extra {
  readonly resourceLimits: ResourceLimits | undefined
  handle: ThreadHandle | null
  /** Over it the thread hears why it is to stop. */
  stops: MessagePort | null
}

const extras = new WeakMap<object, Extra>()

/**
 * One function in a thread of its own.
 *
 * Death: an error ends the thread alone; it is printed on stderr, and `result` rejects with it. Keeps alive:
 * the program goes on until its threads have ended, daemons excepted. Its variables are its own, as those of
 * a process are: what threads share are the handles of plait, and SharedArrayBuffers.
 *
 * @example
 * ```ts
 * import { Thread } from 'plait/threading'
 *
 * const base = 40
 * const thread = new Thread({ target: (n: number) => base + n, args: [2] }).start()
 * await thread.result // => 42
 * await thread.join() // => true
 * ```
 * @see Python `threading.Thread`
 */
export class Thread<A extends readonly unknown[] | [] = [], R = unknown> {
  constructor(options: ThreadOptions<A, R> = {}) {
    checkOptions(options)
    const { target, args, name, daemon, resourceLimits } = options
    const work = { target, args, name, daemon }
    checkJobOptions(work)
    checkOptions(resourceLimits, 'resourceLimits')
    setJob(this, new Job(noun, cutName(name ?? defaultName(target)), daemon ?? ownSlot().daemon, work))
    extras.set(this, { resourceLimits, handle: null, stops: null })
  }

  /** What the thread runs; override it in a subclass. Instance fields travel with it. */
  run(): Awaitable<R> {
    const { target, args } = workOf(this, noun)
    return target?.(...args) as Awaitable<R>
  }

  /**
   * Serializes now (throws SerializationError here), starts, returns this. A second start throws. One that
   * failed may be tried again.
   */
  start(): this {
    const job = jobOf(this, noun)
    const extra = extras.get(this)!
    const { MessageChannel } = process.getBuiltinModule('node:worker_threads')
    const { port1, port2 } = new MessageChannel()
    port1.unref()
    try {
      const life = job.start(this, baseRun, (given, receive) => {
        const options = { ...given, resourceLimits: extra.resourceLimits, stops: port2 }
        return (extra.handle = new ThreadHandle(options, receive))
      })
      extra.stops = port1
      void life.ended.then(() => port1.close())
    } catch (error) {
      port1.close()
      throw error
    }
    return this
  }

  /**
   * Waits for its end. True where it ended, false where the timeout came first.
   * @throws {InvalidStateError} before start(), and inside the thread itself.
   */
  async join(options?: WaitOptions): Promise<boolean> {
    if (isSelf(this)) throw new InvalidStateError(`${this.name} cannot join itself`)
    checkWaitOptions(options)
    return (await jobOf(this, noun).join(options)) !== null
  }

  /**
   * What target returned; rejects with its error, with WorkerLostError where it was terminated, or with what
   * start() threw. Never an unhandled rejection by itself.
   */
  get result(): Promise<Awaited<R>> {
    return jobOf(this, noun).result() as Promise<Awaited<R>>
  }

  /** Inside run() true. */
  isAlive(): boolean {
    return isSelf(this) || jobOf(this, noun).running
  }

  /**
   * Asks it to end: `currentThread().signal` aborts inside, and every wait of plait's in that thread throws
   * the reason, a CancelledError where none is given. What else it does it may go on with. Twice is once.
   *
   * @example
   * ```ts
   * import { setTimeout as sleep } from 'node:timers/promises'
   * import { currentThread, Thread } from 'plait/threading'
   *
   * const thread = new Thread({
   *   target: () => sleep(60_000, 'slept', { signal: currentThread().signal }).catch(() => 'stopped'),
   * }).start()
   * thread.stop()
   * await thread.result // => 'stopped'
   * ```
   * @throws {InvalidStateError} before start(). @throws {SerializationError} where the reason cannot travel.
   */
  stop(reason: unknown = new CancelledError(`${this.name} was asked to stop`)): void {
    const job = jobOf(this, noun)
    job.started()
    const { handle, stops } = extras.get(this)!
    if (!job.running || handle!.slot.stopped) return
    const { templates, bytes, lent } = capture(reason, {
      what: `the reason to stop ${job.name}`,
      inside: true,
    })
    lent.sendAhead(handle!.channel.beside)
    const message: StopMessage = { templates: templates.map((template) => template.bytes), bytes }
    // Whoever sees the flag must find the message.
    stops!.postMessage(message)
    handle!.slot.stop()
    void job.started().ended.then(() => lent.drop())
  }

  /**
   * Ends it at once, whatever it is doing in JavaScript; a call into native code is waited for. What has
   * ended is left alone.
   */
  terminate(): void {
    jobOf(this, noun).started().handle.kill()
  }

  get name(): string {
    return isSelf(this) ? ownSlot().name : jobOf(this, noun).name
  }

  set name(value: string) {
    checkString(value ?? null, 'name')
    if (isSelf(this)) ownSlot().name = value
    else {
      const job = jobOf(this, noun)
      job.name = cutName(value)
      if (job.running) extras.get(this)!.handle!.slot.name = value
    }
  }

  get daemon(): boolean {
    return isSelf(this) ? ownSlot().daemon : jobOf(this, noun).daemon
  }

  /** Only before start(). */
  set daemon(value: boolean) {
    if (isSelf(this)) throw new InvalidStateError(`daemon of ${this.name} can be set before start() only`)
    jobOf(this, noun).setDaemon(value)
  }

  /** null before start(), and kept after its end. Never 0. */
  get ident(): number | null {
    if (isSelf(this)) return ownSlot().ident
    jobOf(this, noun)
    return extras.get(this)!.handle?.ident ?? null
  }

  /** Joins; a daemon is terminated first. */
  async [Symbol.asyncDispose](): Promise<void> {
    await jobOf(this, noun).dispose()
  }

  /** For `wait()`: ready when it has ended. */
  [waitable](ready: () => void): (() => void) | undefined {
    return jobOf(this, noun).whenEnded(ready)
  }

  [inspect.custom](): string {
    const kind = this.constructor.name
    if (!isSelf(this) && findJob(this) === undefined) return `${kind} {}`
    const { name, daemon, ident } = this
    const status = isSelf(this) ? 'started' : jobOf(this, noun).status
    return `<${kind}(${name}, ${status}${daemon ? ' daemon' : ''}${ident === null ? '' : ` ${ident}`})>`
  }
}

const noun = 'Thread'

/** What a subclass overrides. Out here: a class that names itself is renamed by bundlers. */
const baseRun: unknown = Thread.prototype.run

/** A function written where it is given is called like the option that it is given for. */
function defaultName(target: unknown): string {
  const name = typeof target === 'function' && typeof target.name === 'string' ? target.name : ''
  const shown = name === 'target' ? '' : name.replace(/^bound /, '')
  return `Thread-${nextNumber('thread')}${shown === '' ? '' : ` (${shown})`}`
}
