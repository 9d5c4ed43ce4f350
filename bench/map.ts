/**
 * Maps of many small items: a million numbers squared, 200,000 small objects turned into others. The rivals
 * in Node have no map: for them the items are cut into as many chunks as plait and Python cut, four a worker,
 * and the chunks are awaited together.
 */
import { Pool } from 'plait'
import { race, scaled, type Contender } from './measure.ts'
import { report, throughput } from './report.ts'
import { openPython } from './rivals/python.ts'
import { openRivals } from './rivals/rivals.ts'
import { workers } from './rivals/shared.ts'

const pool = new Pool(workers)
const rivals = await openRivals()
const python = await openPython()

async function inChunks(
  items: readonly unknown[],
  call: (part: readonly unknown[]) => PromiseLike<unknown>,
): Promise<unknown[]> {
  const size = Math.ceil(items.length / (4 * workers))
  const parts: PromiseLike<unknown>[] = []
  for (let i = 0; i < items.length; i += size) parts.push(call(items.slice(i, i + size)))
  return (await Promise.all(parts)).flat()
}

/** The first is plait, with `run`. */
const contenders = (
  items: readonly unknown[],
  run: () => unknown,
  job: string,
  asPython: 'numbers' | 'objects',
): Contender[] => {
  const count = items.length
  const others = rivals.map(({ name, call }) => ({
    name,
    count,
    run: () => inChunks(items, (part) => call(job, part)),
  }))
  const last = python && [{ name: python.name, count, run: () => python.ask(asPython, count) }]
  return [{ name: 'plait', count, run }, ...others, ...(last ?? [])]
}

const numbers = Array.from({ length: scaled(1_000_000) }, (_, i) => i)
const squaring = (): unknown => pool.map((x) => x * x, numbers)
report(
  'A map of a million numbers',
  await race(contenders(numbers, squaring, 'squares', 'numbers')),
  throughput('item'),
)

const objects = Array.from({ length: scaled(200_000) }, (_, id) => ({ id, ok: id % 2 === 0 }))
const turning = (): unknown => pool.map(({ id, ok }) => ({ id, ok: !ok }), objects)
report(
  'A map of 200,000 small objects',
  await race(contenders(objects, turning, 'turns', 'objects')),
  throughput('item'),
)

pool.terminate()
await Promise.all([pool.join(), python?.close(), ...rivals.map((rival) => rival.close())])
