/**
 * How much a worker may hold: what it runs, and a little that is surely short, so that it need not wait for
 * its pool between two tasks. What turns out to take longer is taken back as soon as another worker is idle.
 */
import { maxCredit, maxHeldBytes } from '../core/limits.ts'
import type { Holdings } from './holdings.ts'
import { ANNOUNCE } from './protocol.ts'
import type { Task } from './task.ts'

/** Microseconds of expected work: a time slice of the system, for which the parent may be away. */
const creditTime = 4_000
/** Microseconds. What may take longer is held behind no other task: tasks begin in their order. */
const orderTime = 50_000

/** May a worker that runs `running` tasks at a time hold `task` as well? `alone`: its pool has no other. */
export function hasCredit(holdings: Holdings, task: Task, running: number, alone: boolean): boolean {
  const { size, bytes, expected, recalling } = holdings
  if (size === 0) return true
  if (recalling || (task.flags & ANNOUNCE) !== 0) return size < running
  if (bytes + (task.end - task.start) > maxHeldBytes) return false
  if (size <= running) return alone || task.image.profile.mean < orderTime
  const { left } = holdings
  return left < maxCredit && (expected * left) / size + task.image.profile.mean < creditTime
}
