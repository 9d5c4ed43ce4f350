/** What the tests of this room share: turns of the event loop, gates, children that end as they are told. */
import assert from 'node:assert/strict'
import { sleep } from 'plait/coroutine'

/** A turn of the event loop: all that can settle without timers has. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A promise that somebody else settles. */
export function gate<T = void>(): {
  promise: Promise<T>
  open: (value: T) => void
  fail: (error: unknown) => void
} {
  let open!: (value: T) => void
  let fail!: (error: unknown) => void
  const promise = new Promise<T>((resolve, reject) => ([open, fail] = [resolve, reject]))
  return { promise, open, fail }
}

/** Until it is told to stop; then throws the reason. */
export const untilStopped = (signal: AbortSignal): Promise<void> => sleep(2 ** 40, { signal })

export const failing = (error: unknown): (() => never) => {
  return () => {
    throw error
  }
}

/** What `promise` rejects with, which is an AggregateError: its errors. */
export async function failuresOf(promise: Promise<unknown>): Promise<unknown[]> {
  const error: unknown = await promise.then(
    () => 'no error',
    (error: unknown) => error,
  )
  assert.ok(error instanceof AggregateError, String(error))
  return error.errors
}

/** Notes its name and the number of each of its turns. */
export function* counter(log: string[], name: string, turns: number): Generator<undefined, string> {
  for (let n = 1; n <= turns; n++) {
    log.push(`${name}${n}`)
    yield
  }
  return name
}
