/**
 * The system that this is. One file for each platform has the same exports; a platform without one has no
 * memory between processes, and threads share a SharedArrayBuffer.
 */
import type { Koffi } from './koffi.ts'
import { openSystem as openLinux, threads as ofLinux, type System, type Threads } from './os.linux.ts'

export type { System }

/** How threads are told apart, where the system says so without koffi. */
export const threads: Threads | undefined = process.platform === 'linux' ? ofLinux : undefined

export function openSystem(koffi: Koffi): System {
  if (process.platform === 'linux') return openLinux(koffi)
  const name = { darwin: 'macOS', win32: 'Windows' }[process.platform as string] ?? process.platform
  throw new Error(`memory between processes is not written for ${name} yet`)
}
