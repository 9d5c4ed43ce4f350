/**
 * Ten million tasks through one pool, with the memory of parent and workers at each million: it has to stay
 * where it is. Only where it is asked for: `npm run bench -- --long`.
 */
import { Pool } from 'plait'
import { scaled } from './measure.ts'
import { memory } from './process.ts'
import { table } from './report.ts'
import { workers } from './rivals/shared.ts'

const step = scaled(1_000_000)
const steps = 10
const loops = 1_000

const pool = new Pool(workers)
const square = (x: number): number => x * x
let submitted = 0
const loop = async (until: number): Promise<void> => {
  while (submitted < until) {
    const x = submitted++
    if ((await pool.apply(square, [x])) !== x * x) throw new Error(`a wrong result for ${x}`)
  }
}

const MB = (megabytes: number): string => `${megabytes.toFixed(1)} MB`
const rows: string[][] = []
for (let n = 1; n <= steps; n++) {
  const start = performance.now()
  await Promise.all(Array.from({ length: loops }, () => loop(n * step)))
  const seconds = (performance.now() - start) / 1000
  const { heapUsed } = process.memoryUsage()
  const resident = [process.pid, ...pool.statistics().workers.map(({ pid }) => pid)].map(
    (pid) => memory(pid).resident,
  )
  rows.push([String(submitted), `${seconds.toFixed(1)} s`, MB(heapUsed / 2 ** 20), ...resident.map(MB)])
}
console.log('\nTen million tasks through one pool')
table(['tasks', 'for these', 'heap', 'parent', 'worker 1', 'worker 2'], rows)

pool.terminate()
await pool.join()
