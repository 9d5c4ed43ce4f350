/**
 * runSync(): run() for scripts and threads that may stop until the program is done. Built on Node's
 * spawnSync, which writes and reads all pipes at once, but knows no groups, and no pipe for two streams.
 */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmdirSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { groupGrace } from '../core/limits.ts'
import { commonOptions, stdioOf } from './child.ts'
import type { Outputs } from './communication.ts'
import { CompletedProcess } from './completed.ts'
import { timeoutExpired } from './failures.ts'
import {
  PIPE,
  runLaunchOf,
  STDOUT,
  type Captured,
  type Command,
  type Encoding,
  type Launch,
  type RunOptions,
  type Stdio,
} from './options.ts'
import { decoded } from './output.ts'
import { restRuns, returncodeOf, sendToRest } from './signals.ts'
import { startError } from './start-errors.ts'

/**
 * `run` without an event loop: this thread stops until the program has ended. Errors are thrown. A signal
 * cannot end it, so there is none; past the `timeout` all of the program's group is killed.
 *
 * While it waits, this process handles no signals. With `stderr: STDOUT` what is captured goes through an
 * unlinked file, in the order of writing: what the program leaves running writes too late to be in it.
 *
 * @example
 * ```ts
 * import { runSync } from 'plait/subprocess'
 *
 * const { stdout } = runSync(['tr', 'a-z', 'A-Z'], { input: 'loud', captureOutput: true, encoding: 'utf8' })
 * stdout // => 'LOUD'
 * ```
 * @see Python `subprocess.run`
 */
export function runSync<E extends Encoding = undefined, C extends boolean | undefined = undefined>(
  args: Command,
  options?: Omit<RunOptions<E, C>, 'signal'>,
): CompletedProcess<Captured<E, C>> {
  if (options !== null && (options as RunOptions | undefined)?.signal !== undefined)
    throw new TypeError('runSync() takes no signal: nothing can abort it while this thread stands still')
  const launch = runLaunchOf(args, options)
  const { input, check = false, timeout } = options ?? {}
  const shared = launch.stdout === PIPE && launch.stderr === STDOUT ? openScratch() : undefined
  try {
    const result = spawnSync(launch.file, [...launch.args], {
      ...commonOptions(launch),
      stdio: [
        descriptorOf(launch.stdin, 0),
        shared ?? descriptorOf(launch.stdout, 1),
        shared ??
          (launch.stderr === STDOUT ? descriptorOf(launch.stdout, 1) : descriptorOf(launch.stderr, 2)),
      ],
      input: typeof input === 'string' ? Buffer.from(input, launch.encoding) : input,
      timeout: wholeMilliseconds(timeout),
      killSignal: 'SIGKILL',
      maxBuffer: Infinity,
    })
    const expired = judge(launch, result)
    const outputs = outputsOf(launch, result, shared)
    if (expired) throw timeoutExpired(args, timeout, outputs)
    const { stdout, stderr } = outputs as Record<'stdout' | 'stderr', Captured<E, C>>
    const completed = new CompletedProcess(args, returncodeOf(result.status, result.signal), stdout, stderr)
    if (check) completed.checkReturncode()
    return completed
  } finally {
    if (shared !== undefined) closeSync(shared)
  }
}

/** Whether its time was over; then nothing of it is left. Throws where it was not started. */
function judge(launch: Launch, { error, pid, status, signal }: SpawnSyncReturns<unknown>): boolean {
  if (error === undefined) return false
  const { code } = error as NodeJS.ErrnoException
  if (pid === 0 || pid === undefined) throw startError(launch, code)
  if (code === 'ETIMEDOUT') {
    if (launch.group) killRest(pid)
    return true
  }
  // A program that ended without reading all of its input has ended all the same.
  if (status === null && signal === null) throw error
  return false
}

/** The leader has ended; so does the rest of its group, before this returns. */
function killRest(leader: number): void {
  const word = new Int32Array(new SharedArrayBuffer(4))
  sendToRest(leader, constants.signals.SIGKILL)
  for (let waited = 0, step = 1; restRuns(leader) && waited < groupGrace; waited += step, step *= 2)
    Atomics.wait(word, 0, 0, step)
}

function outputsOf(launch: Launch, result: SpawnSyncReturns<Buffer>, shared: number | undefined): Outputs {
  const read = (bytes: Buffer | null): string | Buffer | null =>
    bytes === null || launch.encoding === undefined ? bytes : decoded(bytes, launch.encoding)
  if (shared !== undefined) return { stdout: read(readAll(shared)), stderr: null }
  return {
    stdout: launch.stdout === PIPE ? read(result.stdout) : null,
    stderr: launch.stderr === PIPE ? read(result.stderr) : null,
  }
}

/** A file that has no name any more, to be written from several processes at its end. */
function openScratch(): number {
  const folder = mkdtempSync(join(tmpdir(), 'plait-'))
  const path = join(folder, 'output')
  try {
    return openSync(path, 'a+', 0o600)
  } finally {
    rmSync(path, { force: true })
    rmdirSync(folder)
  }
}

function readAll(fd: number): Buffer {
  const bytes = Buffer.alloc(fstatSync(fd).size)
  let end = 0
  while (end < bytes.length) {
    const count = readSync(fd, bytes, end, bytes.length - end, end)
    if (count === 0) break
    end += count
  }
  return bytes.subarray(0, end)
}

/** spawnSync knows descriptors only. */
function descriptorOf(stdio: Stdio, own: number): 'pipe' | 'ignore' | number {
  const as = stdioOf(stdio, own)
  if (typeof as !== 'object') return as
  const { fd } = as as { fd?: unknown }
  if (typeof fd === 'number') return fd
  throw new TypeError('runSync() cannot hand a socket to a program: give a descriptor, a file, or PIPE')
}

/** For spawnSync 0 is for ever, and fractions are none. */
function wholeMilliseconds(timeout: number | undefined): number | undefined {
  return timeout === undefined || timeout > Number.MAX_SAFE_INTEGER
    ? undefined
    : Math.max(1, Math.ceil(timeout))
}
