/**
 * What the callers of `plait/subprocess` may ask for, and the checks at its door. Everything behind it works
 * on a `Launch`: the program, its arguments and its surroundings, as they go to the system. Starts nothing.
 */
import { Stream } from 'node:stream'
import { inspect, types } from 'node:util'
import { checkBoolean, checkInteger, checkOptions, checkString, checkStrings } from '../core/options.ts'
import { stopsOf } from '../core/stops.ts'
import { checkWaitOptions, type WaitOptions } from '../core/waiting.ts'

/**
 * A stream of the child becomes a pipe to it. Where options stand in a variable of their own, TypeScript
 * wants `as const` behind them: of a symbol it forgets otherwise which one it is. Python: `subprocess.PIPE`.
 */
export const PIPE: unique symbol = Symbol.for('plait.subprocess.PIPE')
/** stderr goes where stdout goes, in the order of writing. Python: `subprocess.STDOUT`. */
export const STDOUT: unique symbol = Symbol.for('plait.subprocess.STDOUT')
/** Nothing to read, and what is written is lost. Python: `subprocess.DEVNULL`. */
export const DEVNULL: unique symbol = Symbol.for('plait.subprocess.DEVNULL')

/** A program and its arguments; a string is one program name, or with `shell` one line for the shell. */
export type Command = readonly string[] | string

/**
 * Where a stream of the child leads: left out, to this process's own; a number is a descriptor of this
 * process; a stream must have one (an opened file, a socket, `process.stdout`).
 */
export type Stdio = typeof PIPE | typeof DEVNULL | number | Stream | undefined

export type Encoding = BufferEncoding | undefined
/** What is captured: text where an encoding is given, else bytes. */
export type Output<E extends Encoding> = E extends undefined ? Buffer : string

/** How a program is started. What is left out is as in this process. */
export interface PopenOptions<E extends Encoding = Encoding> {
  stdin?: Stdio
  stdout?: Stdio
  stderr?: Stdio | typeof STDOUT
  cwd?: string | undefined
  /** The whole environment of the child: nothing is added to it. */
  env?: Readonly<Record<string, string | undefined>> | undefined
  /**
   * Default false: the first argument is the program, the rest are passed as they are; nothing is ever
   * parsed. True: /bin/sh runs the string; of an array it runs the first, the others are its $0, $1 …. A
   * string: the shell to take.
   */
  shell?: boolean | string | undefined
  /** Text in and out in this encoding, with every line end as \n; left out: Buffers. */
  encoding?: E
  /**
   * Start the child as the leader of a process group (and session) of its own, and make kill(), terminate()
   * and timeouts reach all of it. Such a child is out of reach of the terminal and its Ctrl-C; `run()` and
   * its kin pass on to it what ends this process. Default false for Popen; for `run()` and its kin, true
   * where a `timeout` or a `signal` could end the child.
   */
  group?: boolean | undefined
  /** The program to start in place of the first argument (or of the shell), which stays its argv[0]. */
  executable?: string | undefined
  uid?: number | undefined
  gid?: number | undefined
}

/** How a program is run to its end. */
export interface RunOptions<
  E extends Encoding = Encoding,
  C extends boolean | undefined = boolean | undefined,
>
  extends PopenOptions<E>, WaitOptions {
  /** What the child reads on stdin, to the last byte. */
  input?: string | Uint8Array | undefined
  /** stdout and stderr are PIPE. */
  captureOutput?: C
  /** Another end than with exit code 0 is a CalledProcessError. */
  check?: boolean | undefined
}

/** What is captured with these options; null where nothing is. */
export type Captured<E extends Encoding, C> = C extends true ? Output<E> : Output<E> | null

/** A start, as the system is asked for it. */
export interface Launch {
  /** What the caller gave, for messages. */
  readonly command: Command
  readonly file: string
  readonly argv0: string
  readonly args: readonly string[]
  readonly stdin: Stdio
  readonly stdout: Stdio
  readonly stderr: Stdio | typeof STDOUT
  readonly cwd: string | undefined
  readonly env: Readonly<Record<string, string>> | undefined
  readonly encoding: Encoding
  readonly group: boolean
  readonly uid: number | undefined
  readonly gid: number | undefined
}

/** The launch behind the options of Popen, or what is wrong with them. */
export function launchOf(command: Command, options: PopenOptions = {}, group = false): Launch {
  checkOptions(options)
  const { shell = false, executable, cwd, encoding, uid, gid } = options
  if (typeof shell !== 'string') checkBoolean(shell, 'shell')
  if (options.group !== undefined) checkBoolean(options.group, 'group')
  if (encoding !== undefined && !(typeof encoding === 'string' && Buffer.isEncoding(encoding)))
    throw new RangeError(`encoding must be one that Buffer knows, got ${String(encoding)}`)
  if (executable !== undefined) checkWord(executable, 'executable', true)
  if (cwd !== undefined) checkWord(cwd, 'cwd', true)
  if (uid !== undefined) checkInteger(uid, 'uid', 0)
  if (gid !== undefined) checkInteger(gid, 'gid', 0)
  for (const name of ['stdin', 'stdout', 'stderr'] as const) checkStdio(options[name], name)
  const [argv0, ...args] = argvOf(command, shell)
  return {
    command,
    file: executable ?? argv0,
    argv0,
    args,
    stdin: options.stdin,
    stdout: options.stdout,
    stderr: options.stderr,
    cwd,
    env: environmentOf(options.env),
    encoding,
    group: options.group ?? group,
    uid,
    gid,
  }
}

