/**
 * The pool beside piscina and beside plain forked processes, on two workers: `node build/bench/pool.js`.
 * Tasks one by one and awaited together, one at a time, and a CPU-bound map.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Pool } from 'plait'
import { Piscina } from 'piscina'
import { interleave, median, ratio, report } from './measure.js'

const here = (file: string): string => fileURLToPath(new URL(`../../bench/${file}`, import.meta.url))
const rounds = Number(process.argv[2] ?? 5)

const pool = new Pool(2)
const filename = here('square.mjs')
const piscina = new Piscina({ filename, minThreads: 2, maxThreads: 2, idleTimeout: 60_000 })
const wide = new Piscina({
  filename,
  minThreads: 2,
  maxThreads: 2,
  concurrentTasksPerWorker: 64,
  idleTimeout: 60_000,
})
const square = (x: number): number => x * x

const count = 100_000
const all = <R>(call: (x: number) => R): Promise<unknown[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => call(i)))
const together = await interleave(
  [
    { name: 'plait apply', run: () => all((x) => pool.apply(square, [x])) },
    { name: 'piscina default', run: () => all((x) => piscina.run(x)) },
    { name: 'piscina 64 a worker', run: () => all((x) => wide.run(x)) },
  ],
  rounds,
)
report(`${count} x => x * x, submitted one by one, awaited together`, together, { count, name: 'tasks' })

const trips = 2_000
const oneByOne = async (call: (x: number) => PromiseLike<unknown>): Promise<void> => {
  for (let i = 0; i < trips; i++) await call(i)
}
report(
  `${trips} round trips, one at a time`,
  await interleave(
    [
      { name: 'plait apply', run: () => oneByOne((x) => pool.apply(square, [x])) },
      { name: 'piscina default', run: () => oneByOne((x) => piscina.run(x)) },
    ],
    rounds,
  ),
)

const million = Array.from({ length: 1_000_000 }, (_, i) => i)
report(
  'a map of a million numbers',
  await interleave([{ name: 'plait map', run: () => pool.map((x: number) => x * x, million) }], rounds),
  { count: 1_000_000, name: 'items' },
)

const { burn } = (await import(new URL('../../bench/burn.mjs', import.meta.url).href)) as {
  burn: (n: number) => number
}
const children = [0, 1].map(() => fork(here('burn.mjs')))
const items = Array.from({ length: 400 }, (_, i) => i)
const ask = (child: (typeof children)[0], part: number[]): Promise<unknown> =>
  new Promise((resolve) => {
    child.once('message', resolve)
    child.send(part)
  })
const scaling = await interleave(
  [
    { name: 'one process', run: () => items.map(burn) },
    {
      name: 'two plain forked processes',
      run: () =>
        Promise.all(
          children.map((child, k) =>
            ask(
              child,
              items.filter((i) => i % 2 === k),
            ),
          ),
        ),
    },
    { name: 'plait map', run: () => pool.map((n: number) => burn(n), items) },
  ],
  rounds,
)
report('CPU-bound: 400 items', scaling)
const speedup = (name: string): number => median(scaling.get('one process')!) / median(scaling.get(name)!)
const [forked, plait] = [speedup('two plain forked processes'), speedup('plait map')]
const { median: share } = ratio(scaling.get('two plain forked processes')!, scaling.get('plait map')!)
console.log(
  `  speed-up ${forked.toFixed(2)} forked, ${plait.toFixed(2)} plait: ${share.toFixed(3)} of it reached`,
)

for (const child of children) child.kill()
pool.terminate()
await Promise.all([piscina.destroy(), wide.destroy(), pool.join()])
