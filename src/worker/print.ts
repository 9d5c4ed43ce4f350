/**
 * How a child says on its stderr what ended it; for body.ts and the roles. Never throws: whoever calls it has
 * an end to bring about.
 */
import { inspect } from 'node:util'
import { inThread, selfName } from '../core/context.ts'

/** What nothing has caught, as Python says it. */
export function printUncaught(error: unknown): void {
  printError(`${inThread() ? 'Exception in thread' : 'Process'} ${selfName()}`, error)
}

export function printError(head: string, error: unknown): void {
  try {
    process.stderr.on('error', () => {}) // nobody reads it; that is no second failure
    process.stderr.write(`${head}:\n${show(error)}\n`)
  } catch {
    // the program has taken stderr away
  }
}

function show(error: unknown): string {
  try {
    return inspect(error)
  } catch {
    return 'an error that cannot be shown'
  }
}
