/**
 * Counts what a test file leaves behind: child processes, threads, descriptors. Import and call
 * `checkLeaks()` once at the top of a file; the counts before its first test and after its last must agree.
 * The one reaper that a process with children keeps is not a leak, nor is the pipe to it.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { after, before } from 'node:test'

interface Counts {
  readonly children: readonly string[]
  readonly threads: number
  readonly descriptors: readonly string[]
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
  return { children: children(), threads, descriptors: descriptors() }
}

/**
 * Registers the two counts. `slack`: descriptors that the first use of something opens for good: the reaper's
 * pipe, the doorbell's two ends. The memory of the program is one more, and never closed.
 */
export function checkLeaks(slack = 3): void {
  let at: Counts
  before(() => {
    at = count()
  })
  after(async () => {
    let now = count()
    // What was closed just now is gone a few turns of the loop later; a leak never is.
    for (let turn = 0; turn < 200 && !settled(at, now, slack); turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      now = count()
    }
    assert.deepEqual(now.children, at.children, 'child processes are left')
    const opened = now.descriptors.filter((one) => !at.descriptors.includes(one))
    assert.ok(
      now.descriptors.length <= at.descriptors.length + slack,
      `descriptors are left: ${opened.join(', ')}`,
    )
    assert.ok(now.threads <= at.threads + 4, `threads: ${at.threads} before, ${now.threads} after`)
  })
}

function settled(before: Counts, now: Counts, slack: number): boolean {
  return (
    now.children.length === before.children.length &&
    now.descriptors.length <= before.descriptors.length + slack
  )
}
