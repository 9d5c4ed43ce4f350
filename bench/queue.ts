/**
 * Queue and Pipe: an echo in another process, many items at once and one by one, beside Python's
 * multiprocessing.Queue; and 50 MB there and back beside Node's own channel with `serialization: 'advanced'`.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Pipe, Process, Queue } from 'plait'
import { median, quantile, race, rounds, scaled, tiny, type Measured } from './measure.ts'
import { duration, report } from './report.ts'
import { openPythonQueue } from './rivals/python-queue.ts'
import { file } from './rivals/shared.ts'

interface Item {
  id: number
  args: number[]
}

/** A queue there, one back, and an echo between them that waits in its event loop, or stops its thread. */
async function echo(sync: boolean): Promise<{ to: Queue<Item | null>; back: Queue<Item | null> }> {
  const [to, back] = [new Queue<Item | null>(), new Queue<Item | null>()]
  const target = sync
    ? (to: Queue<Item | null>, back: Queue<Item | null>): void => {
        for (let item = to.getSync(); item !== null; item = to.getSync()) back.putNowait(item)
      }
    : async (to: Queue<Item | null>, back: Queue<Item | null>): Promise<void> => {
        for (let item = await to.get(); item !== null; item = await to.get()) back.putNowait(item)
      }
  new Process({ target, args: [to, back] }).start()
  to.putNowait({ id: 0, args: [] })
  await back.get()
  return { to, back }
}

const python = openPythonQueue()
const queues = { sync: await echo(true), async: await echo(false) }

const count = scaled(20_000)
const through = await race([
  {
    name: 'plait, sync',
    count,
    run() {
      const { to, back } = queues.sync
      for (let i = 0; i < count; i++) to.putNowait({ id: i, args: [i] })
      for (let i = 0; i < count; i++) back.getSync()
    },
  },
  {
    name: 'plait, async',
    count,
    async run() {
      const { to, back } = queues.async
      for (let i = 0; i < count; i++) to.putNowait({ id: i, args: [i] })
      for (let i = 0; i < count; i++) await back.get()
    },
  },
  ...(python === undefined ? [] : [{ name: python.name, count, run: () => python.through(count) }]),
])
report('Echo through two queues, one item', through, { time: { head: 'time', show: duration } })

const tripCount = scaled(2_000)
const trips = {
  'plait, sync': () => {
    const { to, back } = queues.sync
    return Array.from({ length: tripCount }, (_, i) => {
      const start = performance.now()
      to.putNowait({ id: i, args: [i] })
      back.getSync()
      return performance.now() - start
    })
  },
  'plait, async': async () => {
    const { to, back } = queues.async
    const times: number[] = []
    for (let i = 0; i < tripCount; i++) {
      const start = performance.now()
      to.putNowait({ id: i, args: [i] })
      await back.get()
      times.push(performance.now() - start)
    }
    return times
  },
  ...(python === undefined ? {} : { [python.name]: () => python.trips(tripCount) }),
}
const measured: (Measured & { figures: { median: number[]; p99: number[] } })[] = Object.keys(trips).map(
  (name) => ({ name, figures: { median: [], p99: [] } }),
)
for (let round = 0; round <= rounds(7); round++)
  for (const [i, run] of Object.values(trips).entries()) {
    const times = await run()
    if (round === 0) continue
    measured[i].figures.median.push(median(times))
    measured[i].figures.p99.push(quantile(times, 0.99))
  }
report('Round trip of one item through two queues', measured, {
  median: { head: 'median', show: duration },
  p99: { head: '99 of 100', show: duration },
})
for (const { to } of Object.values(queues)) to.putNowait(null)

const [here, there] = Pipe<Float64Array>()
const mirror = new Process({
  target: async (end: typeof there) => {
    for await (const array of end) await end.send(array)
  },
  args: [there],
}).start()
there.close()
const child = fork(file('echo.mjs'), { serialization: 'advanced' })
const array = new Float64Array(tiny ? 1000 : 6_250_000).fill(1.5)
// The first few touch fresh memory, which costs more than the rest of the way.
const large = await race(
  [
    {
      name: 'plait',
      async run() {
        await here.send(array)
        await here.recv()
      },
    },
    {
      name: 'fork, advanced',
      async run() {
        child.send(array)
        await once(child, 'message')
      },
    },
  ],
  15,
)
report('50 MB there and back', large, { time: { head: 'time', show: duration } })
here.close()
child.disconnect()
await Promise.all([mirror.join(), python?.close()])
