/**
 * The text of a worker's death: for whoever waited on it (Process and Pool), and for the log.
 */
import { WorkerLostError } from '../core/errors.ts'
import type { Exit } from './handle.ts'

/** What is known beside the exit: an error that it could still tell, and why it was killed from here. */
export interface LastWords {
  readonly crash?: unknown
  readonly killedFor?: string | undefined
}

/** `before` completes "… before": 'its target returned', 'the task ended'. */
export function lostError(
  worker: { name: string; pid: number; who: string },
  exit: Exit,
  before: string,
  { crash, killedFor }: LastWords = {},
): WorkerLostError {
  const { name, pid, who } = worker
  const { signal, exitcode } = exit
  let message = `${who} ${howEnded(exit)} before ${before}`
  if (killedFor !== undefined) message += `, by its pool: ${killedFor}`
  else if (signal === 'SIGKILL') message += '; if nobody sent it, the system was out of memory'
  if (signal === 'SIGSEGV' || signal === 'SIGABRT' || signal === 'SIGBUS')
    message += '; native code crashed, or the heap was full: see its stderr'
  if (crash !== undefined) message += '; it had an error outside of any task, see `cause`'
  const details = { pid, exitcode, signal, worker: name }
  return new WorkerLostError(message, crash === undefined ? details : { ...details, cause: crash })
}

/** 'was killed by SIGKILL', 'ended with exit code 3', 'was terminated'. */
export function howEnded({ signal, exitcode, how }: Exit): string {
  if (how !== undefined) return how
  return signal === null ? `ended with exit code ${exitcode}` : `was killed by ${signal}`
}
