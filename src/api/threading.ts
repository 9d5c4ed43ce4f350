/**
 * The entry point `plait/threading`: Python's `threading`. Every name that leaves the package this way, and
 * nothing else. Re-exports only; the errors, and what threads share, are those of `plait`.
 */
export { Thread, type ThreadOptions } from '../worker/thread.ts'
export {
  activeCount,
  currentThread,
  enumerate,
  mainThread,
  type ThreadInfo,
} from '../worker/current-thread.ts'
export { Local } from '../worker/local.ts'
export { Timer } from '../worker/timer.ts'
