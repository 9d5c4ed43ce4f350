/**
 * How a map is cut into tasks. Python's formula (four chunks a worker) is the default; a task with a timeout
 * or retries is one item, because both are promises about items. Where somebody watches, chunks are smaller:
 * results arrive chunk by chunk, and so does what is seen.
 */

/** Steps that can be told apart on a bar. */
const steps = 100

/** Items in each chunk of a map of `length` items; `shown`: its progress is. */
export function defaultChunksize(length: number, workers: number, single: boolean, shown = false): number {
  if (single) return 1
  return Math.max(1, Math.ceil(length / Math.max(4 * workers, shown ? steps : 0)))
}
