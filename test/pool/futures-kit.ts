/** For tests of executors: workers that are busy until the test says so, and ways to read what comes out. */
import type { Executor, Future } from 'plait/futures'
import { type Gate, hold, reach } from '../gate.js'

/** From inside a task: says that it has begun, holds its thread until `go`, returns `value`. */
export function holdUntil<T>(folder: string, name: string, go: string, value: T): T {
  reach(folder, name)
  hold(folder, go)
  return value
}

/** Keeps `workers` workers busy until gate.open('go'); resolves, with their futures, when all have begun. */
export async function occupy(executor: Executor, gate: Gate, workers = 1): Promise<Future<number>[]> {
  const futures = Array.from({ length: workers }, (_, i) =>
    executor.submit(holdUntil<number>, gate.folder, `busy-${i}`, 'go', i),
  )
  for (const [i] of futures.entries()) await gate.reached(`busy-${i}`)
  return futures
}

export async function rest<R>(iterator: AsyncIterable<R>): Promise<R[]> {
  const all: R[] = []
  for await (const value of iterator) all.push(value)
  return all
}
