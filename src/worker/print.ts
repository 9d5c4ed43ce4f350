/**
 * How a child says on its stderr what ended it; for body.ts and run.ts. Never throws: whoever calls it has an
 * end to bring about.
 */
import { inspect } from 'node:util'

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
