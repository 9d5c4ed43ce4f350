/**
 * Counts what a test file leaves behind: child processes, threads, descriptors, and in shared memory blocks,
 * participants and slots. Import and call `checkLeaks()` once at the top of a file; the counts before its
 * first test and after its last must agree. The one reaper that a process with children keeps is not a leak,
 * nor is the pipe to it. Threads are those of the system and those of the published plait's own table: the
 * table of the sources, where a test runs threads of theirs, is looked at where it lies.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync, stat } from 'node:fs'
import { after, before } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { heritage } from '#plait/core/context.js'
import { kinds } from '#plait/memory/layout.js'
import { regionsInUse, type Use } from './regions.js'

interface Counts {
  readonly children: readonly string[]
  readonly threads: number
  readonly descriptors: readonly string[]
  readonly regions: ReadonlyMap<number, Use>
  /** Entries of the sources' table of threads, those that were never filled included. */
  readonly entries: number
}

/** Pids that hang on this process, with their command lines. */
function children(): string[] {
  const found: string[] = []
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
      if (Number(parent) !== process.pid) continue
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      if (!command.includes('/bin/sh -c')) found.push(`${pid} ${command}`)
    } catch {
      // it ended meanwhile
    }
  }
  return found
}

function descriptors(): string[] {
  const found: string[] = []
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      found.push(`${fd} ${readlinkSync(`/proc/self/fd/${fd}`).replace(/:\[\d+\]$/, '')}`)
    } catch {
      // the descriptor of the listing itself
    }
  }
  // A thread that is ended while it imports leaves the descriptors of those modules: they are Node's.
  return found.filter((one) => !one.includes('memfd:plait') && !/\/(dist|build)\/.*\.js$/.test(one))
}

function count(): Counts {
  const threads = Number(/^Threads:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
  return {
    children: children(),
    threads,
    descriptors: descriptors(),
    regions: regionsInUse(),
    entries: threadEntries(),
  }
}

/** The layout is told in worker/threads.ts. */
function threadEntries(): number {
  const table = heritage.get('threads') as SharedArrayBuffer | undefined
  if (table === undefined) return 1
  const words = new Int32Array(table)
  let taken = 0
  for (let i = 32; i < words.length; i += 32) if (words[i] !== 0) taken++
  return taken
}

const nothing: Use = { blocks: new Map(), participants: 0, halfClaimed: 0 }
const nameOf = new Map(Object.entries(kinds).map(([name, kind]) => [kind as number, name]))

/** What of it is not compared, and why is said where that is asked for. */
export type Exception = 'blocks' | 'slots'

/** What is more in shared memory than it was; the main thread may have begun to take part. */
function leftInMemory({ regions: then }: Counts, { regions: now }: Counts, except: Exception[]): string[] {
  const left: string[] = []
  for (const [inode, use] of now) {
    const was = then.get(inode) ?? nothing
    for (const [kind, n] of except.includes('blocks') ? [] : use.blocks) {
      const more = n - (was.blocks.get(kind) ?? 0)
      if (more > 0) left.push(`${more} of ${nameOf.get(kind)}`)
    }
    const most = Math.max(1, was.participants)
    if (use.participants > most) left.push(`${use.participants - most} participants`)
    if (use.halfClaimed > was.halfClaimed && !except.includes('slots'))
      left.push(`${use.halfClaimed - was.halfClaimed} slots half claimed`)
  }
  return left
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/**
 * Registers the two counts. `slack`: descriptors that the first use of something opens for good: the reaper's
 * pipe, the doorbell's two ends. The memory of the program is one more, and never closed. `except` blocks:
 * the file's own things stay to its end, a queue of the module, what a test of the heap takes; slots: it ends
 * threads while they take one.
 */
export function checkLeaks(slack = 3, ...except: Exception[]): void {
  let at: Counts
  before(() => {
    stat('.', () => {}) // Node's own threads for files, which begin with the first use of them
    at = count()
  })
  after(async () => {
    let now = count()
    // What was closed just now is gone a few turns of the loop later, what was dropped with the collector.
    for (let turn = 0; turn < 200 && !settled(at, now, slack, except); turn++) {
      gc()
      await new Promise((resolve) => setTimeout(resolve, 5))
      now = count()
    }
    assert.deepEqual(now.children, at.children, 'child processes are left')
    const opened = now.descriptors.filter((one) => !at.descriptors.includes(one))
    assert.ok(
      now.descriptors.length <= at.descriptors.length + slack,
      `descriptors are left: ${opened.join(', ')}`,
    )
    assert.ok(now.threads <= at.threads, `threads: ${at.threads} before, ${now.threads} after`)
    assert.ok(now.entries <= at.entries, `${now.entries - at.entries} entries of threads are left`)
    assert.deepEqual(leftInMemory(at, now, except), [], 'shared memory is left')
  })
}

function settled(before: Counts, now: Counts, slack: number, except: Exception[]): boolean {
  return (
    now.children.length === before.children.length &&
    now.descriptors.length <= before.descriptors.length + slack &&
    now.threads <= before.threads &&
    now.entries <= before.entries &&
    leftInMemory(before, now, except).length === 0
  )
}
