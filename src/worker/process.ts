/**
 * Process: any function in a process of its own, with Python's names and life. The public face; what happens
 * to a started one is in life.ts (parent) and run.ts (child). An instance belongs to the process that made
 * it.
 */
import type { Readable } from 'node:stream'
import { inspect } from 'node:util'
import { capture } from '../closure/capture.ts'
import { homeId } from '../closure/tracker.ts'
import { identity } from '../core/context.ts'
import { ClosedError, InvalidStateError } from '../core/errors.ts'
import { checkArray, checkBoolean, checkFunction, checkOptions, checkString } from '../core/options.ts'
import { waitable } from '../core/waitable.ts'
import { checkWaitOptions, waitFor, type WaitOptions } from '../core/waiting.ts'
import { checkChildOptions, type ChildOptions } from './child-options.ts'
import { addChild, children } from './children.ts'
import type { Exit } from './handle.ts'
import { defer, type Deferred, Life } from './life.ts'
import { nameOf, nextPath } from './names.ts'
import { self, type Work } from './self.ts'

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

/**
 * What a Process is made of; outside of the instance, whose own fields are the subclass's alone and travel.
 */
interface State {
  target: Work['target']
  args: readonly unknown[]
  readonly options: ChildOptions
  readonly path: readonly number[]
  /** Another one after a start() that failed. */
  result: Deferred<unknown>
  name: string
  daemon: boolean
  /** Somebody looked at the result. */
  awaited: boolean
  life: Life | null
  /** The last start() threw. */
  failed: boolean
  closed: boolean
}

const states = new WeakMap<object, State>()

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
    if (target !== undefined) checkFunction(target, 'target')
    if (args !== undefined) checkArray(args, 'args')
    checkString(name, 'name')
    if (daemon !== undefined) checkBoolean(daemon, 'daemon')
    checkChildOptions(rest)
    const path = nextPath()
    const kind = new.target.name || 'Process'
    states.set(this, {
      target: target as Work['target'],
      args: args === undefined ? [] : [...args],
      options: rest,
      path,
      result: defer(),
      name: name ?? nameOf(kind, path),
      daemon: daemon ?? identity.daemon,
      awaited: false,
      life: null,
      failed: false,
      closed: false,
    })
  }

  /** What the child runs; override it in a subclass. Instance fields travel with it. */
  run(): Awaitable<R> {
    const { target, args } = workOf(this)
    return target?.(...args) as Awaitable<R>
  }

  /**
   * Serializes now (throws SerializationError here), spawns, returns this. A second start throws. A start
   * that failed may be tried again: `result` rejects with its error, and is another promise from the next
   * start on.
   */
  start(): this {
    const state = open(this)
    if (state.life !== null)
      throw new InvalidStateError(`${state.name} was started already: make a new Process`)
    if (state.failed) Object.assign(state, { failed: false, result: defer(), awaited: false })
    try {
      launch(this, state)
    } catch (error) {
      state.failed = true
      state.result.reject(error)
      throw error
    }
    return this
  }

  /** Resolves to the exit code, or null where the timeout came first. */
  async join(options?: WaitOptions): Promise<number | null> {
    checkWaitOptions(options)
    const { life, daemon } = started(this)
    const ended = life.ended.then((exit) => exit.exitcode)
    return await life.wait(
      daemon,
      waitFor(ended, options, () => null, life.over),
    )
  }

  /**
   * What target returned; rejects with its error, or with WorkerLostError, also where target waits for a
   * promise and nothing is left in the child that could settle it. Without a start it rejects at close(), or
   * with what start() threw. Never an unhandled rejection by itself.
   */
  get result(): Promise<Awaited<R>> {
    const state = stateOf(this)
    const promise = state.result.promise as Promise<Awaited<R>>
    if (!state.awaited) state.life?.wait(state.daemon, promise).catch(() => {})
    state.awaited = true
    return promise
  }

  /** SIGTERM. What has ended is left alone. */
  terminate(): void {
    started(this).life.handle.kill('SIGTERM')
  }

  /** SIGKILL. What has ended is left alone. */
  kill(): void {
    started(this).life.handle.kill('SIGKILL')
  }

  /**
   * Lets go of the process object: everything but name, result and what was printed throws ClosedError
   * afterwards.
   */
  close(): void {
    const state = stateOf(this)
    if (running(state))
      throw new InvalidStateError(`${state.name} is still running: join() or terminate() it before close()`)
    state.closed = true
    if (state.life === null) state.result.reject(new ClosedError(`${state.name} was closed before its start`))
  }

  /** Inside run() true. */
  isAlive(): boolean {
    return isSelf(this) || running(open(this))
  }

  get name(): string {
    return isSelf(this) ? identity.name : stateOf(this).name
  }

  set name(value: string) {
    checkString(value ?? null, 'name')
    const named = isSelf(this) ? identity : stateOf(this)
    named.name = value
  }

  get daemon(): boolean {
    return isSelf(this) ? identity.daemon : open(this).daemon
  }

  /** Only before start(). */
  set daemon(value: boolean) {
    checkBoolean(value, 'daemon')
    const state = open(this)
    if (state.life !== null)
      throw new InvalidStateError(`daemon of ${state.name} can be set before start() only`)
    state.daemon = value
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
    return isSelf(this) ? null : (stateOf(this).life?.handle.stdout ?? null)
  }

  get stderr(): Readable | null {
    return isSelf(this) ? null : (stateOf(this).life?.handle.stderr ?? null)
  }

  /** Joins; a daemon is terminated first. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { life, daemon } = stateOf(this)
    if (life === null) return
    if (daemon) life.handle.kill('SIGTERM')
    await life.wait(daemon, life.ended)
  }

  /** For `wait()`: ready when it has ended. */
  [waitable](ready: () => void): (() => void) | undefined {
    const { life, daemon } = started(this)
    if (life.over) return undefined
    let told = false
    let over = (): void => {}
    const stopped = new Promise<void>((resolve) => (over = resolve))
    // Kept alive until it has ended, or nobody waits any more.
    void life.wait(daemon, Promise.race([life.ended.then(() => told || ready()), stopped]))
    return () => {
      told = true
      over()
    }
  }

  [inspect.custom](): string {
    const kind = this.constructor.name
    if (isSelf(this)) return describe(kind, { ...identity, pid: process.pid, status: 'started', exit: null })
    const state = states.get(this)
    if (state === undefined) return `${kind} {}`
    const { life, closed } = state
    const status = closed ? 'closed' : life === null ? 'initial' : running(state) ? 'started' : 'stopped'
    const { pid, exit } = life?.handle ?? { pid: null, exit: null }
    return describe(kind, { ...state, pid, status, exit })
  }
}

