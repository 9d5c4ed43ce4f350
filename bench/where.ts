/**
 * Where the time of a task goes: the CPU time of the parent and of each worker for `x => x * x`, submitted
 * one by one and all at once, in user code and in the kernel. Steadier than any rate: what to look at while
 * tuning. docs/performance.md tells what stands behind the figures.
 */
import { Pool } from 'plait'
import { rounds, scaled, type Measured } from './measure.ts'
import { cpu } from './process.ts'
import { duration, report } from './report.ts'
import { workers } from './rivals/shared.ts'

const count = scaled(500_000)
const pool = new Pool(workers)
const square = (x: number): number => x * x
const work = async (count: number): Promise<unknown> => {
  const results: Promise<number>[] = []
  for (let i = 0; i < count; i++) results.push(pool.apply(square, [i]))
  return await Promise.all(results)
}
await work(scaled(100_000))

const names = ['parent', ...Array.from({ length: workers }, (_, i) => `worker ${i + 1}`)]
const measured: (Measured & { figures: { user: number[]; system: number[] } })[] = names.map((name) => ({
  name,
  figures: { user: [], system: [] },
}))
for (let round = 0; round < rounds(); round++) {
  const pids = [process.pid, ...pool.statistics().workers.map(({ pid }) => pid)]
  const tasks = pool.statistics().workers.map(({ tasks }) => tasks)
  const before = pids.map(cpu)
  await work(count)
  const done = pool.statistics().workers.map(({ tasks: after }, i) => after - tasks[i])
  for (const [i, pid] of pids.entries()) {
    const { user, system } = cpu(pid)
    const all = i === 0 ? count : Math.max(done[i - 1], 1)
    measured[i].figures.user.push((user - before[i].user) / all)
    measured[i].figures.system.push((system - before[i].system) / all)
  }
}
report('CPU time a task', measured, {
  user: { head: 'user', show: duration, alone: true },
  system: { head: 'kernel', show: duration, alone: true },
})

pool.terminate()
await pool.join()
