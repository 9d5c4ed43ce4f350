/**
 * Lets a process die at one of its writes to shared memory: in the middle of whatever it does there, and for
 * the same number at the same one. The process loads this file before plait, which takes the operations once.
 */

/** The `execArgv` of a process that is to die. */
export const mortal: string[] = ['--import', import.meta.url]

let left = Infinity

/** In that process: so many writes from here it dies, before it writes. */
export function dieAt(write: number): void {
  left = write
}

if (process.execArgv.includes(import.meta.url))
  for (const name of ['store', 'add', 'sub', 'and', 'or', 'exchange', 'compareExchange'] as const) {
    const real = Atomics[name] as (...args: unknown[]) => unknown
    const write = (...args: unknown[]): unknown => {
      if (--left === 0) process.kill(process.pid, 'SIGKILL')
      return real(...args)
    }
    Object.defineProperty(Atomics, name, { value: write })
  }
