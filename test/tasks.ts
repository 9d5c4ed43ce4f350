/**
 * What the system says of the threads of a process: for tests that must know that somebody runs, or waits,
 * and cannot ask. Linux only, as are the counts in leaks.ts.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The system's number of the thread that calls this: also from inside of a target. */
export function ownTask(): number {
  return Number(readlinkSync('/proc/thread-self').split('/')[2])
}

/** Its threads that are in this state: 'R' for those that run or could, 'S' for those that sleep. */
export function tasksIn(state: 'R' | 'S', pid: number = process.pid): number[] {
  const found: number[] = []
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'latin1')
      if (stat.slice(stat.lastIndexOf(')') + 2).startsWith(state)) found.push(Number(task))
    }
  } catch {
    // it has ended, or one of them has
  }
  return found
}

/** Resolves when `look` answers true; rejects after half a minute. */
export async function until(what: string, look: () => boolean): Promise<void> {
  for (let turn = 0; turn < 15_000; turn++) {
    if (look()) return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  throw new Error(`in vain: ${what}`)
}
