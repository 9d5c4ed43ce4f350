/**
 * What run() and runSync() resolve with: a program that has ended, and what was captured of it. A plain value
 * that can travel between processes.
 */
import { calledProcessError } from './failures.ts'
import type { Command } from './options.ts'

/**
 * A program that ran to its end. `stdout` and `stderr` are what was captured: strings where an encoding was
 * given, else Buffers, and null where nothing was captured.
 *
 * @example
 * ```ts
 * import { run } from 'plait/subprocess'
 *
 * const done = await run(['sh', '-c', 'echo out; exit 3'], { captureOutput: true, encoding: 'utf8' })
 * done.stdout // => 'out\n'
 * done.returncode // => 3
 * Promise.resolve().then(() => done.checkReturncode()) // throws CalledProcessError
 * ```
 * @see Python `subprocess.CompletedProcess`
 */
export class CompletedProcess<T extends string | Buffer | null = string | Buffer | null> {
  /** As they were given. */
  readonly args: Command
  /** -N for signal N. */
  readonly returncode: number
  readonly stdout: T
  readonly stderr: T

  constructor(args: Command, returncode: number, stdout: T, stderr: T) {
    this.args = args
    this.returncode = returncode
    this.stdout = stdout
    this.stderr = stderr
  }

  /** Throws CalledProcessError unless the exit code is 0. */
  checkReturncode(): void {
    if (this.returncode !== 0) throw calledProcessError(this.args, this.returncode, this)
  }
}
