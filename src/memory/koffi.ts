/**
 * koffi, an optional dependency: calls to the system without a compiler. Loaded with the first region, in the
 * one call below. Why it cannot be used is kept, for the errors of whoever needs memory between processes.
 */
import { createRequire } from 'node:module'

/** What plait uses of it. */
export interface Koffi {
  load(path: string | null): { func(declaration: string): (...args: unknown[]) => unknown }
  view(address: bigint | number, bytes: number): ArrayBuffer
  errno(): number
}

let loaded: Koffi | undefined
let reason: string | undefined

/** koffi, or why there is none. */
export function loadKoffi(): Koffi | string {
  if (loaded !== undefined) return loaded
  if (reason !== undefined) return reason
  try {
    loaded = createRequire(import.meta.url)('koffi') as Koffi
    return loaded
  } catch (error) {
    const message = error instanceof Error ? error.message.split('\n')[0]! : String(error)
    return (reason = `its optional dependency koffi cannot be loaded: ${message}`)
  }
}
