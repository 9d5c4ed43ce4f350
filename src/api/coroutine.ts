/**
 * The entry point `plait/coroutine`: Python's generator coroutines, a scheduler for them, and structured
 * concurrency for async functions. Every name that leaves the package this way, and nothing else. Re-exports
 * only; the errors, but for StopIteration, are those of `plait`.
 */
export { StopIteration } from '../core/errors.ts'
export { Coroutine, coroutine } from '../coroutine/coroutine.ts'
export { Scheduler } from '../coroutine/scheduler.ts'
export type { CoroutineTask } from '../coroutine/task.ts'
export type { Clock } from '../coroutine/clock.ts'
export { ManualClock } from '../coroutine/manual-clock.ts'
export { TaskGroup } from '../coroutine/group.ts'
export { gather } from '../coroutine/gather.ts'
export { sleep } from '../coroutine/sleep.ts'
export { timeout } from '../coroutine/timeout.ts'
export { Channel } from '../coroutine/channel.ts'
