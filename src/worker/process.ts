/**
 * Process: any function in a process of its own, with Python's names and life. The public face; what it does
 * is in job.ts. An instance belongs to the process that made it.
 */
import type { Readable } from 'node:stream'
import { inspect } from 'node:util'
import { identity } from '../core/context.ts'
import { ClosedError } from '../core/errors.ts'
import { checkOptions, checkString } from '../core/options.ts'
import { waitable } from '../core/waitable.ts'
import { checkWaitOptions, type WaitOptions } from '../core/waiting.ts'
import { checkChildOptions, type ChildOptions } from './child-options.ts'
import { addChild, children } from './children.ts'
import type { Exit } from './handle.ts'
import { checkJobOptions, findJob, isSelf, Job, jobOf, setJob, workOf } from './job.ts'
import { nameOf, nextPath } from './names.ts'
import { ProcessHandle } from './process-handle.ts'

type Awaitable<T> = T | PromiseLike<T>

export interface ProcessOptions<A extends readonly unknown[] | [], R> extends ChildOptions {
  /**
   * Any function: inline, closure, method, class member. Captured variables travel by value, imports by
   * reference.
   */
  target?: ((...args: A) => R) | undefined
  args?: A | undefined
  /** Default "Process-1", a grandchild "Process-1:1". */
  name?: string | undefined
  /** Killed when its parent ends, and does not keep the parent alive. Default: the parent's own flag. */
  daemon?: boolean | undefined
}

/** What a Process has beside its job. */
const extras = new WeakMap<object, ChildOptions & { readonly path: readonly number[] }>()

/**
 * One function in a process of its own.
 *
 * ```ts
 * const p = new Process({ target: (n: number) => n ** 2, args: [12] }).start()
 * console.log(await p.result)
 * ```
 */
export class Process<A extends readonly unknown[] | [] = [], R = unknown> {
  constructor(options: ProcessOptions<A, R> = {}) {
    checkOptions(options)
    const { target, args, name, daemon, ...rest } = options
    const work = { target, args, name, daemon }
    checkJobOptions(work)
    checkChildOptions(rest)
    const path = nextPath()
    const called = name ?? nameOf(new.target.name || noun, path)
    setJob(this, new Job(noun, called, daemon ?? identity.daemon, work))
    extras.set(this, { ...rest, path })
  }

  /** What the child runs; override it in a subclass. Instance fields travel with it. */
  run(): Awaitable<R> {
    const { target, args } = workOf(this, noun)
    return target?.(...args) as Awaitable<R>
  }

  /**
   * Serializes now (throws SerializationError here), spawns, returns this. A second start throws. A start
   * that failed may be tried again: `result` rejects with its error, and is another promise from the next
   * start on.
   */
  start(): this {
    const job = open(this)
    const extra = extras.get(this)!
    const life = job.start(
      this,
      baseRun,
      (given, receive) => new ProcessHandle({ ...extra, ...given }, receive),
    )
    addChild(this, life, job.daemon)
    return this
  }

  /** Resolves to the exit code, or null where the timeout came first. */
  async join(options?: WaitOptions): Promise<number | null> {
    checkWaitOptions(options)
    return (await open(this).join(options))?.exitcode ?? null
  }

  /**
   * What target returned; rejects with its error, or with WorkerLostError, also where target waits for a
   * promise and nothing is left in the child that could settle it. Without a start it rejects at close(), or
   * with what start() threw. Never an unhandled rejection by itself.
   */
  get result(): Promise<Awaited<R>> {
    return jobOf(this, noun).result() as Promise<Awaited<R>>
  }

  /** SIGTERM. What has ended is left alone. */
  terminate(): void {
    open(this).started().handle.kill('SIGTERM')
  }

  /** SIGKILL. What has ended is left alone. */
  kill(): void {
    open(this).started().handle.kill('SIGKILL')
  }

  /**
   * Lets go of the process object: everything but name, result and what was printed throws ClosedError
   * afterwards.
   */
  close(): void {
    jobOf(this, noun).close()
  }

  /** Inside run() true. */
  isAlive(): boolean {
    return isSelf(this) || open(this).running
  }

  get name(): string {
    return isSelf(this) ? identity.name : jobOf(this, noun).name
  }

  set name(value: string) {
    checkString(value ?? null, 'name')
    const named = isSelf(this) ? identity : jobOf(this, noun)
    named.name = value
  }

  get daemon(): boolean {
    return isSelf(this) ? identity.daemon : open(this).daemon
  }

  /** Only before start(). */
  set daemon(value: boolean) {
    open(this).setDaemon(value)
  }

  get pid(): number | null {
    return isSelf(this) ? process.pid : (open(this).life?.handle.pid ?? null)
  }

  /**
   * null while running; 0 (or process.exitCode) when target returns; 1 on an uncaught error; n for
   * process.exit(n); -N when signal N ended it.
   */
  get exitcode(): number | null {
    return isSelf(this) ? null : (open(this).life?.handle.exit?.exitcode ?? null)
  }

  /** What the child prints, where `stdio` is 'pipe' and it was started; null inside run(). */
  get stdout(): Readable | null {
    return isSelf(this) ? null : (jobOf(this, noun).life?.handle.stdout ?? null)
  }

  get stderr(): Readable | null {
    return isSelf(this) ? null : (jobOf(this, noun).life?.handle.stderr ?? null)
  }

  /** Joins; a daemon is terminated first. */
  async [Symbol.asyncDispose](): Promise<void> {
    await jobOf(this, noun).dispose()
  }

  /** For `wait()`: ready when it has ended. */
  [waitable](ready: () => void): (() => void) | undefined {
    return open(this).whenEnded(ready)
  }

  [inspect.custom](): string {
    const kind = this.constructor.name
    if (isSelf(this)) return describe(kind, { ...identity, pid: process.pid, status: 'started', exit: null })
    const job = findJob(this)
    if (job === undefined) return `${kind} {}`
    const { name, daemon, status } = job
    const { pid, exit } = job.life?.handle ?? { pid: null, exit: null }
    return describe(kind, { name, daemon, status, pid, exit })
  }
}

const noun = 'Process'

/** As Python shows it. */
function describe(
  kind: string,
  is: { name: string; daemon: boolean; pid: number | null; status: string; exit: Exit | null },
): string {
  const pid = is.pid === null ? '' : ` pid=${is.pid}`
  const exit = is.exit === null ? '' : ` exitcode=${is.exit.signal ? `-${is.exit.signal}` : is.exit.exitcode}`
  return `<${kind} name='${is.name}'${pid} ${is.status}${exit}${is.daemon ? ' daemon' : ''}>`
}

/** Those that this process started and that have not ended, in order of their start. */
// oxlint-disable-next-line typescript/no-explicit-any -- of whatever arguments and result
export function activeChildren(): Process<any, any>[] {
  return [...children.keys()].filter((child) => jobOf(child, noun).running) as Process[]
}

/** What a subclass overrides. Out here: a class that names itself is renamed by bundlers. */
const baseRun: unknown = Process.prototype.run

/** The job of a Process that is not closed. */
function open(of: object): Job {
  const job = jobOf(of, noun)
  if (job.closed) throw new ClosedError(`${job.name} is closed`)
  return job
}
