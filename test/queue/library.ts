/**
 * A module that items name: queue.test.ts and processes.test.ts put functions that use it.
 */
import { basename } from 'node:path'

export function basenameOf(path: string): string {
  return basename(path)
}
