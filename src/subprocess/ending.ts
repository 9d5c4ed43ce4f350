/**
 * How run() ends a program that may not go on: all of its group is killed, and run() settles only when that
 * is gone and what it had written is read. Every wait in here is bounded: what left the group, or may not be
 * killed, holds up nobody.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { drainGrace, groupGrace } from '../core/limits.ts'
import { noStops } from '../core/stops.ts'
import type { Child } from './child.ts'
import type { Communication } from './communication.ts'

/** Kills the child and what it started. Undefined, or what the system said against it: then it goes on. */
export async function killAndWait(child: Child, communication: Communication): Promise<unknown> {
  const failed = tryToKill(child)
  if (failed === undefined) {
    await child.ended.wait({}, noStops)
    await communication.drained.wait({ timeout: drainGrace }, noStops)
  }
  for (const stream of [child.stdin, ...child.outputs]) stream?.destroy()
  if (failed === undefined && child.group) await vanished(child)
  return failed
}

function tryToKill(child: Child): unknown {
  try {
    child.signal('SIGKILL')
    return undefined
  } catch (error) {
    return error
  }
}

/** The rest of a group ends a moment after its leader, and nothing tells of it. */
async function vanished(child: Child): Promise<void> {
  for (let waited = 0, step = 1; child.groupRuns && waited < groupGrace; waited += step, step *= 2)
    await sleep(step)
}
