/**
 * plait's own files, which children load by their URLs. A bundler that copies plait into its output leaves
 * those files behind: then every way to a worker ends in the error here. Asked by whoever names a file of
 * plait's.
 */
import { existsSync } from 'node:fs'
import { PlaitError } from './errors.ts'

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
