/**
 * How children are called: one counter per process, as in Python, shared by Process and by the workers of
 * pools.
 */
import { identity } from '../core/context.ts'

let count = 0

/** The next child's place in the tree: [1] is "Process-1", a child of that [1, 1] is "Process-1:1". */
export function nextPath(): readonly number[] {
  return [...identity.path, ++count]
}

/** "Process-1:2" */
export function nameOf(kind: string, path: readonly number[]): string {
  return `${kind}-${path.join(':')}`
}
