/**
 * What every face of a dispatch does (Pool, the executors): it checks what it is given, captures the function
 * once per call, encodes the arguments, and makes the tasks. The faces themselves are names and meanings on
 * top of it; what becomes of the tasks is the dispatch's business.
 */
import { onAbort, reasonOf } from '../core/abort.ts'
import { rejection } from '../core/callers.ts'
import { outside } from '../core/context.ts'
import { BrokenPoolError, PoolClosedError } from '../core/errors.ts'
import { lastNumber } from '../core/limits.ts'
import { checkArray, checkFunction } from '../core/options.ts'
import { abortedOf, noStops, onStop, stopsOf, type Stops } from '../core/stops.ts'
import { capture, prewarm } from '../closure/capture.ts'
import { ownedVariables } from '../closure/initializer.ts'
import type { Body } from './bodies.ts'
import { defaultChunksize } from './chunk.ts'
import { Dispatch } from './dispatch.ts'
import { Gather, type Settle } from './gather.ts'
import { Imap, type Cancel, type ChunkDone, type ImapHost } from './imap.ts'
import { Results, type ImapIterator } from './imap-iterator.ts'
import type { Image } from './images.ts'
import { collect, Source, type Inputs } from './inputs.ts'
import { Intake } from './intake.ts'
import { checkTaskOptions, type CheckedPoolOptions, type ImapOptions, type MapOptions } from './options.ts'
import { follow } from './progress.ts'
import { ANNOUNCE, CHUNK, EACH, REVOCABLE, STAR } from './protocol.ts'
import { CallTask, type Arguments, type Task, type TaskOptions } from './task.ts'

export type AnyFunction = (...args: never[]) => unknown

/** A method that makes one task. */
export interface CallKind {
  readonly method: string
  /** REVOCABLE where the caller may revoke the task. */
  readonly flag: number
}

/** How a face reads its items. */
export interface ItemRules {
  /** Each item is an array of arguments. */
  readonly star?: boolean
}

/** How an imap goes about its items. */
export interface StreamRules extends ItemRules {
  readonly ordered: boolean
  /** An executor's: it begins at once, ends at the first error, and lets what runs go on. */
  readonly eager?: boolean
  /** Of an eager one: the input has an end and is all there, so that close() takes the rest of it. */
  readonly whole?: boolean
}

/** Who the workers of a face are. */
export interface Team {
  /** What errors call the face: "pool", "executor". */
  readonly noun: string
  readonly name: string
  readonly body: Body
  /** What its workers are called, where its options have no name for them. Default: as the body says. */
  readonly prefix?: string
  /** The next worker's name and place. Default: as the body says. */
  readonly next?: () => { name: string; path: readonly number[] }
  /** Default false: all start at once. */
  readonly onDemand?: boolean
}

export class Face {
  readonly dispatch: Dispatch
  readonly #intake: Intake
  readonly #retries: number
  readonly #concurrency: number
  /** What close() means to the eager iterations that have not ended. */
  readonly #eager = new Set<(drop: Error | undefined) => void>()

  /**
   * Starts the workers. `owner` is the face: its methods are those that errors name.
   * @throws {SerializationError} where the initializer or its arguments cannot travel.
   */
  constructor(owner: object, { noun, name, body, ...team }: Team, options: CheckedPoolOptions) {
    const { initializer, initargs } = options
    const prefix = options.name ?? team.prefix ?? body.worker
    const what = `the initializer of the ${noun}`
    const owned = (initializer && ownedVariables(initializer, { what })) ?? undefined
    this.#intake = new Intake(owner, noun, owned, body.inside)
    this.#retries = options.retries
    this.#concurrency = options.concurrency
    const staff = {
      size: options.processes,
      prefix,
      concurrency: options.concurrency,
      maxTasks: options.maxTasksPerChild,
      lastNumber,
      startTimeout: options.startTimeout,
      initializer: initializer
        ? capture([initializer, initargs], { what, owned, inside: body.inside })
        : null,
      env: options.env,
      execArgv: options.execArgv,
      body,
      next: team.next ?? (() => body.next(prefix)),
      onDemand: team.onDemand ?? false,
    }
    this.dispatch = outside(() => new Dispatch(name, staff))
    // The first capture loads a parser: now, while the workers boot.
    prewarm()
  }

