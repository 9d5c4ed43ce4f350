/**
 * A program that runs out of something, which must not happen in a test's process: `scarce-program.js MODE`
 * prints what it found as JSON. Started by scarce.test.ts alone.
 */
import { closeSync, openSync } from 'node:fs'
import { allocate, usage } from '#plait/memory/heap.js'
import { makeCell } from '#plait/memory/holders.js'
import { kinds } from '#plait/memory/layout.js'
import { Pool } from '#plait/pool/pool.js'
import { Link } from '#plait/transport/link.js'

/** Takes blocks of the shared memory, smaller and smaller ones, until there is none of `least` bytes. */
function fill(take: (bytes: number) => unknown, most: number, least: number): string {
  let refusal = ''
  for (let bytes = most; bytes >= least;)
    try {
      take(bytes)
    } catch (error) {
      refusal = (error as Error).name
      bytes /= 2
    }
  return refusal
}

const modes: Record<string, () => unknown> = {
  /** Out of descriptors from the start of a worker, which goes over to the rings at once, to its result. */
  async descriptors() {
    await using pool = new Pool(1)
    const first = pool.apply(() => 'first')
    const taken: number[] = []
    let code: unknown
    try {
      for (;;) taken.push(openSync('/dev/null', 'r'))
    } catch (error) {
      ;({ code } = error as NodeJS.ErrnoException)
    }
    const results = [await first, await pool.apply(() => 'second')]
    for (const fd of taken) closeSync(fd)
    results.push(await pool.apply(() => 'third'))
    return { code, results, restarts: pool.statistics().restarts }
  },
  /** No room for a link. */
  async memory() {
    const refusal = fill((bytes) => makeCell(kinds.lock, bytes / 4 - 64), 64 * 2 ** 20, 1024)
    await using pool = new Pool(2)
    return { refusal, results: await pool.map((n) => n + 1, [1, 2, 3]) }
  },
  /** Room for the cell of a link, and none for its rings. */
  rings() {
    const refusal = fill((bytes) => allocate(bytes, kinds.payload), 2 ** 30, 128 * 1024)
    const before = usage().blocks
    const errors = [1, 2].map(() => {
      try {
        return Link.make()
      } catch (error) {
        return (error as Error).name
      }
    })
    return { refusal, errors, left: usage().blocks - before }
  },
}

console.log(JSON.stringify(await modes[process.argv[2]]()))
process.exit()
