/**
 * Which file is the program's entry: the one that node was started with. Its code never runs in a worker, so
 * nothing of it travels by name. Asked by modules, commonjs and cycle; also the one `require` of this room's
 * sending side.
 */
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { cannotSend } from '../../codec/path.ts'
import { swallowed, swallowedHint } from '../../core/bundle.ts'

/** Code from the command line or stdin: Node makes up a file for it. */
const isCommandLine = /\/\[(?:(?:worker )?eval|stdin)\d*\]$/

/** Programs change their arguments. */
const started = process.argv[1]
let entry: string | undefined

let made: NodeJS.Require | undefined
/** Made late: in a bundle that swallowed plait there may be no URL. */
export function require(): NodeJS.Require {
  if (isSwallowed()) throw refuseSwallowed()
  return (made ??= createRequire(import.meta.url))
}

/** Whether a bundler has put this very code into the script at `url`, or into one without a URL. */
export function isSwallowed(url?: string): boolean {
  const own = import.meta.url as string | undefined
  return own === undefined || own === url
}

export function refuseSwallowed(): Error {
  return cannotSend(swallowed, swallowedHint)
}

/** Whether a URL is the entry's. */
export function isEntryUrl(url: string): boolean {
  if (!url.startsWith('file:')) return false
  if (isCommandLine.test(url)) return true
  try {
    return entryFiles().includes(fileURLToPath(url))
  } catch {
    return false
  }
}

/** The entry's paths; none where the program is no file. */
export function entryFiles(): readonly string[] {
  entry ??= realEntry()
  // With --preserve-symlinks-main it is named by the link. Process managers are started themselves, and load
  // the program as the main module.
  const names = [entry, started, require().main?.filename]
  return names.filter((name): name is string => name !== undefined && name !== '')
}

/** As Node finds it: a folder stands for its package's main file, and an extension may be missing. */
function realEntry(): string {
  if (started === undefined) return ''
  try {
    return realpathSync(require().resolve(started))
  } catch {
    return started
  }
}
