/**
 * plait's own files, which children load by their URLs. A bundler that copies plait into its output leaves
 * those files behind: then every way to a worker ends in the error here. Asked by whoever names a file of
 * plait's.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { PlaitError } from './errors.ts'
import { undisturbed } from './undisturbed.ts'

export const swallowed = 'this bundle contains plait itself, so no worker can import it'
export const swallowedHint = 'Mark plait as external when bundling'

/**
 * The URL of a file that lies beside the caller's; `base` is the caller's import.meta.url, which some
 * bundlers take away.
 */
export function ownFile(name: string, base: string | undefined): URL {
  const url = base === undefined ? undefined : new URL(name, base)
  if (url === undefined || !existsSync(url)) throw new PlaitError(`${swallowed}. ${swallowedHint}`)
  return url
}

/**
 * The exports of a room's file open.ts, loaded on the spot: what few programs need, or what opens a handle
 * that has just arrived. Undefined where the room has none.
 */
export function loadRoom(room: string): unknown {
  // The sources are a folder for each room; what is published lies in one.
  const file = [`./${room}-open.js`, `../${room}/open.js`]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path))
  if (file === undefined) return undefined
  try {
    return undisturbed(() => createRequire(import.meta.url)(file) as unknown)
  } catch (error) {
    throw new PlaitError(
      `plait's ${room} cannot be loaded while a module that imports it is being imported: await that first`,
      { cause: error },
    )
  }
}
