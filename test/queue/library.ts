/** A module that items name. */
import { basename } from 'node:path'

export function basenameOf(path: string): string {
  return basename(path)
}
