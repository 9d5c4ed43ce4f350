/**
 * What the system knows of a process: its CPU time, its memory, its children. From /proc, so Linux only;
 * nothing is asked of the process itself.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** CPU time of one process, in milliseconds, as the kernel's ticks have it: to 10 ms. */
export function cpu(pid: number): { user: number; system: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { user: Number(fields[11]) * 10, system: Number(fields[12]) * 10 }
}

/** CPU time of these processes, in milliseconds. */
export function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpu(pid).user + cpu(pid).system, 0)
}

/** The same to a microsecond, for processes none of whose threads ends meanwhile. */
export function fineCpuOf(pids: readonly number[]): number {
  let ns = 0
  for (const pid of pids)
    for (const thread of readdirSync(`/proc/${pid}/task`))
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  return ns / 1e6
}

/** Megabytes in memory, and those of them that it shares with nobody. */
export function memory(pid: number): { resident: number; own: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kB = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)![1])
  return { resident: kB('Rss') / 1024, own: (kB('Private_Clean') + kB('Private_Dirty')) / 1024 }
}

/** Its children, not theirs. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => parentOf(child) === pid)
}

function parentOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined // it has ended meanwhile
  }
}
