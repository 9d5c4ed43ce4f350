/**
 * What a pool costs while it does nothing: the memory of each worker beside a bare Node, and the CPU time
 * that the whole pool takes while it waits, workers and parent together.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { Pool } from 'plait'
import { rounds, tiny, type Measured } from './measure.ts'
import { childrenOf, fineCpuOf, memory } from './process.ts'
import { report } from './report.ts'
import { openPython } from './rivals/python.ts'
import { openRivals } from './rivals/rivals.ts'
import { workers } from './rivals/shared.ts'

const node = spawn(process.execPath, ['-e', 'process.stdout.write("."); setInterval(() => {}, 1e9)'])
await once(node.stdout, 'data')
const pool = new Pool(workers)
await Promise.all([1, 2, 3, 4].map((x) => pool.apply((x: number) => x * x, [x])))
// What the threads of a worker-thread pool need is the growth of this process: others first.
const rivals = (await openRivals()).filter(({ pids }) => pids.length > 0)
const python = await openPython()

const parties = [
  { name: 'plait', pids: pool.statistics().workers.map(({ pid }) => pid) },
  { name: 'bare node', pids: [node.pid!] },
  ...rivals,
  ...(python === undefined ? [] : [{ name: python.name, pids: childrenOf(python.pid) }]),
]
const MB = (megabytes: number): string => `${megabytes.toFixed(1)} MB`
const sizes: Measured[] = parties.map(({ name, pids }) => {
  const found = pids.map(memory)
  return { name, figures: { resident: found.map((m) => m.resident), own: found.map((m) => m.own) } }
})
report('Memory of a waiting worker', sizes, {
  resident: { head: 'resident', show: MB },
  own: { head: 'shared with nobody', show: MB },
})
for (const rival of rivals) await rival.close()
await python?.close()
node.kill()

const all = [process.pid, ...parties[0].pids]
const shares: number[] = []
for (let round = 0; round < rounds(); round++) {
  const before = fineCpuOf(all)
  const start = performance.now()
  await setTimeout(tiny ? 10 : 1000)
  shares.push(((fineCpuOf(all) - before) / (performance.now() - start)) * 100)
}
report(
  'CPU of a waiting pool, parent and workers together',
  [{ name: 'plait', figures: { share: shares } }],
  {
    share: { head: 'of one core', show: (share) => `${share.toFixed(2)} %`, alone: true },
  },
)

pool.terminate()
await pool.join()
