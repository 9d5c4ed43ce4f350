/**
 * Stands in the place of memory/os.ts in the threads of the model checker: who lives is what the explorer
 * decided, and only threads share the memory. redirect.ts puts it there.
 */
import { isDead } from './atomics.ts'
import { threadNumber } from './thread-number.ts'

export const threads = {
  id: (): number => threadNumber() + 1,
  started: (_pid: number, tid: number): number => (isDead(tid - 1) ? 0 : 1),
}

export function openSystem(): never {
  throw new Error('the model has threads only')
}
