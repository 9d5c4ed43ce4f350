/**
 * What plait's rivals are told alike: how many workers, and where their files are. It imports none of them.
 */
import { fileURLToPath } from 'node:url'

/** Every pool has this many. */
export const workers = 2

/** A file beside the source of this one. */
export const file = (name: string): string =>
  fileURLToPath(new URL(`../../../bench/rivals/${name}`, import.meta.url))
