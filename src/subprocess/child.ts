/**
 * One started program: its pipes, its end, and the signals to it. Popen and run() are faces of it. A start
 * that fails throws here, and leaves nothing. The child keeps the event loop alive until it ends, as any
 * child of Node does.
 */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import type { Stream, Writable } from 'node:stream'
import { openMerged, type Merged } from './merged.ts'
import { Moment } from './moment.ts'
import { DEVNULL, PIPE, STDOUT, type Launch, type Stdio } from './options.ts'
import { Output } from './output.ts'
import { restExists, restRuns, returncodeOf, send, sendToRest, signalNumber } from './signals.ts'
import { startError } from './start-errors.ts'

const nothing = (): void => {}

export class Child {
  readonly pid: number
  /** Null until the event loop has seen the end. */
  returncode: number | null = null
  readonly ended = new Moment()
  readonly stdin: Writable | null
  readonly stdout: Output | null
  readonly stderr: Output | null
  /** The leader of a process group of its own. */
  readonly group: boolean
  /** Of the group, something was there when the leader had ended. */
  #outlived = false

  constructor(launch: Launch) {
    const { stdout, stderr, encoding } = launch
    this.group = launch.group
    this.stdout = stdout === PIPE ? new Output(encoding) : null
    this.stderr = stderr === PIPE ? new Output(encoding) : null
    const merged = this.stdout !== null && stderr === STDOUT ? openMerged(this.stdout) : undefined
    if (merged === null) throw startError(launch, undefined)
    const child = start(launch, merged)
    this.pid = child.pid!
    this.stdin = child.stdin
    // A child that does not read to the end is no failure; its writer hears of it by the stream.
    this.stdin?.on('error', nothing)
    if (encoding !== undefined) this.stdin?.setDefaultEncoding(encoding)
    if (child.stdout !== null) this.stdout?.feed(child.stdout)
    if (child.stderr !== null) this.stderr?.feed(child.stderr)
    child.on('exit', (code, signal) => this.#end(returncodeOf(code, signal)))
  }

  /** Those of stdout and stderr that are pipes. */
  get outputs(): readonly Output[] {
    return [this.stdout, this.stderr].filter((output) => output !== null)
  }

  /** Sends it to the child, or to all of its group; nothing where all have ended. */
  signal(signal: NodeJS.Signals | number): void {
    const number = signalNumber(signal)
    if (this.returncode === null) send(this.group ? -this.pid : this.pid, number)
    else if (this.#outlived) this.#outlived = sendToRest(this.pid, number)
  }

  /** Whether something of its group, itself included, still runs. */
  get groupRuns(): boolean {
    if (this.returncode === null) return true
    return this.#outlived && (this.#outlived = restRuns(this.pid))
  }

  #end(returncode: number): void {
    this.returncode = returncode
    this.#outlived = this.group && restExists(this.pid)
    this.ended.happen()
  }
}

/** Starts the program or throws why it did not start. */
function start(launch: Launch, merged: Merged | undefined): ChildProcess {
  let child: ChildProcess
  try {
    child = spawn(launch.file, [...launch.args], spawnOptionsOf(launch, merged?.end))
  } catch (error) {
    merged?.cancel()
    const { code, syscall } = error as NodeJS.ErrnoException
    if (syscall !== 'spawn') throw error
    throw startError(launch, code)
  }
  // Comes too late for the caller, and once more with what is thrown below.
  child.on('error', nothing)
  if (child.pid === undefined) {
    merged?.cancel()
    throw startError(launch, undefined)
  }
  merged?.close()
  return child
}

function spawnOptionsOf(launch: Launch, merged: Stream | undefined): SpawnOptions {
  const { stdin, stdout, stderr } = launch
  return {
    ...commonOptions(launch),
    stdio:
      merged === undefined
        ? [stdioOf(stdin, 0), stdioOf(stdout, 1), stderr === STDOUT ? stdioOf(stdout, 1) : stdioOf(stderr, 2)]
        : [stdioOf(stdin, 0), merged, merged],
  }
}

/** What starts with and without waiting have in common. */
export function commonOptions({ argv0, cwd, env, group, uid, gid }: Launch): SpawnOptions & { shell: false } {
  return {
    argv0,
    shell: false,
    detached: group,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  }
}

/** As Node calls it. Left out, it is a descriptor of this process by number: fd 2 may lead to our fd 1. */
export function stdioOf(stdio: Stdio, own: number): 'pipe' | 'ignore' | number | Stream {
  if (stdio === undefined) return own
  if (stdio === PIPE) return 'pipe'
  return stdio === DEVNULL ? 'ignore' : stdio
}
