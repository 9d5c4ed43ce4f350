/**
 * What ends a wait before its time: the signal that its caller gave, that of the innermost child of a
 * TaskGroup around it, and that of the thread. Every wait of plait's asks here, so that the stop of a thread,
 * or the failure of a sibling, ends all of them alike. Only what cleans up waits without it: what was told to
 * end has to be seen to its end, stopped or not. (And runSync, which waits inside of Node.)
 */
import { onAbort, reasonOf } from './abort.ts'
import { currentSignal, currentThreadSignal, threadStopRequested } from './context.ts'

export type Stops = readonly AbortSignal[]

/** For a wait that sees something to its end. */
export const noStops: Stops = []

/** Those of a wait that begins here, with the `signal` of its caller. */
export function stopsOf(signal: AbortSignal | undefined): Stops {
  const own = currentSignal()
  if (own === undefined) return signal === undefined ? noStops : [signal]
  const all = new Set([signal, own, currentThreadSignal()])
  return Array.from(all).filter((one) => one !== undefined)
}

/** The one that has aborted already. */
export function abortedOf(stops: Stops): AbortSignal | undefined {
  return stops.find(({ aborted }) => aborted)
}

/**
 * Throws the reason where a wait that begins here would be ended at once. Asked also by those that may find
 * what they want without waiting: a loop over them is to end too, and who has given up must take nothing.
 */
export function throwIfStopped(signal: AbortSignal | undefined): void {
  const own = currentSignal()
  if (signal === undefined && own === undefined) return
  threadStopRequested()
  for (const one of [signal, own, currentThreadSignal()]) if (one?.aborted === true) throw reasonOf(one)
}

/**
 * Calls `fn` once, with the reason of the first that aborts from now on; answers how to take that back. What
 * has aborted before is the caller's to see.
 */
export function onStop(stops: Stops, fn: (reason: unknown) => void): () => void {
  const deaf: (() => void)[] = []
  const stop = (): void => deaf.forEach((one) => one())
  for (const signal of stops)
    deaf.push(
      onAbort(signal, (reason) => {
        stop()
        fn(reason)
      }),
    )
  return stop
}
