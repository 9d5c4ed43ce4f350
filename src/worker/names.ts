/**
 * How children are called: one counter per process, as in Python, shared by Process and by the workers of
 * pools, whichever thread starts them.
 */
import { identity } from '../core/context.ts'
import { nextNumber } from './threads.ts'

/** The next child's place in the tree: [1] is "Process-1", a child of that [1, 1] is "Process-1:1". */
export function nextPath(): readonly number[] {
  return [...identity.path, nextNumber('process')]
}

/** "Process-1:2" */
export function nameOf(kind: string, path: readonly number[]): string {
  return `${kind}-${path.join(':')}`
}
