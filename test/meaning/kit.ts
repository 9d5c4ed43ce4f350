/**
 * One body, bound to a process or to a thread: what the tests of this folder start elsewhere. They use the
 * public package alone, as a program would, and ask whether what Python means by a call is what comes of it.
 */
import { Process, SharedMemory } from 'plait'
import { Thread } from 'plait/threading'

export type Where = 'process' | 'thread'
export type Unit<A extends readonly unknown[] | [], R> = Process<A, R> | Thread<A, R>

/** Whether processes share memory here. */
export const mapped = isMapped()

export const wheres: readonly Where[] = mapped ? ['process', 'thread'] : ['thread']

/** Beyond any delay of a busy machine, and far below what a hang takes. */
export const soon = { timeout: 20_000 }

export function start<A extends readonly unknown[] | [], R>(
  where: Where,
  target: (...args: A) => R,
  args: A,
): Unit<A, R> {
  return where === 'process' ? new Process({ target, args }).start() : new Thread({ target, args }).start()
}

/** Ends it at once, whatever it does, and waits for that. */
export async function end(unit: Unit<never[], unknown> | Unit<any, any>): Promise<void> {
  if (unit instanceof Process) unit.kill()
  else unit.terminate()
  await unit.join()
}

/** Waits for its end, and gives what it returned. */
export async function resultOf<R>(unit: Unit<any, R>): Promise<Awaited<R>> {
  const result = await unit.result
  await unit.join()
  return result
}

function isMapped(): boolean {
  try {
    SharedMemory.create({ size: 1 }).close()
    return true
  } catch {
    return false
  }
}
