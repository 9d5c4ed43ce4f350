/**
 * What the demo shows: a bar on a terminal, plain lines in a pipe, and at the end a table, the problems and
 * the rates. main.ts calls it; it knows what was found, and nothing of how.
 */
import { relative } from 'node:path'
import { SingleBar } from 'cli-progress'
import Table from 'cli-table3'
import type { Findings, Outcome } from './examine.ts'
import type { File } from './files.ts'

/** A progress display: `update` as often as you like, `stop` once. */
export interface Progress {
  update(done: number): void
  stop(): void
}

/** A bar on a terminal; elsewhere a line for each tenth of the way. */
export function showProgress(title: string, total: number): Progress {
  if (process.stdout.isTTY) {
    const format = `${title} {bar} {percentage}%  {value}/{total} files  {duration_formatted}`
    const bar = new SingleBar({ format, barCompleteChar: '█', barIncompleteChar: '░', hideCursor: true })
    bar.start(total, 0)
    return { update: (done) => bar.update(done), stop: () => bar.stop() }
  }
  let tenths = 0
  console.log(`${title}: ${total} files`)
  return {
    update(done) {
      const reached = Math.floor((done * 10) / total)
      if (reached > tenths) console.log(`${title}: ${reached * 10}%, ${done} of ${total} files`)
      tenths = reached
    },
    stop: () => {},
  }
}

/** The biggest finds, three of each kind. */
export function showFinds(folder: string, files: readonly File[], outcomes: readonly Outcome[]): void {
  const found = outcomes.flatMap((one, index) =>
    'problem' in one ? [] : [{ ...one, path: relative(folder, files[index]?.path ?? '') }],
  )
  const table = new Table({
    head: ['most', '', 'where'],
    colAligns: ['left', 'right', 'left'],
    style: style(),
  })
  const add = (
    title: string,
    size: (one: Findings) => number,
    place = (_one: Findings): string => '',
  ): void => {
    const best = found.toSorted((a, b) => size(b) - size(a)).slice(0, 3)
    for (const [index, one] of best.entries())
      table.push([index === 0 ? title : '', size(one).toLocaleString('en'), shorten(one.path + place(one))])
  }
  add(
    'lines in one function',
    (one) => one.longest.lines,
    ({ longest }) => `:${longest.line} ${longest.name}`,
  )
  add('functions', (one) => one.functions)
  add('tokens', (one) => one.tokens)
  add('bytes after gzip', (one) => one.gzipped)
  console.log(table.toString())
}

/** How many files could not be examined, and the first of them with their reasons. */
export function showProblems(
  listing: readonly string[],
  files: readonly File[],
  outcomes: readonly Outcome[],
): void {
  const lines = outcomes.flatMap((one, index) =>
    'problem' in one ? [`${one.problem}: ${files[index]?.path}: ${one.message}`] : [],
  )
  lines.unshift(...listing.map((message) => `unreadable: ${message}`))
  if (lines.length === 0) return
  console.log(`${lines.length} could not be examined; the others went on`)
  for (const line of lines.slice(0, 5)) console.log(`  ${line}`)
  if (lines.length > 5) console.log(`  … and ${lines.length - 5} more`)
}

/** Prints files and bytes per second; returns the bytes per millisecond. */
export function showRate(title: string, files: readonly File[], ms: number): number {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const [seconds, megabytes] = [ms / 1000, bytes / 1e6]
  const count = files.length.toLocaleString('en')
  const speed = `${Math.round(files.length / seconds).toLocaleString('en')} files/s`
  console.log(
    `${title}: ${count} files, ${megabytes.toFixed(1)} MB in ${seconds.toFixed(1)} s: ` +
      `${speed}, ${(megabytes / seconds).toFixed(1)} MB/s`,
  )
  return bytes / ms
}

/** No line between rows, and no colours where no terminal shows them. */
function style(): object {
  return process.stdout.isTTY ? { compact: true } : { compact: true, head: [], border: [] }
}

/** The end of a long path says more than its beginning. */
function shorten(path: string): string {
  return path.length > 70 ? `…${path.slice(-69)}` : path
}
