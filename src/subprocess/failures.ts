/**
 * The errors of programs that ran and did not end well, in the words of Python: the command as one could
 * type it, how it ended, and the last lines of its stderr. Called where an end is judged; errors of the start
 * are in start-errors.ts.
 */
import { CalledProcessError, TimeoutExpired } from '../core/errors.ts'
import { textOf } from '../core/text.ts'
import type { Command } from './options.ts'
import { signalName } from './signals.ts'
import { join } from './words.ts'

/** What was captured when the error was made. */
interface Outputs {
  readonly stdout: string | Buffer | null
  readonly stderr: string | Buffer | null
}

/** A message is for people: of a long command or stderr they get the part that says most. */
const longestCommand = 500
const mostTailLines = 10
const longestTail = 2_000

/** After an end with another exit code than 0. */
export function calledProcessError(cmd: Command, returncode: number, outputs: Outputs): CalledProcessError {
  const message = `Command '${spell(cmd)}' ${howItEnded(returncode)}.${tailOf(outputs.stderr)}`
  const { stdout, stderr } = outputs
  return new CalledProcessError(message, { returncode, cmd, stdout, stderr })
}

/** After a deadline; `failed` is why what should be killed could not be. */
export function timeoutExpired(
  cmd: Command,
  timeout: number | undefined,
  outputs: Outputs,
  failed?: unknown,
): TimeoutExpired {
  const { stdout, stderr } = outputs
  const alive = failed === undefined ? '' : ` It could not be killed: ${textOf(failed)}.`
  const message = `Command '${spell(cmd)}' timed out after ${timeout} ms.${alive}${tailOf(stderr)}`
  const cause = failed === undefined ? {} : { cause: failed }
  return new TimeoutExpired(message, { cmd, timeout: timeout ?? Infinity, stdout, stderr, ...cause })
}

function howItEnded(returncode: number): string {
  if (returncode >= 0) return `returned non-zero exit status ${returncode}`
  const name = signalName(-returncode)
  return name === undefined
    ? `died with unknown signal ${-returncode}`
    : `died with <Signals.${name}: ${-returncode}>`
}

/** The command as one line for a shell. */
function spell(cmd: Command): string {
  const line = typeof cmd === 'string' ? cmd : join(cmd)
  return line.length <= longestCommand ? line : `${line.slice(0, longestCommand)}…`
}

function tailOf(stderr: string | Buffer | null): string {
  // A character of text may take up to four bytes.
  const end = stderr === null ? '' : String(stderr.slice(-4 * longestTail))
  const tail = end.trimEnd().split('\n').slice(-mostTailLines).join('\n').slice(-longestTail)
  return tail.trim() === '' ? '' : `\n${tail}`
}
