/**
 * Which file is the program's entry: the one that node was started with. Its code never runs in a worker, so
 * nothing of it travels by name. Asked by modules and commonjs; also the one `require` of this room's sending
 * side.
 */
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { cannotSend } from '../codec/path.ts'
import { swallowed, swallowedHint } from '../core/bundle.ts'

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
    const file = fileURLToPath(url)
    // With --preserve-symlinks-main it is named by the link.
    if (file === entryFile() || file === started) return true
    // Process managers are started themselves, and load the program as the main module.
    return file === require().main?.filename
  } catch {
    return false
  }
}

/** The entry's path, links resolved; empty where there is none. */
export function entryFile(): string {
  entry ??= realEntry()
  return entry
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
