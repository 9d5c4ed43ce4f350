/**
 * How a map is cut into tasks. Python's formula (four chunks a worker) is the default; a task with a timeout
 * or retries is one item, because both are promises about items.
 */

/** Items in each chunk of a map of `length` items. */
export function defaultChunksize(length: number, workers: number, single: boolean): number {
  if (single) return 1
  return Math.max(1, Math.ceil(length / (4 * workers)))
}
