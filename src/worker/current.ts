/**
 * Who runs this code, and who started it. The facts are in core/context, set by a child's first record.
 */
import { identity } from '../core/context.ts'

/** A process as seen from inside of it, or from its child. */
export interface ProcessInfo {
  readonly name: string
  readonly pid: number
  readonly daemon: boolean
  isAlive(): boolean
}

/** This process. In the main program its name is "MainProcess". */
export function currentProcess(): ProcessInfo {
  const { name, daemon } = identity
  return { name, pid: process.pid, daemon, isAlive: () => true }
}

/** The process that started this one through plait; null in the main program. */
export function parentProcess(): ProcessInfo | null {
  const { parent } = identity
  if (parent === null) return null
  // A child that lost its parent is given to another one at once.
  return { ...parent, isAlive: () => process.ppid === parent.pid }
}
