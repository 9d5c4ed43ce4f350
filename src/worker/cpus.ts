/**
 * How many processors this process may use: the affinity mask, and the quota of every control group above it.
 * A container with half a core sees all cores of the machine otherwise.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'

/** Processors this process may use (affinity and cgroup limits respected); at least 1. */
export function cpuCount(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(quota('/'))))
}

/** Processors that the control groups grant; Infinity where there is no limit. `root` is '/' but in tests. */
export function quota(root: string): number {
  let least = Infinity
  for (const line of read(join(root, 'proc/self/cgroup')).split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) continue
    const unified = controllers === ''
    if (!unified && !controllers.split(',').includes('cpu')) continue
    const top = join(root, 'sys/fs/cgroup', unified ? '' : 'cpu')
    // Inside a container the path may be the host's; what is mounted then is the group itself, at the top.
    for (let at = join(top, join('/', path)); at.startsWith(top); at = dirname(at))
      least = Math.min(least, unified ? unifiedQuota(at) : legacyQuota(at))
  }
  return least
}

function unifiedQuota(group: string): number {
  const [max, period] = read(join(group, 'cpu.max')).trim().split(' ')
  return ratio(Number(max), Number(period))
}

function legacyQuota(group: string): number {
  return ratio(
    Number(read(join(group, 'cpu.cfs_quota_us')) || NaN),
    Number(read(join(group, 'cpu.cfs_period_us'))),
  )
}

/** 'max', -1 and what is not there are no limit. */
function ratio(max: number, period: number): number {
  return max > 0 && period > 0 ? max / period : Infinity
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
