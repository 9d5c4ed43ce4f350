/**
 * run() and its kin: a program from its start to its end in one call, which never leaves it behind. Built on
 * child.ts; the same without an event loop is in run-sync.ts.
 */
import { throwIfStopped } from '../core/stops.ts'
import { Child } from './child.ts'
import { Communication } from './communication.ts'
import { CompletedProcess } from './completed.ts'
import { killAndWait } from './ending.ts'
import { timeoutExpired } from './failures.ts'
import {
  checkCaptures,
  PIPE,
  runLaunchOf,
  type Captured,
  type Command,
  type Encoding,
  type Output,
  type RunOptions,
} from './options.ts'
import { Watch } from './parting.ts'

/**
 * Runs a program to its end. No shell is involved: an array is the program and its arguments, each of which
 * arrives as it is; a string is the name of a program.
 *
 * Past the `timeout`, or when the `signal` aborts, the program and all that it started in its group is killed
 * with SIGKILL, and gone when the promise rejects: with TimeoutExpired, which has what was captured so far,
 * or with the signal's reason. With `check`, an exit code other than 0 is a CalledProcessError. Where the
 * program cannot be started, the promise rejects with the system's error (`code`, `path`).
 *
 * @example
 * ```ts
 * import { run } from 'plait/subprocess'
 *
 * const text = { captureOutput: true, encoding: 'utf8' } as const
 * const { stdout } = await run(['wc', '-c'], { ...text, input: 'twelve bytes' })
 * Number(stdout) // => 12
 * run(['sh', '-c', 'exit 3'], { check: true }) // throws CalledProcessError
 * run(['sleep', '60'], { timeout: 50 }) // throws TimeoutExpired
 * ```
 * @see Python `subprocess.run`
 */
export async function run<E extends Encoding = undefined, C extends boolean | undefined = undefined>(
  args: Command,
  options?: RunOptions<E, C>,
): Promise<CompletedProcess<Captured<E, C>>> {
  const launch = runLaunchOf(args, options)
  const { input, check = false, timeout, signal }: RunOptions = options ?? {}
  throwIfStopped(signal)
  const watch = launch.group ? new Watch() : undefined
  try {
    const child = new Child(launch)
    watch?.over(child)
    const communication = new Communication(child, input)
    const inTime = await communication.done.wait({ timeout, signal }).catch(async (reason: unknown) => {
      await killAndWait(child, communication)
      throw reason
    })
    const failed = inTime ? undefined : await killAndWait(child, communication)
    const outputs = communication.outputs()
    if (!inTime) throw timeoutExpired(args, timeout, outputs, failed)
    const { stdout, stderr } = outputs as Record<'stdout' | 'stderr', Captured<E, C>>
    const completed = new CompletedProcess(args, child.returncode!, stdout, stderr)
    if (check) completed.checkReturncode()
    return completed
  } finally {
    watch?.end()
  }
}

/**
 * Runs a program as `run` does, and resolves to its returncode.
 *
 * @example
 * ```ts
 * import { call } from 'plait/subprocess'
 *
 * await call(['sh', '-c', 'exit 3']) // => 3
 * await call(['sh', '-c', 'kill -TERM $$']) // => -15
 * ```
 * @see Python `subprocess.call`
 */
export async function call(args: Command, options?: RunOptions): Promise<number> {
  const { returncode } = await run(args, options)
  return returncode
}

/**
 * Runs a program that has to succeed: 0, or a CalledProcessError.
 *
 * @example
 * ```ts
 * import { checkCall } from 'plait/subprocess'
 *
 * await checkCall(['true']) // => 0
 * checkCall(['false']) // throws CalledProcessError
 * ```
 * @see Python `subprocess.check_call`
 */
export async function checkCall(args: Command, options?: RunOptions): Promise<0> {
  await run(args, { ...options, check: true })
  return 0
}

/**
 * What a program writes to its stdout. It has to succeed: a CalledProcessError otherwise. With
 * `stderr: STDOUT`, what it writes to stderr as well.
 *
 * @example
 * ```ts
 * import { checkOutput } from 'plait/subprocess'
 *
 * await checkOutput(['echo', '$HOME; ls'], { encoding: 'utf8' }) // => '$HOME; ls\n'
 * ```
 * @see Python `subprocess.check_output`
 */
export async function checkOutput<E extends Encoding = undefined>(
  args: Command,
  options?: Omit<RunOptions<E>, 'stdout' | 'captureOutput' | 'check'>,
): Promise<Output<E>> {
  checkCaptures(options)
  const { stdout } = await run<E>(args, { ...options, stdout: PIPE, check: true })
  return stdout as Output<E>
}
