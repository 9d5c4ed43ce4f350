/**
 * Tasks submitted one by one, each `x => x * x`: how many a second, and the CPU time that each costs all
 * processes together, which a busy machine disturbs least. All submitted at once, then by 64 loops of which
 * each awaits one before the next.
 */
import { Pool } from 'plait'
import { race, scaled, type Contender } from './measure.ts'
import { childrenOf } from './process.ts'
import { duration, report, throughput } from './report.ts'
import { openPython, type Python } from './rivals/python.ts'
import { openRivals } from './rivals/rivals.ts'
import { workers } from './rivals/shared.ts'

const pool = new Pool(workers)
const square = (x: number): number => x * x
await pool.apply(square, [0])
const rivals = await openRivals()
const python = await openPython()

type Call = (x: number) => PromiseLike<unknown>

/** What takes a second or less; plait and piscina, whose ratio matters most, have the same. */
const counts: Readonly<Record<string, number>> = {
  plait: 100_000,
  piscina: 100_000,
  'piscina, 64 a worker': 50_000,
  "Python's Pool": 25_000,
}
const countOf = (name: string): number => scaled(counts[name] ?? 10_000)

const contenders = (
  how: (call: Call, count: number) => unknown,
  asPython: 'all' | 'awaiters',
): Contender[] => {
  const pids = pool.statistics().workers.map(({ pid }) => pid)
  return [
    { name: 'plait', call: (x: number) => pool.apply(square, [x]), pids },
    ...rivals.map(({ name, call, pids }) => ({ name, call: (x: number) => call('square', x), pids })),
  ]
    .map(({ name, call, pids }): Contender => {
      const count = countOf(name)
      return { name, count, pids, run: () => how(call, count) }
    })
    .concat(python === undefined ? [] : [ofPython(python, asPython)])
}

function ofPython(python: Python, what: 'all' | 'awaiters'): Contender {
  const count = countOf(python.name)
  const pids = [python.pid, ...childrenOf(python.pid)]
  return { name: python.name, count, pids, run: () => python.ask(what, count) }
}

const atOnce = (call: Call, count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, (_, i) => call(i)))

const awaiters = (call: Call, count: number): Promise<unknown> =>
  Promise.all(
    Array.from({ length: 64 }, async () => {
      for (let i = 0; i < count / 64; i++) await call(i)
    }),
  )

const columns = { ...throughput('task'), cpu: { head: 'CPU a task', show: duration } }
report('Tasks one by one, all submitted at once', await race(contenders(atOnce, 'all')), columns)
report('Tasks one by one, by 64 awaiting loops', await race(contenders(awaiters, 'awaiters')), columns)

pool.terminate()
await Promise.all([pool.join(), python?.close(), ...rivals.map((rival) => rival.close())])
