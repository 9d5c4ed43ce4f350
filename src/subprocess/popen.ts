/**
 * Popen: a running program under Python's names. A face of child.ts; it ends nothing by itself.
 */
import type { Readable, Writable } from 'node:stream'
import { inspect } from 'node:util'
import { InvalidStateError } from '../core/errors.ts'
import { noStops, throwIfStopped } from '../core/stops.ts'
import { checkWaitOptions, type WaitOptions } from '../core/waiting.ts'
import { Child } from './child.ts'
import { Communication } from './communication.ts'
import { timeoutExpired } from './failures.ts'
import {
  checkInput,
  launchOf,
  type Command,
  type Encoding,
  type Output,
  type PopenOptions,
} from './options.ts'

/**
 * A program that was started, and runs beside this one. The constructor throws where it cannot be started: an
 * Error with the system's `code` (ENOENT, EACCES, …) and the `path` that is to blame.
 *
 * It keeps the event loop alive until it ends. With `await using` its pipes are closed and its end is waited
 * for when the block is left.
 *
 * @example Write to it, read from it
 * ```ts
 * import { PIPE, Popen } from 'plait/subprocess'
 *
 * await using sort = new Popen(['sort'], { stdin: PIPE, stdout: PIPE, encoding: 'utf8' })
 * const [sorted] = await sort.communicate({ input: 'pear\napple\n' })
 * sorted // => 'apple\npear\n'
 * sort.returncode // => 0
 * ```
 * @example Ask whether it still runs, and end it
 * ```ts
 * import { Popen } from 'plait/subprocess'
 *
 * const sleep = new Popen(['sleep', '60'])
 * sleep.poll() // => null
 * sleep.terminate()
 * await sleep.wait() // => -15
 * ```
 * @see Python `subprocess.Popen`
 */
export class Popen<E extends Encoding = Encoding> {
  /** As they were given. */
  readonly args: Command
  /** Of the program itself; with `shell`, of the shell. */
  readonly pid: number
  /** Where PIPE was asked for; else null. Without a reader, what is written is lost without an error. */
  readonly stdin: Writable | null
  /** With an encoding, strings with \n at each line end; else Buffers. The child waits while nobody reads. */
  readonly stdout: Readable | null
  readonly stderr: Readable | null
  readonly #child: Child
  #communication: Communication | undefined

  constructor(args: Command, options?: PopenOptions<E>) {
    const child = new Child(launchOf(args, options))
    this.args = args
    this.pid = child.pid
    this.stdin = child.stdin
    this.stdout = child.stdout
    this.stderr = child.stderr
    this.#child = child
  }

  /** null until the event loop has seen the end; -N for signal N. */
  get returncode(): number | null {
    return this.#child.returncode
  }

  /** The returncode: null while it runs. */
  poll(): number | null {
    return this.#child.returncode
  }

  /**
   * Resolves to the returncode. Rejects with TimeoutExpired, or with the signal's reason; the program goes
   * on. A pipe that nobody reads may keep it from its end: take `communicate()` then.
   */
  async wait(options?: WaitOptions): Promise<number> {
    checkWaitOptions(options)
    const ended = await this.#child.ended.wait(options)
    if (!ended) throw timeoutExpired(this.args, options?.timeout, { stdout: null, stderr: null })
    return this.#child.returncode!
  }

  /**
   * Writes `input`, closes stdin, reads stdout and stderr to their ends, and waits for the program's: all at
   * once, so neither side can block the other. Resolves to what came; null for what is no pipe.
   *
   * Where the timeout or the signal comes first, the program goes on, and so does the reading: the error has
   * what came so far, and a further call (without input) resolves with all of it.
   */
  async communicate(
    options: WaitOptions & { input?: string | Uint8Array | undefined } = {},
  ): Promise<[stdout: Output<E> | null, stderr: Output<E> | null]> {
    checkWaitOptions(options)
    const { input, signal } = options
    checkInput(input)
    if (input !== undefined) this.#checkStdin()
    if (this.#communication === undefined) {
      throwIfStopped(signal)
      this.#communication = new Communication(this.#child, input)
    }
    const communication = this.#communication
    const done = await communication.done.wait(options)
    const { stdout, stderr } = communication.outputs() as { [S in 'stdout' | 'stderr']: Output<E> | null }
    if (!done) throw timeoutExpired(this.args, options.timeout, { stdout, stderr })
    return [stdout, stderr]
  }

  /**
   * Sends a signal to the program; with `group`, to all that it started and that is still there. What has
   * ended is left alone.
   */
  sendSignal(signal: NodeJS.Signals | number): void {
    this.#child.signal(signal)
  }

  /** SIGTERM. */
  terminate(): void {
    this.#child.signal('SIGTERM')
  }

  /** SIGKILL. */
  kill(): void {
    this.#child.signal('SIGKILL')
  }

  /** Closes the pipes and waits for the end; a program that should not go on is to be told so before. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { stdin, outputs, ended } = this.#child
    for (const output of outputs) output.destroy()
    stdin?.end()
    await ended.wait({}, noStops)
    stdin?.destroy()
  }

  [inspect.custom](): string {
    const { args, pid, returncode } = this
    return `<${this.constructor.name}: returncode: ${returncode} pid: ${pid} args: ${inspect(args)}>`
  }

  #checkStdin(): void {
    const who = `the program with pid ${this.pid}`
    if (this.#communication !== undefined)
      throw new InvalidStateError(`${who} was given its input already: call communicate() again without it`)
    if (this.stdin === null)
      throw new InvalidStateError(`${who} has no pipe for its input: start it with stdin: PIPE`)
    if (this.stdin.writableEnded)
      throw new InvalidStateError(`stdin of ${who} was ended already: write the input before, or end it here`)
  }
}