  /**
   * One task for `fn(...args)`. Undefined where it was aborted before it began. Without `reject`, `resolve`
   * is a promise's own, and rejects it as well: its errors tell who waits.
   */
  call(
    kind: CallKind,
    fn: AnyFunction,
    args: readonly unknown[],
    options: TaskOptions | undefined,
    resolve: (value: never) => void,
    reject?: (error: unknown) => void,
  ): Task | undefined {
    this.#checkOpen()
    if (!Array.isArray(args)) checkArray(args, 'args')
    if (options !== undefined) checkTaskOptions(options)
    const image = this.#image(kind.method, fn)
    const encoded = this.#intake.encode(kind.method, args, image.payload)
    const stops = stopsFor(options, reject === undefined)
    const aborted = abortedOf(stops)
    if (aborted !== undefined) {
      failing(resolve, reject)(reasonOf(aborted))
      return undefined
    }
    const flags = kind.flag | (options?.timeout === undefined ? 0 : ANNOUNCE)
    let task: Task
    if (stops.length === 0) {
      task = new CallTask(image, encoded, flags, options, this.#retries, resolve, reject)
    } else {
      const stopListening = onStop(stops, (reason) => this.dispatch.cancel(task, reason))
      const settle =
        <V>(done: (value: V) => void) =>
        (value: V) => {
          stopListening()
          done(value)
        }
      const fail = settle(failing(resolve, reject))
      task = new CallTask(image, encoded, flags, options, this.#retries, settle(resolve), fail)
    }
    this.dispatch.submit(task)
    return task
  }

  /** All items, gathered, as tasks; resolves to all values, in order. */
  map<T>(
    method: string,
    fn: AnyFunction,
    items: Inputs<T>,
    options: MapOptions | undefined,
    rules: ItemRules,
    settle: Settle,
  ): void {
    this.#checkOpen()
    checkTaskOptions(options)
    const image = this.#image(method, fn)
    const stops = stopsFor(options, settle.awaited === true)
    const aborted = abortedOf(stops)
    if (aborted !== undefined) return settle.reject(reasonOf(aborted))

    const what = `${this.#intake.nameOf(method)}(${image.name})`
    const gather = new Gather(this.dispatch, image, what, stops, settle)
    const spread = (all: readonly T[]): void => {
      if (gather.over) return
      gather.begin(all.length, follow(options, all.length))
      this.#spread(method, gather, image, all, options ?? {}, rules)
    }
    try {
      const all = collect(items, gather.halted)
      if (all instanceof Promise) all.then(spread).catch((error: unknown) => gather.fail(error))
      else spread(all)
    } catch (error) {
      // At the call: what is thrown is told to no one else.
      if (gather.drop(error)) throw error
    }
  }

  /** Items taken and results handed out on demand. */
  imap<T, R>(
    method: string,
    fn: AnyFunction,
    items: Inputs<T>,
    options: ImapOptions | undefined,
    rules: StreamRules,
  ): ImapIterator<R> {
    this.#checkOpen()
    checkTaskOptions(options)
    const { dispatch } = this
    const source = new Source(items)
    const image = this.#image(method, fn)
    const signal = options?.signal
    const chunksize = options?.chunksize ?? 1
    const slots = dispatch.size * this.#concurrency
    const closing = (drop: Error | undefined): void => {
      const goesOn = rules.whole === true && drop === undefined
      imap.drain(goesOn)
      if (goesOn) return
      imap.refuse(drop ?? this.#closedError(), drop !== undefined)
      expected()
    }
    if (rules.eager === true) this.#eager.add(closing)
    const follower = follow(options, source.size)
    const host: ImapHost<T> = {
      source,
      submit: (part, offset, done) => {
        follower.start()
        return this.#part(method, image, part, offset, options, rules, done)
      },
      stayAlive: () => dispatch.stayAlive(),
      done: () => {
        this.#eager.delete(closing)
        follower.end()
        expected()
        dispatch.images.release(image)
        // What nobody can ask for any more must not hang on the signal.
        const iterator = handle.deref()
        if (iterator === undefined) void imap.leave()
        else iterator.watch()
      },
      over: () => stopListening?.(),
    }
    dispatch.images.retain(image)
    const what = `${this.#intake.nameOf(method)}(${image.name})`
    const expected = dispatch.expect(what, {
      halt: (error) => imap.fail(error),
      drain: (on) => imap.drain(on),
    })
    const stopListening = signal && onAbort(signal, (reason) => imap.fail(reason))
    const imap: Imap<T, R> = new Imap(host, {
      ordered: rules.ordered,
      chunksize,
      buffersize: options?.buffersize ?? 2 * slots * chunksize,
      slots,
      eager: rules.eager ?? false,
      total: source.size,
      onProgress: follower.onProgress,
    })
    const results = new Results(imap, rules.eager === true)
    const handle = new WeakRef(results)
    if (signal?.aborted === true) imap.fail(reasonOf(signal))
    else if (rules.eager === true) imap.begin()
    return results
  }

  /**
   * No more work; what was submitted is finished. An executor's iteration goes on unasked with an input that
   * is all there; else the item that it takes next is a PoolClosedError. With `drop` what has not begun never
   * does, and rejects with it.
   */
  close(drop?: Error): void {
    for (const closing of this.#eager) closing(drop)
    this.dispatch.close()
    if (drop !== undefined) this.dispatch.revokeAll(drop)
  }

  /** The task for some items of an imap. @throws {SerializationError} */
  #part(
    method: string,
    image: Image,
    part: readonly unknown[],
    offset: number,
    options: ImapOptions | undefined,
    rules: StreamRules,
    done: ChunkDone,
  ): Cancel {
    let args: Arguments
    try {
      args = this.#intake.encode(method, part, image.payload)
    } catch (error) {
      throw part.length > 1 ? error : (this.#intake.refusal(method, part[0], offset) ?? error)
    }
    const eager = rules.eager === true
    const flags = CHUNK | EACH | flagsOf(rules, options) | (eager ? REVOCABLE : 0)
    const task = new CallTask(
      image,
      args,
      flags,
      options,
      this.#retries,
      (values: never) => done(true, values),
      (error) => done(false, error),
    )
    this.dispatch.submit(task)
    return (reason) => {
      if (eager && options?.signal?.aborted !== true) this.dispatch.revoke(task, reason)
      else this.dispatch.cancel(task, reason)
    }
  }

  /**
   * Cuts the items into chunks and submits them all: the workers begin with the first while the last is
   * encoded.
   */
  #spread(
    method: string,
    gather: Gather,
    image: Image,
    items: readonly unknown[],
    options: MapOptions,
    rules: ItemRules,
  ): void {
    const single = options.timeout !== undefined || this.#retries > 0
    const slots = this.dispatch.size * this.#concurrency
    const shown = (options.progress ?? false) !== false
    const size = options.chunksize ?? defaultChunksize(items.length, slots, single, shown)
    const flags = CHUNK | flagsOf(rules, options)
    for (let offset = 0; offset < items.length && !gather.over; offset += size) {
      const part = items.slice(offset, offset + size)
      if (rules.star === true)
        for (let i = 0; i < part.length; i++)
          checkArray(part[i], `item ${offset + i} of ${this.#intake.nameOf(method)}`)
      const args = this.#intake.encodeChunk(method, part, offset, image.payload)
      this.dispatch.submit(gather.chunk(image, args, flags, options, this.#retries, offset))
    }
  }

  #image(method: string, fn: AnyFunction): Image {
    checkFunction(fn, 'fn')
    return this.dispatch.images.of(this.#intake.capture(method, fn), fn)
  }

  #checkOpen(): void {
    const { state, cause } = this.dispatch
    if (state === 'running') return
    if (state === 'broken') throw new BrokenPoolError(cause!.message, { cause: cause!.cause })
    throw this.#closedError()
  }

  #closedError(): PoolClosedError {
    const { state, name } = this.dispatch
    const { noun } = this.#intake
    return new PoolClosedError(
      noun === 'executor'
        ? `executor ${name}: cannot schedule new futures after shutdown`
        : `${noun} ${name} was ${state}: it takes no more work`,
    )
  }
}

/** What is awaited by whoever submits it is a wait, and ends with all waits there. */
function stopsFor(options: TaskOptions | undefined, awaited: boolean): Stops {
  if (awaited) return stopsOf(options?.signal)
  return options?.signal === undefined ? noStops : [options.signal]
}

function failing(
  resolve: (value: never) => void,
  reject?: (error: unknown) => void,
): (error: unknown) => void {
  return reject ?? ((error) => (resolve as (value: unknown) => void)(rejection(error)))
}

function flagsOf(rules: ItemRules, options: TaskOptions | undefined): number {
  return (rules.star === true ? STAR : 0) | (options?.timeout === undefined ? 0 : ANNOUNCE)
}
