/**
 * The handle of a thread: starts it, owns its control channel, and tells its end exactly once.
 */
import type { MessagePort, ResourceLimits, Worker, WorkerOptions as NodeOptions } from 'node:worker_threads'
import { ownFile } from '../core/bundle.ts'
import { heritage, identity } from '../core/context.ts'
import { undisturbed } from '../core/undisturbed.ts'
import { regionForThread, type RegionOrigin } from '../memory/region.ts'
import { buryThread } from '../memory/sweep.ts'
import type { Channel, Receive } from '../transport/channel.ts'
import { PortChannel } from '../transport/port.ts'
import { childArgv } from './argv.ts'
import { childEnv, refuseNestedStart, sendStart } from './begin.ts'
import type { Exit, WorkerHandle, WorkerOptions } from './handle.ts'
import { printError } from './print.ts'
import { threadFlag } from './thread-flag.ts'
import { cutName, endThreadsOf, identOf, ownSlot, type Slot, takeSlot } from './threads.ts'

export interface ThreadWorkerOptions extends WorkerOptions {
  env?: NodeJS.ProcessEnv | undefined
  execArgv?: readonly string[] | undefined
  resourceLimits?: ResourceLimits | undefined
  ledger?: SharedArrayBuffer | undefined
  /** The thread gets the other end of a port over which it is asked to stop. */
  stops?: MessagePort | undefined
}

/** What a thread's first file finds in `workerData`. */
export interface ThreadData {
  readonly port: MessagePort
  readonly slot: number
  readonly heritage: ReadonlyMap<string, unknown>
  readonly ledger: SharedArrayBuffer | undefined
  readonly stops: MessagePort | undefined
  readonly memory: RegionOrigin
}

/** Milliseconds for what a thread has posted to arrive, after its end. */
const portGrace = 500

let entry: URL | undefined

export class ThreadHandle implements WorkerHandle {
  readonly name: string
  readonly pid = process.pid
  readonly channel: Channel
  readonly stdout = null
  readonly stderr = null
  readonly ident: number
  readonly slot: Slot

  fault: string | undefined
  onSilence: () => void = () => {}
  onExit: (exit: Exit) => void = () => {}

  readonly #worker: Worker
  #how: string | undefined
  #exit: Exit | null = null
  #portEnded = false
  #told = false

  /** Starts it; where that fails, throws. `receive` gets every record that the thread sends. */
  constructor(options: ThreadWorkerOptions, receive: Receive) {
    const { name, role, ledger, stops, setup } = options
    refuseNestedStart(name)
    watchExit()
    entry ??= ownFile('./entry.js', import.meta.url)
    const { MessageChannel } = process.getBuiltinModule('node:worker_threads')
    const { port1, port2 } = new MessageChannel()
    this.name = cutName(name)
    try {
      // Whoever ends this thread ends the new one first, with care, and so must know of it.
      const started = undisturbed(() => startKnown(entry!, options, { port: port2, heritage, ledger, stops }))
      this.slot = started.slot
      this.#worker = started.worker
    } catch (error) {
      port1.close()
      throw error
    }
    this.ident = identOf(this.#worker.threadId)
    this.#worker.on('error', this.#failed)
    this.#worker.once('exit', this.#exited)
    this.channel = new PortChannel(port1, receive, this.#ended)
    sendStart(this, { ...identity, role }, setup)
  }

  get who(): string {
    return `${this.name} (thread ${this.ident})`
  }

  get exit(): Exit | null {
    return this.#exit
  }

  kill(): boolean {
    if (this.#exit !== null) return false
    this.#how ??= 'was terminated'
    this.slot.end()
    void this.#worker.terminate()
    return true
  }

  hasOpened(): boolean {
    return this.slot.opened
  }

  ref(): void {
    this.#worker.ref()
    this.channel.ref()
  }

  unref(): void {
    this.#worker.unref()
    this.channel.unref()
  }

  /** What nothing in the thread has caught, and nothing could: its heap is full, or it cannot even begin. */
  readonly #failed = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
      this.#how = `ran out of memory (${error.message}; resourceLimits say how much it may have)`
    else printError(`${this.name} cannot go on`, error)
  }

  readonly #exited = (code: number): void => {
    const how = code === 0 ? undefined : this.#how
    this.#exit = { code, signal: null, exitcode: code, ...(how !== undefined && { how }) }
    try {
      for (const ident of this.slot.free()) buryThread(ident - 1)
    } finally {
      if (this.#portEnded) this.#tell()
      else setTimeout(() => this.channel.destroy(), portGrace).unref()
    }
  }

  readonly #ended = (error?: Error): void => {
    this.#portEnded = true
    if (this.#exit !== null) return this.#tell()
    this.onSilence()
    if (this.channel.garbled && this.kill()) this.fault = error!.message
  }

  #tell(): void {
    if (this.#told) return
    this.#told = true
    this.onExit(this.#exit!)
  }
}

let watched = false

/** The end of this thread, or of the process, is the end of all threads that it has started. */
function watchExit(): void {
  if (watched) return
  watched = true
  process.on('exit', () => endThreadsOf(ownSlot().ident))
}

/** Starts a thread that is in the table from its first step on; where that fails it is not. */
function startKnown(
  url: URL,
  options: ThreadWorkerOptions,
  given: Omit<ThreadData, 'slot' | 'memory'>,
): { slot: Slot; worker: Worker } {
  const slot = takeSlot(options.name, options.daemon)
  try {
    const worker = startWorker(url, options, { ...given, slot: slot.index, memory: regionForThread() })
    slot.fill(identOf(worker.threadId))
    return { slot, worker }
  } catch (error) {
    slot.free()
    throw error
  }
}

/** Options of Node's that only a process can have, as Node said when it refused them. */
const refused = new Set<string>()

function startWorker(url: URL, options: ThreadWorkerOptions, data: ThreadData): Worker {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const { port, stops } = data
  const { name, env, resourceLimits, execArgv } = options
  const given: NodeOptions = {
    name,
    argv: [threadFlag],
    workerData: data,
    transferList: stops === undefined ? [port] : [port, stops],
    ...(env !== undefined && { env: childEnv(env) }),
    ...(resourceLimits !== undefined && { resourceLimits }),
  }
  if (execArgv !== undefined) return new Worker(url, { ...given, execArgv: [...execArgv] })
  const inherited = childArgv({}).filter((option) => !refused.has(option))
  try {
    return new Worker(url, { ...given, execArgv: inherited })
  } catch (error) {
    // "Initiated Worker with invalid execArgv flags: --max-old-space-size=100, --expose-gc"
    const { code, message } = error as NodeJS.ErrnoException
    const named = code === 'ERR_WORKER_INVALID_EXEC_ARGV' ? message.replace(/^.*?: /, '').split(', ') : []
    const before = refused.size
    for (const option of inherited) if (named.some((one) => isOption(option, one))) refused.add(option)
    if (refused.size === before) throw error
    return startWorker(url, options, data)
  }
}

/** Node repeats an option with its value, or without. */
function isOption(option: string, named: string): boolean {
  return option === named || option.split('=')[0] === named.split('=')[0]
}
