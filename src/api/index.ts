/**
 * The entry point `plait`: every name that leaves the package this way, and nothing else. Re-exports only.
 */
export {
  AuthenticationError,
  BrokenBarrierError,
  BrokenPoolError,
  CancelledError,
  ClosedError,
  Empty,
  EOFError,
  Full,
  InvalidStateError,
  MemoryError,
  PlaitError,
  PoolClosedError,
  PoolTerminatedError,
  SerializationError,
  ShutDown,
  TimeoutError,
  WorkerLostError,
} from '../core/errors.ts'
export { currentTask, type TaskInfo } from '../core/context.ts'
export type { WaitOptions } from '../core/waiting.ts'
export { registerReducer } from '../codec/reducers.ts'
export { withDeps } from '../closure/with-deps.ts'
export { Process, activeChildren, type ProcessOptions } from '../worker/process.ts'
export { currentProcess, parentProcess, type ProcessInfo } from '../worker/current.ts'
export { cpuCount } from '../worker/cpus.ts'
export { Pool } from '../pool/pool.ts'
export { ThreadPool } from '../pool/thread-pool.ts'
export type { AsyncResult, CallbackOptions } from '../pool/async-result.ts'
export type { ImapIterator } from '../pool/imap-iterator.ts'
export type { ImapOptions, MapOptions, PoolOptions } from '../pool/options.ts'
export type { TaskEvent, WorkerEvent } from '../pool/events.ts'
export type { PoolStatistics } from '../pool/statistics.ts'
export type { TaskOptions } from '../pool/task.ts'
export { Connection, Pipe } from '../queue/connection.ts'
export { wait } from '../queue/wait.ts'
export { Queue } from '../queue/queue.ts'
export {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  RLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  SharedValue,
} from '../sync/open.ts'
export type { BigType, Guard, NumberType, TypedArrays } from '../sync/open.ts'
