/**
 * The round trip of one task, `x => x * x`, with nothing else going on: the median, and the one that is
 * slower than 99 of 100.
 */
import { Pool } from 'plait'
import { quantile, rounds, scaled, type Measured } from './measure.ts'
import { duration, report } from './report.ts'
import { openPython } from './rivals/python.ts'
import { openRivals } from './rivals/rivals.ts'
import { workers } from './rivals/shared.ts'

const count = scaled(1_000)
const pool = new Pool(workers)
const square = (x: number): number => x * x
const rivals = await openRivals()
const python = await openPython()

async function trips(call: (x: number) => PromiseLike<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    await call(i)
    times.push(performance.now() - start)
  }
  return times
}

const contenders = [
  { name: 'plait', run: () => trips((x) => pool.apply(square, [x])) },
  ...rivals.map(({ name, call }) => ({ name, run: () => trips((x) => call('square', x)) })),
  ...(python === undefined ? [] : [{ name: python.name, run: () => python.ask('trips', count) }]),
]
const measured: (Measured & { figures: { median: number[]; p99: number[] } })[] = contenders.map(
  ({ name }) => ({ name, figures: { median: [], p99: [] } }),
)
for (let round = 0; round <= rounds(11); round++)
  for (const [i, { run }] of contenders.entries()) {
    const times = await run()
    if (round === 0) continue
    measured[i].figures.median.push(quantile(times, 0.5))
    measured[i].figures.p99.push(quantile(times, 0.99))
  }
report('Round trip of one task', measured, {
  median: { head: 'median', show: duration },
  p99: { head: '99 of 100', show: duration },
})

pool.terminate()
await Promise.all([pool.join(), python?.close(), ...rivals.map((rival) => rival.close())])
