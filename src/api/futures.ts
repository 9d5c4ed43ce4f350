/**
 * The entry point `plait/futures`: Python's `concurrent.futures`. Every name that leaves the package this
 * way, and nothing else. Re-exports only; the errors are those of `plait`.
 */
export { Future } from '../pool/future.ts'
export { Executor, type SubmitOptions } from '../pool/executor.ts'
export { ProcessPoolExecutor } from '../pool/process-executor.ts'
export { ThreadPoolExecutor, type ThreadPoolExecutorOptions } from '../pool/thread-executor.ts'
export { ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, wait } from '../pool/wait.ts'
export { asCompleted } from '../pool/as-completed.ts'
