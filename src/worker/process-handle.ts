/**
 * The handle of a child process: spawns it, owns its control channel, and tells its end exactly once.
 */
import type { ChildProcess } from 'node:child_process'
import { statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { ownFile } from '../core/bundle.ts'
import { identity } from '../core/context.ts'
import { hasOpened } from '../memory/participants.ts'
import { regionForProcess } from '../memory/region.ts'
import { buryProcess } from '../memory/sweep.ts'
import type { Channel, Receive } from '../transport/channel.ts'
import { StreamChannel } from '../transport/stream.ts'
import { childArgv } from './argv.ts'
import { childEnv, refuseNestedStart, sendStart } from './begin.ts'
import type { Exit, WorkerHandle, WorkerOptions } from './handle.ts'
import { prepare, watch, withdraw } from './reaper.ts'

export interface ProcessWorkerOptions extends WorkerOptions {
  env?: NodeJS.ProcessEnv | undefined
  execArgv?: readonly string[] | undefined
  /** See core/context. */
  path: readonly number[]
  stdio?: 'inherit' | 'pipe' | 'ignore' | undefined
  cwd?: string | undefined
  /** A file descriptor that the child inherits as 4. */
  ledger?: number | undefined
}

let entry: string | undefined

/**
 * A stream that outlives its process is held open by a grandchild; nobody waits for that longer than this.
 */
const streamGrace = 500

/** Milliseconds for a process that has closed its stream to end: Node closes it early on its way out. */
const silenceGrace = 3_000

export class ProcessHandle implements WorkerHandle {
  readonly name: string
  readonly pid: number
  readonly channel: Channel
  readonly stdout: Readable | null
  readonly stderr: Readable | null

  fault: string | undefined
  onSilence: () => void = () => {}
  onExit: (exit: Exit) => void = () => {}

  readonly #child: ChildProcess
  #exit: Exit | null = null
  #streamEnded = false
  #silence: NodeJS.Timeout | undefined
  #told = false

  /** Spawns; where that fails, throws. `receive` gets every record that the child sends. */
  constructor(options: ProcessWorkerOptions, receive: Receive) {
    refuseNestedStart(options.name)
    entry ??= fileURLToPath(ownFile('./entry.js', import.meta.url))
    const stdio = options.stdio ?? 'inherit'
    // With the first child, not with the import: it brings half of node along, 3 ms.
    const { spawn } = process.getBuiltinModule('node:child_process')
    prepare()
    const memory = regionForProcess()
    const inherited = [options.ledger, memory.fd].filter((fd) => fd !== undefined)
    const child = spawn(process.execPath, [...childArgv(options), entry], {
      stdio: ['ignore', stdio, stdio, 'pipe', ...inherited],
      cwd: options.cwd,
      env: childEnv(options.env),
      windowsHide: true,
    })
    child.on('error', () => {}) // said at once, below; later ones (a kill that fails) say nothing new
    if (child.pid === undefined) throw spawnError(options)
    this.name = options.name
    this.pid = child.pid
    this.stdout = child.stdout
    this.stderr = child.stderr
    this.#child = child
    child.once('exit', this.#exited)
    this.channel = new StreamChannel(child.stdio[3] as Socket, receive, this.#ended)
    watch(child.pid)
    const { name, daemon, path } = options
    // The descriptors are counted from 4 in the child, the region's is the last.
    const origin = memory.fd === undefined ? memory : { fd: 3 + inherited.length }
    const parent = { name: identity.name, pid: process.pid, daemon: identity.daemon }
    sendStart(this, { name, daemon, path, parent, role: options.role, memory: origin }, options.setup)
  }

  get who(): string {
    return `${this.name} (pid ${this.pid})`
  }

  get exit(): Exit | null {
    return this.#exit
  }

  /** False where the process has ended already; never reaches a process that got the same pid later. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): boolean {
    return this.#exit === null && this.#child.kill(signal)
  }

  hasOpened(): boolean {
    return hasOpened(this.pid)
  }

  ref(): void {
    this.#child.ref()
    this.channel.ref()
    for (const pipe of [this.stdout, this.stderr]) (pipe as Socket | null)?.ref()
  }

  unref(): void {
    this.#child.unref()
    this.channel.unref()
    for (const pipe of [this.stdout, this.stderr]) (pipe as Socket | null)?.unref()
  }

  readonly #exited = (code: number | null, signal: NodeJS.Signals | null): void => {
    withdraw(this.pid)
    clearTimeout(this.#silence)
    const exitcode = code ?? -(signal === null ? 0 : constants.signals[signal])
    this.#exit = { code, signal, exitcode }
    try {
      buryProcess(this.pid)
    } finally {
      if (this.#streamEnded) this.#tell()
      else setTimeout(() => this.channel.destroy(), streamGrace).unref()
    }
  }

  /** A child whose stream has ended while it runs can neither be told anything nor be heard any more. */
  readonly #ended = (error?: Error): void => {
    this.#streamEnded = true
    if (this.#exit !== null) return this.#tell()
    this.onSilence()
    if (this.channel.garbled) this.#giveUp(error!.message)
    // Most likely it is about to end, and may do so by itself: its exit code is of interest.
    else this.#silence = setTimeout(() => this.#giveUp('it closed its control stream'), silenceGrace).unref()
  }

  #giveUp(why: string): void {
    if (this.kill()) this.fault = why
  }

  #tell(): void {
    if (this.#told) return
    this.#told = true
    this.onExit(this.#exit!)
  }
}

/** Node tells the reason a tick later; by then the caller believes in a running child. */
function spawnError(options: ProcessWorkerOptions): Error {
  const { cwd, name } = options
  if (cwd !== undefined && !statSync(cwd, { throwIfNoEntry: false })?.isDirectory())
    return Object.assign(
      new Error(`cannot start ${name}: its cwd ${JSON.stringify(cwd)} is not a directory`),
      {
        code: 'ENOENT',
      },
    )
  return Object.assign(
    new Error(
      `cannot start ${name}: the system refused a new process (limit of processes, files or memory?)`,
    ),
    { code: 'EAGAIN' },
  )
}
