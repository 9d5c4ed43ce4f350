/**
 * What it costs to send a function with each call, one call at a time: a function made once, an arrow
 * function written in the call, one that captures a constant, one that captures what has changed since.
 * workerpool, which sends the text of a function and nothing that it uses, runs the second.
 */
import { pool as workerpool } from 'workerpool'
import { Pool } from 'plait'
import { race, scaled } from './measure.ts'
import { duration, report } from './report.ts'
import { workers } from './rivals/shared.ts'

const count = scaled(500)
const pool = new Pool(workers)
const rival = workerpool({ workerType: 'process', minWorkers: workers, maxWorkers: workers })

const square = (x: number): number => x * x
const factor = 3
const settings = { factor: 3 }
const calls: Readonly<Record<string, (x: number) => PromiseLike<unknown>>> = {
  'plait, a function made once': (x) => pool.apply(square, [x]),
  'plait, (x) => x * x': (x) => pool.apply((x: number) => x * x, [x]),
  'plait, (x) => x * factor': (x) => pool.apply((x: number) => x * factor, [x]),
  'plait, (x) => x * settings.factor': (x) => {
    settings.factor = x
    return pool.apply((x: number) => x * settings.factor, [x])
  },
  'workerpool, (x) => x * x': async (x) => await rival.exec((x: number) => x * x, [x]),
}
const contenders = Object.entries(calls).map(([name, call]) => ({
  name,
  count,
  run: async () => {
    for (let x = 0; x < count; x++) await call(x)
  },
}))
report('A function with each call, one call at a time', await race(contenders), {
  time: { head: 'a call', show: duration },
})

pool.terminate()
await Promise.all([pool.join(), rival.terminate(true)])