/** The launch behind the options of run() and its kin. */
export function runLaunchOf(command: Command, options: RunOptions = {}): Launch {
  checkOptions(options)
  checkWaitOptions(options)
  const { input, captureOutput = false, check, timeout, signal, ...rest } = options
  checkBoolean(captureOutput, 'captureOutput')
  if (check !== undefined) checkBoolean(check, 'check')
  checkInput(input)
  if (input !== undefined) {
    if (rest.stdin !== undefined)
      throw new TypeError('stdin and input exclude each other: input is the stdin')
    rest.stdin = PIPE
  }
  if (captureOutput) {
    for (const name of ['stdout', 'stderr'] as const)
      if (rest[name] !== undefined)
        throw new TypeError(`${name} and captureOutput exclude each other: captureOutput makes it PIPE`)
    rest.stdout = rest.stderr = PIPE
  }
  return launchOf(command, rest, timeout !== undefined || stopsOf(signal).length > 0)
}

/** What checkOutput() decides itself. */
export function checkCaptures(options: object | undefined): void {
  checkOptions(options)
  for (const name of ['stdout', 'captureOutput', 'check'])
    if ((options as Record<string, unknown> | undefined)?.[name] !== undefined)
      throw new TypeError(`checkOutput() takes no ${name}: it captures stdout, and checks`)
}

/** What a child may be given to read. */
export function checkInput(input: unknown): asserts input is string | Uint8Array | undefined {
  if (input === undefined || typeof input === 'string' || types.isUint8Array(input)) return
  throw new TypeError(`input must be a string or a Uint8Array, got ${typeof input}`)
}

/** argv as the system gets it. */
function argvOf(command: Command, shell: boolean | string): [string, ...string[]] {
  if (typeof command !== 'string') checkStrings(command ?? null, 'args')
  const words = typeof command === 'string' ? [command] : [...command]
  const [first] = words
  if (first === undefined)
    throw new RangeError('args must be a program name, or an array that begins with one')
  for (const [i, word] of words.entries())
    checkWord(word, typeof command === 'string' ? 'the command' : `args[${i}]`, i === 0 && shell === false)
  if (shell === false) return [first, ...words.slice(1)]
  const program = shell === true ? '/bin/sh' : shell
  checkWord(program, 'shell', true)
  return [program, '-c', ...words]
}

/** What is to reach a program byte for byte: a NUL would end it early, half a surrogate pair has no UTF-8. */
export function checkWord(word: unknown, what: string, filled = false): void {
  checkString(word ?? null, what)
  const text = word as string
  if (filled && text === '') throw new RangeError(`${what} must not be empty`)
  const at = text.indexOf('\0')
  if (at >= 0) throw new RangeError(`${what} has a NUL character at ${at}: no program can be given one`)
  const half = text.search(/\p{Surrogate}/u)
  if (half >= 0)
    throw new RangeError(`${what} has half of a surrogate pair at ${half}: it cannot be written as UTF-8`)
}

function environmentOf(env: PopenOptions['env']): Record<string, string> | undefined {
  checkOptions(env, 'env')
  if (env === undefined) return undefined
  const own = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue
    checkWord(name, 'a name in env', true)
    if (name.includes('=')) throw new RangeError(`a name in env must not have an "=", got ${name}`)
    checkWord(value, `env.${name}`)
    own[name] = value
  }
  return own
}

function checkStdio(value: unknown, name: 'stdin' | 'stdout' | 'stderr'): void {
  if (value === undefined || value === PIPE || value === DEVNULL) return
  if (value === STDOUT) {
    if (name === 'stderr') return
    throw new TypeError(`${name} cannot be STDOUT: only stderr can go where stdout goes`)
  }
  if (typeof value === 'number') return checkInteger(value, name, 0)
  if (!(value instanceof Stream))
    throw new TypeError(
      `${name} must be PIPE, DEVNULL, a descriptor or a stream, got ${inspect(value, { depth: 0 })}`,
    )
  const { fd, _handle } = value as { fd?: unknown; _handle?: unknown }
  if (typeof fd !== 'number' && (_handle === undefined || _handle === null))
    throw new TypeError(
      `${name} is a stream without a descriptor: wait for its 'open' event, or take PIPE and pipe() it`,
    )
}
