/**
 * CPU-bound work over the workers: 400 items of a few milliseconds, beside one process and beside two plain
 * forked processes that are told their halves at the start, which is what the machine gives.
 */
import { fork } from 'node:child_process'
import { Pool } from 'plait'
import { race, ratio, scaled } from './measure.ts'
import { duration, report } from './report.ts'
import { file, workers } from './rivals/shared.ts'

const { burn } = (await import(file('burn.mjs'))) as { burn: (n: number) => number }
const items = Array.from({ length: scaled(400) }, (_, i) => i)

const pool = new Pool(workers)
const children = Array.from({ length: workers }, () => fork(file('burn.mjs')))
const halves = children.map((_, k) => items.filter((i) => i % workers === k))
const ask = (child: (typeof children)[0], part: readonly number[]): Promise<unknown> =>
  new Promise((resolve) => {
    child.once('message', resolve)
    child.send(part)
  })

const measured = await race([
  { name: 'plait', count: items.length, run: () => pool.map((n: number) => burn(n), items) },
  {
    name: 'two plain forks',
    count: items.length,
    run: () => Promise.all(children.map((child, k) => ask(child, halves[k]))),
  },
  { name: 'one process', count: items.length, run: () => items.map(burn) },
])
report('CPU-bound work', measured, { time: { head: 'an item', show: duration } })
const [plait, forks] = measured.map(({ figures }) => figures['time'])
const { median, least, most } = ratio(forks, plait)
const reached = [median, least, most].map((share) => share.toFixed(3))
console.log(`  plait reaches ${reached[0]} (${reached[1]}–${reached[2]}) of the speed of two plain forks`)

for (const child of children) child.kill()
pool.terminate()
await pool.join()
