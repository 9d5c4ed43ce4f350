/**
 * The parent's side of one worker, whatever its body: what Life and Pool know of it. process-handle.ts and
 * thread-handle.ts are the two there are. It owns the control channel, tells the end of its worker exactly
 * once, and knows nothing of tasks.
 */
import type { Readable } from 'node:stream'
import type { Writer } from '../codec/writer.ts'
import type { Channel, Receive } from '../transport/channel.ts'

/** What every worker is started with. */
export interface WorkerOptions {
  name: string
  daemon: boolean
  /** URL of the Role module that the worker imports. */
  role: string
  /** Writes the role's payload of the first record. */
  setup?: ((writer: Writer, channel: Channel) => void) | undefined
}

/**
 * Where a worker writes what it begins, a file descriptor or memory: both sides can get at it, whatever
 * becomes of the worker. Only pools give one.
 */
export type Ledger = number | SharedArrayBuffer

/** How a worker ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** As Python's: the code, or -N after signal N. */
  readonly exitcode: number
  /** Of a thread, where its code alone does not tell: "was terminated", "ran out of memory". */
  readonly how?: string
}

export interface WorkerHandle {
  readonly name: string
  /** Of a thread: of the process that it is in. */
  readonly pid: number
  /** For messages: "Process-1 (pid 4711)", "Thread-1 (thread 3)". */
  readonly who: string
  readonly channel: Channel
  /** What it prints, where that was asked for. */
  readonly stdout: Readable | null
  readonly stderr: Readable | null
  /** Why it was killed from here, where that was so. */
  fault: string | undefined
  /** null while it runs. */
  readonly exit: Exit | null
  /** Called where its channel ends while it runs: it cannot be told anything, and will be killed. */
  onSilence: () => void
  /** Called once, when the worker has ended and its channel was read to the end. */
  onExit: (exit: Exit) => void
  /** False where it has ended already. A thread ends at any signal, at once. Default SIGKILL. */
  kill(signal?: NodeJS.Signals): boolean
  /**
   * Whether it has opened what it was started with, or never will: for a parent that stands still, and would
   * hear of it later.
   */
  hasOpened(): boolean
  /** Whether the worker, its channel and its pipes keep this event loop alive; at first they do. */
  ref(): void
  unref(): void
}

/** Makes a worker of one kind; where that fails, throws. `receive` gets every record that it sends. */
export type StartWorker = (options: WorkerOptions, receive: Receive) => WorkerHandle
