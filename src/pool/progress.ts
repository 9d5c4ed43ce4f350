/**
 * Who follows a map or an imap on its way: the caller's onProgress, and with `progress` a display on stderr.
 * Faces make one for each submit that asks for it, and end it before its promise settles, however it settles.
 * On a terminal cli-progress draws a bar, in one block for all that run at the same time; elsewhere there are
 * plain lines, few of them. The library is loaded with the first bar. It changes no mode of the terminal, so
 * a program that is killed leaves nothing behind; and it keeps no event loop alive.
 */
import type { GenericBar, MultiBar } from 'cli-progress'
import { require } from '../closure/names/entry.ts'
import { inCallersContext, outside } from '../core/context.ts'
import type { MapOptions } from './options.ts'

/** What a map tells while it runs, and at its end. */
export interface Follower {
  /** Undefined where nobody asked. */
  readonly onProgress: MapOptions['onProgress']
  /** The work begins; twice is once. */
  start(): void
  end(): void
}

/** What is shown of one map. */
interface Display {
  update(done: number): void
  end(): void
}

const nothing = (): void => {}

/** `total` is undefined where nobody can know it. */
export function follow(options: MapOptions | undefined, total: number | undefined): Follower {
  const progress = options?.progress ?? false
  const onProgress = inCallersContext(options?.onProgress)
  if (progress === false || total === 0) return { onProgress, start: nothing, end: nothing }
  const noun = progress === true ? 'items' : progress
  let display: Display | undefined
  return {
    onProgress: (done, of) => {
      display?.update(done)
      onProgress?.(done, of)
    },
    start: () => (display ??= drawsBars(process.stderr) ? bar(noun, total) : new Lines(noun, total)),
    end: () => {
      display?.end()
      display = undefined
    },
  }
}

function drawsBars(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && process.env['TERM'] !== 'dumb'
}

/** Milliseconds between two lines about the same map. */
const betweenLines = 10_000

/** For a pipe or a file: a line now and then, and one at the end. */
export class Lines implements Display {
  readonly #noun: string
  readonly #total: number | undefined
  readonly #began = Date.now()
  #last = this.#began
  #done = 0

  constructor(noun: string, total: number | undefined) {
    this.#noun = noun
    this.#total = total
  }

  update(done: number): void {
    this.#done = done
    if (Date.now() - this.#last >= betweenLines) this.#print()
  }

  end(): void {
    this.#print()
  }

  #print(): void {
    this.#last = Date.now()
    const seconds = ((this.#last - this.#began) / 1000).toFixed(1)
    const of = this.#total === undefined ? '' : ` of ${this.#total}`
    process.stderr.write(`${this.#done}${of} ${this.#noun} after ${seconds} s\n`)
  }
}

/** The block of bars on the terminal; undefined while none is active. */
let block: { multi: MultiBar & { timer?: NodeJS.Timeout }; active: number } | undefined

const leaveBlock = (): void => block?.multi.stop()

/** What is done is told to the library when it draws: a map may have a million items. */
const beforeDrawing = ['update-pre', 'stop-pre-clear']

function bar(noun: string, total: number | undefined): Display {
  let done = 0
  const open = (block ??= openBlock())
  const format =
    total === undefined
      ? '{value} {noun} in {duration_formatted}'
      : '{bar} {percentage}%  {value}/{total} {noun}  ETA {eta_formatted}'
  const drawn: GenericBar = outside(() => open.multi.create(total ?? 0, 0, { noun }, { format }))
  const refresh = (): void => drawn.update(done)
  for (const event of beforeDrawing) open.multi.on(event, refresh)
  open.multi.timer?.unref()
  open.active++
  return {
    update: (now) => (done = now),
    end: () => {
      refresh()
      for (const event of beforeDrawing) open.multi.off(event, refresh)
      drawn.stop()
      if (--open.active > 0) return
      open.multi.stop()
      process.off('exit', leaveBlock)
      block = undefined
    },
  }
}

function openBlock(): NonNullable<typeof block> {
  const cliProgress = require()('cli-progress') as typeof import('cli-progress')
  const columns = process.stderr.columns || 80
  const multi: MultiBar & { timer?: NodeJS.Timeout } = new cliProgress.MultiBar({
    stream: process.stderr,
    // Of the last five seconds.
    etaBuffer: 50,
    formatTime,
    barsize: Math.max(10, Math.min(40, columns - 50)),
    barCompleteChar: '█',
    barIncompleteChar: '░',
    // Both would switch modes of the terminal that only a proper end switches back.
    hideCursor: false,
    linewrap: true,
    // It would listen for SIGINT, and so keep Ctrl-C from ending the program.
    gracefulExit: false,
  })
  multi.on('update-post', () => multi.timer?.unref())
  process.on('exit', leaveBlock)
  return { multi, active: 0 }
}

/** The library says 'INF' where nothing was done yet. */
function formatTime(seconds: number): string {
  if (!Number.isFinite(seconds)) return '…'
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`
}
