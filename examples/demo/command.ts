/**
 * The demo's command line: `[FOLDER] [--kill]`. main.ts calls it first; what cannot serve ends the program
 * with a sentence and exit code 2, before any work is begun.
 */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** Real code that no one here wrote: the project's own packages, seen from build/examples/demo/. */
const defaultFolder = fileURLToPath(new URL('../../../node_modules', import.meta.url))

/** The folder to look at, as an absolute path, and whether workers are to be killed. */
export function readCommand(): { folder: string; kill: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { kill: { type: 'boolean' } },
    })
    if (positionals.length > 1) throw new Error(`one folder at a time, not ${positionals.join(' and ')}`)
    // npm runs scripts in the package's folder; a relative path is meant from where the user typed it.
    const from = process.env['INIT_CWD'] ?? process.cwd()
    const folder = positionals[0] === undefined ? defaultFolder : resolve(from, positionals[0])
    if (!statSync(folder).isDirectory()) throw new Error(`${folder} is not a folder`)
    return { folder, kill: values.kill ?? false }
  } catch (error) {
    return giveUp(`${(error as Error).message}\nUsage: npm run demo [-- FOLDER] [--kill]`)
  }
}

/** Ends the program with a sentence. */
export function giveUp(message: string): never {
  console.error(message)
  process.exit(2)
}
