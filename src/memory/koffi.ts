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
    const own = createRequire(import.meta.url)
    return (loaded = loadNative(own) ?? (own('koffi') as Koffi))
  } catch (error) {
    const message = error instanceof Error ? error.message.split('\n')[0]!.replace(/\.$/, '') : String(error)
    return (reason = `its optional dependency koffi cannot be loaded: ${message}`)
  }
}

/**
 * Its native part alone: what koffi's own loader does to find it takes 5 ms, in each worker again. Undefined
 * where it is not where it usually is.
 */
function loadNative(own: NodeJS.Require): Koffi | undefined {
  const { platform, arch } = process
  try {
    const path = `@koromix/koffi-${platform}-${arch}/${platform}_${arch}/koffi.node`
    return createRequire(own.resolve('koffi'))(path) as Koffi
  } catch {
    return undefined
  }
}
