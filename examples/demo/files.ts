/**
 * The files below a folder that the demo looks at: JavaScript and TypeScript by name, biggest first, so that
 * no worker begins the largest one when the others are done. What cannot be listed is counted and passed
 * over.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** One file to examine. */
export interface File {
  readonly path: string
  readonly bytes: number
}

/** What there is below a folder, and for each place that could not be looked at a message. */
export interface Listing {
  readonly files: readonly File[]
  readonly problems: readonly string[]
}

/** Lists `folder` and all below it; links to files are followed, links to folders are not. */
export function listSources(folder: string): Listing {
  const files: File[] = []
  const problems: string[] = []
  const look = (path: string): void => {
    try {
      for (const entry of readdirSync(path, { withFileTypes: true })) {
        const child = join(path, entry.name)
        if (entry.isDirectory()) look(child)
        else if (/\.[cm]?[jt]sx?$/.test(entry.name)) add(child)
      }
    } catch (error) {
      problems.push((error as Error).message)
    }
  }
  const add = (path: string): void => {
    try {
      const stat = statSync(path)
      if (stat.isFile()) files.push({ path, bytes: stat.size })
    } catch (error) {
      problems.push((error as Error).message)
    }
  }
  look(folder)
  files.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1))
  return { files, problems }
}
