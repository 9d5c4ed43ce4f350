/**
 * A program that runs out of something, which must not happen in a test's process: `scarce-program.js MODE`
 * prints what it found as JSON. Started by scarce.test.ts alone.
 */
import { closeSync, openSync } from 'node:fs'
import { load, store } from '#plait/memory/atomics.js'
import { allocate, usage } from '#plait/memory/heap.js'
import { cellWord, makeCell } from '#plait/memory/holders.js'
import { kinds } from '#plait/memory/layout.js'
import { region } from '#plait/memory/region.js'
import { Pool } from '#plait/pool/pool.js'
import '#plait/sync/open.js'
import { Link } from '#plait/transport/link.js'
import { Thread } from '#plait/worker/thread.js'

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

function takeDescriptors(): number[] {
  const taken: number[] = []
  for (;;)
    try {
      taken.push(openSync('/dev/null', 'r'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EMFILE') return taken
      throw error
    }
}

/** Says that it runs, and ends when it is told. */
async function endsWhenTold(gate: number): Promise<string> {
  const { words } = region()
  store(words, cellWord(gate), 1)
  while (load(words, cellWord(gate)) !== 2) await new Promise((resolve) => setTimeout(resolve, 1))
  return 'told'
}

const modes: Record<string, () => unknown> = {
  /** Out of descriptors from the start of a worker, which goes over to the rings at once, to its result. */
  async descriptors() {
    await using pool = new Pool(1)
    const first = pool.apply(() => 'first')
    const taken = takeDescriptors()
    const results = [await first, await pool.apply(() => 'second')]
    for (const fd of taken) closeSync(fd)
    results.push(await pool.apply(() => 'third'))
    return { results, restarts: pool.statistics().restarts }
  },
  /** Out of descriptors when a thread ends: what is to be swept then waits, and the end is told. */
  async end() {
    const gate = makeCell(kinds.lock, 4)
    const thread = new Thread({ target: endsWhenTold, args: [gate] }).start()
    while (load(region().words, cellWord(gate)) === 0) await new Promise((resolve) => setImmediate(resolve))
    const taken = takeDescriptors()
    store(region().words, cellWord(gate), 2)
    // What the thread had is given back before its end is told, and taken at once.
    while (thread.isAlive()) {
      taken.push(...takeDescriptors())
      await new Promise((resolve) => setImmediate(resolve))
    }
    const joined = await thread.join({ timeout: 10_000 })
    for (const fd of taken) closeSync(fd)
    return { joined, result: await thread.result }
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