/** As Python shows it. */
function describe(
  kind: string,
  is: { name: string; daemon: boolean; pid: number | null; status: string; exit: Exit | null },
): string {
  const pid = is.pid === null ? '' : ` pid=${is.pid}`
  const exit = is.exit === null ? '' : ` exitcode=${is.exit.signal ? `-${is.exit.signal}` : is.exit.exitcode}`
  return `<${kind} name='${is.name}'${pid} ${is.status}${exit}${is.daemon ? ' daemon' : ''}>`
}

/** What start() does; where it throws, nothing runs. */
function launch(process: { run(): unknown }, state: State): void {
  const { name, daemon, path, target, args } = state
  const own = process.run !== baseRun
  const { stdio, cwd, env, execArgv } = state.options
  const work: Work = { target, args, home: homeId, this: own ? process : undefined }
  const payload = capture(work, { what: own ? name : `the target of ${name}` })
  const life = new Life({ name, daemon, path, stdio, cwd, env, execArgv }, payload, state.result)
  Object.assign(state, { life, target: undefined, args: [] }) // what has left need not be kept
  if (state.awaited) life.wait(daemon, state.result.promise).catch(() => {})
  addChild(process, life, daemon)
}

/** Those that this process started and that have not ended, in order of their start. */
// oxlint-disable-next-line typescript/no-explicit-any -- of whatever arguments and result
export function activeChildren(): Process<any, any>[] {
  return [...children.keys()].filter((child) => running(stateOf(child))) as Process[]
}

function running(state: State): boolean {
  return state.life !== null && state.life.handle.exit === null
}

/** What a subclass overrides. Out here: a class that names itself is renamed by bundlers. */
const baseRun: unknown = Process.prototype.run

/** The state of a Process that was made here. */
function stateOf(process: object): State {
  const state = states.get(process)
  if (state === undefined)
    throw new InvalidStateError(
      'this Process was made in another process: its parent alone starts, joins and ends it',
    )
  return state
}

function open(process: object): State {
  const state = stateOf(process)
  if (state.closed) throw new ClosedError(`${state.name} is closed`)
  return state
}

function started(process: object): State & { life: Life } {
  const state = open(process)
  if (state.life === null)
    throw new InvalidStateError(`${state.name} was not started yet: call start() first`)
  return state as State & { life: Life }
}

/** In the child: whether this is the object whose run() this process is. */
function isSelf(process: object): boolean {
  return self.work?.this === process
}

/** Target and arguments, in the parent and in the child. */
function workOf(process: object): Pick<Work, 'target' | 'args'> {
  return self.work !== null && isSelf(process) ? self.work : stateOf(process)
}
