/**
 * Every error class of plait. A class is a distinct reaction for the caller (wait longer, retry, mend the
 * value, give up), never a mere wording. Each carries a stable `code`, and each survives a trip between
 * processes: the codec knows them by name (`errorClasses`) and rebuilds the receiver's own class.
 * The messages say what happened, to whom, and what to do; they are written where the fact is known.
 */

/** The base of every error that plait makes itself. `code` is stable across versions; the message is not. */
export class PlaitError extends Error {
  readonly code: string
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options)
    this.code = codeOf(new.target.name)
  }
}

/** A deadline passed. The thing waited on is left as it was. Python: `multiprocessing.TimeoutError`. */
export class TimeoutError extends PlaitError {}
/** Nothing to get. Python: `queue.Empty`. */
export class Empty extends PlaitError {}
/** No room to put. Python: `queue.Full`. */
export class Full extends PlaitError {}
/** `put()` after `shutdown()`, or `get()` after `shutdown()` once drained. Python: `queue.ShutDown`. */
export class ShutDown extends PlaitError {}
/** A handle was used after `close()`. Python: `ValueError("… is closed")`. */
export class ClosedError extends PlaitError {}
/** The other end is gone and nothing is left to read. Python: `EOFError`. */
export class EOFError extends PlaitError {}
/** The work was cancelled before it had a result. Python: `concurrent.futures.CancelledError`. */
export class CancelledError extends PlaitError {}
/**
 * The object is not in a state that allows this call; nothing was changed. Python: `ValueError`,
 * `AssertionError`.
 */
export class InvalidStateError extends PlaitError {}
/** The pool cannot work at all: its initializer throws, or its workers cannot start. `cause` says why. */
export class BrokenPoolError extends PlaitError {}
/**
 * Submitting to a pool or executor that was closed or terminated. Python: `ValueError("Pool not running")`.
 */
export class PoolClosedError extends PlaitError {}
/** Pending work of a pool that was terminated. Python: hangs. */
export class PoolTerminatedError extends PlaitError {}
/** The barrier was broken by an abort, a timeout or a death. Python: `threading.BrokenBarrierError`. */
export class BrokenBarrierError extends PlaitError {}
/**
 * The memory that all processes of a program share is full: nothing was put or made. It has room again when
 * queues are emptied, or handles closed. Python: `MemoryError`.
 */
export class MemoryError extends PlaitError {}
/** The other machine does not hold the same key. Python: `multiprocessing.AuthenticationError`. */
export class AuthenticationError extends PlaitError {}

/**
 * A value or function that cannot travel. `path` names the offending part (`db.pool[0]`), `hint` says what to
 * do. Thrown at submit, before anything was sent.
 */
export class SerializationError extends PlaitError {
  readonly path: string
  readonly hint: string
  constructor(message: string, details: { path?: string; hint?: string; cause?: unknown } = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.path = details.path ?? ''
    this.hint = details.hint ?? ''
  }
}

/** The worker that ran the task died. The pool itself goes on. */
export class WorkerLostError extends PlaitError {
  /** Of the worker that died. */
  readonly pid: number
  /** `n` for `process.exit(n)`, `-N` after signal N, as on `Process`; null where it is not known. */
  readonly exitcode: number | null
  /** 'SIGKILL' …, or null where no signal ended it. */
  readonly signal: string | null
  /** The worker's name. */
  readonly worker: string
  constructor(
    message: string,
    details: { pid: number; exitcode: number | null; signal: string | null; worker: string; cause?: unknown },
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.pid = details.pid
    this.exitcode = details.exitcode
    this.signal = details.signal
    this.worker = details.worker
  }
}

/** A coroutine has ended; `value` is what its body returned. Python: `StopIteration`. */
export class StopIteration<R = unknown> extends PlaitError {
  /** What the body returned; undefined where the coroutine had ended before. */
  readonly value: R
  constructor(message: string, value: R) {
    super(message)
    this.value = value
  }
}

/** What the errors of `plait/subprocess` have in common. Python: `subprocess.SubprocessError`. */
export class SubprocessError extends PlaitError {}

/**
 * A program that had to succeed ended with another exit code than 0, or by a signal. The message quotes the
 * command, says how it ended, and shows the last lines of stderr where that was captured. Python:
 * `subprocess.CalledProcessError`.
 */
export class CalledProcessError extends SubprocessError {
  /** -N for signal N. */
  readonly returncode: number
  /** What was given as the command. */
  readonly cmd: readonly string[] | string
  /** What was captured; null where nothing was to be. */
  readonly stdout: string | Buffer | null
  readonly stderr: string | Buffer | null
  constructor(
    message: string,
    details: Pick<CalledProcessError, 'returncode' | 'cmd' | 'stdout' | 'stderr'>,
  ) {
    super(message)
    this.returncode = details.returncode
    this.cmd = details.cmd
    this.stdout = details.stdout
    this.stderr = details.stderr
  }
}

/**
 * A program was not done in time. After `run` and its kin it is killed and gone; after `wait` and
 * `communicate` it goes on. Python: `subprocess.TimeoutExpired`.
 */
export class TimeoutExpired extends SubprocessError {
  /** What was given as the command. */
  readonly cmd: readonly string[] | string
  /** Milliseconds, as asked for. */
  readonly timeout: number
  /** What had been captured by then; null where nothing was to be. */
  readonly stdout: string | Buffer | null
  readonly stderr: string | Buffer | null
  constructor(
    message: string,
    details: Pick<TimeoutExpired, 'cmd' | 'timeout' | 'stdout' | 'stderr'> & { cause?: unknown },
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.cmd = details.cmd
    this.timeout = details.timeout
    this.stdout = details.stdout
    this.stderr = details.stderr
  }
}

/** What the codec may rebuild by name. */
export const errorClasses: ReadonlyMap<string, abstract new (...args: never[]) => PlaitError> = new Map(
  [
    PlaitError,
    TimeoutError,
    Empty,
    Full,
    ShutDown,
    ClosedError,
    EOFError,
    CancelledError,
    InvalidStateError,
    BrokenPoolError,
    PoolClosedError,
    PoolTerminatedError,
    BrokenBarrierError,
    MemoryError,
    AuthenticationError,
    SerializationError,
    WorkerLostError,
    StopIteration,
    SubprocessError,
    CalledProcessError,
    TimeoutExpired,
  ].map((type) => [type.name, type] as const),
)

/** 'TimeoutError' → 'PLAIT_TIMEOUT', 'WorkerLostError' → 'PLAIT_WORKER_LOST', 'EOFError' → 'PLAIT_EOF'. */
function codeOf(className: string): string {
  if (className === 'PlaitError') return 'PLAIT_ERROR'
  const words = className.replace(/Error$/, '').replace(/([a-z0-9])([A-Z])/g, '$1_$2')
  return `PLAIT_${words.toUpperCase()}`
}

// On the prototypes, so that a stack opens with the class's name and `console.log` does not repeat it.
for (const [value, type] of errorClasses)
  Object.defineProperty(type.prototype, 'name', { value, writable: true, configurable: true })
