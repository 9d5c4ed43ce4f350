/**
 * What locks cost, beside Python's of the same names: taken and given back with nobody else there, by two
 * processes at once (whose sum must come out exactly), and handed from one process to another that sleeps,
 * stopped or in its event loop.
 */
import { spawnSync } from 'node:child_process'
import { Lock, Process, RLock, Semaphore, SharedValue } from 'plait'
import { quantile, race, rounds, scaled, type Contender, type Measured } from './measure.ts'
import { duration, report } from './report.ts'
import { pythonVersion } from './rivals/python.ts'
import { file } from './rivals/shared.ts'

const hasPython = pythonVersion() !== undefined

function askPython(what: string, count: number): unknown {
  const { stdout } = spawnSync('python3', [file('locks.py'), what, String(count)], { encoding: 'utf8' })
  return JSON.parse(stdout)
}

const python = (name: string, what: string, count: number): Contender[] =>
  hasPython ? [{ name, count, run: () => askPython(what, count) }] : []

const count = scaled(1_000_000)
const columns = { time: { head: 'taken and given back', show: duration } }

for (const make of [() => new Lock(), () => new RLock(), () => new Semaphore()]) {
  const lock = make()
  const kind = lock.constructor.name
  const sync = {
    name: `plait, ${kind}.acquireSync() and its guard`,
    count,
    run() {
      for (let i = 0; i < count; i++) lock.acquireSync().release()
    },
  }
  const awaited = {
    name: `plait, await ${kind}.acquire()`,
    count,
    async run() {
      for (let i = 0; i < count; i++) (await lock.acquire()).release()
    },
  }
  report(
    `${kind}, nobody else there`,
    await race([sync, awaited, ...python(`Python's ${kind}`, kind, count)]),
    columns,
  )
}

// ── two processes at once ──

/** Milliseconds of the slower of the two, by their own clocks. */
async function contended(times: number): Promise<number> {
  const [lock, counter] = [new Lock(), new SharedValue('int32')]
  const [ready, go] = [new Semaphore(0), new Semaphore(0)]
  const hammer = (): number => {
    ready.release()
    go.acquireSync()
    const start = performance.now()
    for (let i = 0; i < times / 2; i++) {
      const held = lock.acquireSync()
      counter.value = counter.value + 1
      held.release()
    }
    return performance.now() - start
  }
  const both = [1, 2].map(() => new Process({ target: hammer }).start())
  for (const _ of both) await ready.acquire()
  go.release(2)
  const took = await Promise.all(both.map(({ result }) => result))
  if (counter.value !== times) throw new Error(`${counter.value} of ${times} were counted`)
  return Math.max(...took)
}

report(
  'Lock, two processes at once',
  await race(
    [{ name: 'plait', count, run: () => contended(count) }, ...python("Python's Lock", 'contended', count)],
    5,
  ),
  {
    ...columns,
    'time again': { head: 'a second', show: (ms) => `${(1e-3 / ms).toFixed(1)} M`, alone: true },
  },
)

// ── from one to another that sleeps ──

const trips = scaled(2_000)

async function handoffs(asleep: 'sync' | 'async'): Promise<number[]> {
  const [ping, pong] = [new Semaphore(0), new Semaphore(0)]
  const stopped = (): void => {
    for (let i = 0; i < trips; i++) {
      ping.acquireSync()
      pong.release()
    }
  }
  const awaiting = async (): Promise<void> => {
    for (let i = 0; i < trips; i++) {
      await ping.acquire()
      pong.release()
    }
  }
  const other = new Process({ target: asleep === 'sync' ? stopped : awaiting }).start()
  const times: number[] = []
  for (let i = 0; i < trips; i++) {
    const start = performance.now()
    ping.release()
    if (asleep === 'sync') pong.acquireSync()
    else await pong.acquire()
    times.push(performance.now() - start)
  }
  await other.join()
  return times
}

const sleepers = [
  { name: 'plait, both stop their threads', run: () => handoffs('sync') },
  { name: 'plait, both await', run: () => handoffs('async') },
  ...(hasPython
    ? [{ name: "Python's Semaphore", run: async () => askPython('handoffs', trips) as number[] }]
    : []),
]
const measured: (Measured & { figures: { median: number[]; p99: number[] } })[] = sleepers.map(
  ({ name }) => ({ name, figures: { median: [], p99: [] } }),
)
for (let round = 0; round <= rounds(5); round++)
  for (const [i, { run }] of sleepers.entries()) {
    const times = await run()
    if (round === 0) continue
    measured[i].figures.median.push(quantile(times, 0.5))
    measured[i].figures.p99.push(quantile(times, 0.99))
  }
report('A permit to a process that sleeps, and one back', measured, {
  median: { head: 'median', show: duration },
  p99: { head: '99 of 100', show: duration },
})
