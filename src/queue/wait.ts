/**
 * wait(): which of many things are ready. Knows none of them: each says so itself, see core/waitable.
 */
import { checkIterable, show } from '../core/options.ts'
import { onStop, stopsOf, throwIfStopped } from '../core/stops.ts'
import { turnDue } from '../core/turn.ts'
import { isWaitable, waitable, type Waitable } from '../core/waitable.ts'
import { checkWaitOptions, startTimer, type WaitOptions } from '../core/waiting.ts'

/**
 * Waits until at least one is ready and resolves to those that are, in their order: connections with
 * something to receive (the end of their stream included), processes and threads that have ended. An empty
 * array past the deadline. Takes nothing from them. Python: `multiprocessing.connection.wait`.
 *
 * ```ts
 * const [a, b] = Pipe<number>()
 * const [c] = Pipe<number>()
 * await a.send(1)
 * const ready = await wait([b, c])
 * console.log(ready.map((end) => end === b)) // => [true]
 * ```
 */
export async function wait<O extends Waitable>(objects: Iterable<O>, options?: WaitOptions): Promise<O[]> {
  checkWaitOptions(options)
  checkIterable(objects, 'objects', 'connections, processes and threads')
  const all = [...objects]
  for (const [i, one] of all.entries())
    if (!isWaitable(one))
      throw new TypeError(`objects[${i}] must be a connection, a process or a thread, got ${show(one)}`)
  throwIfStopped(options?.signal)
  const stops: ((() => void) | undefined)[] = []
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<O[]>((resolve, reject) => {
      const tell = (one: O, error?: unknown): void => {
        if (error !== undefined) return reject(error)
        try {
          // It was ready, even where somebody was faster by now.
          resolve(all.filter((other) => other === one || isReady(other)))
        } catch (closed) {
          reject(closed)
        }
      }
      // All are asked before any is told of, so that those that are ready now are told together.
      for (const one of all) stops.push(one[waitable]((error) => tell(one, error)))
      const now = all.filter((_, i) => stops[i] === undefined)
      if (now.length > 0 || all.length === 0 || options?.timeout === 0) {
        const turn = turnDue()
        return resolve(turn === undefined ? now : turn.then(() => now))
      }
      timer = startTimer(options?.timeout, () => resolve([]))
      stops.push(onStop(stopsOf(options?.signal), reject))
    })
  } finally {
    clearTimeout(timer)
    for (const stop of stops) stop?.()
  }
}

function isReady(one: Waitable): boolean {
  const stop = one[waitable](() => {})
  stop?.()
  return stop === undefined
}
