/**
 * What was thrown, in words, for messages of plait's own. Whoever has caught something of the user's asks
 * here, as it may be no error at all, and its message may be a getter that throws. Never throws itself.
 */
import { inspect } from 'node:util'

/** The message of an error; anything else as it is shown in a log. */
export function textOf(thrown: unknown): string {
  try {
    const text: unknown = thrown instanceof Error ? thrown.message : thrown
    return typeof text === 'string' ? text : inspect(text, { breakLength: Infinity })
  } catch {
    return 'an error whose message cannot be read'
  }
}
