/**
 * What plait costs before it does anything: the memory of an idle worker beside a bare Node, and the import
 * beside piscina's. `node build/bench/footprint.js`
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Pool } from 'plait'
import { median, ratio } from './measure.js'

const rounds = Number(process.argv[2] ?? 9)

/** Resident memory in MB. Linux only. */
function memory(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}

const bare: number[] = []
const worker: number[] = []
for (let round = 0; round < rounds; round++) {
  const node = spawn(process.execPath, ['-e', 'process.stdout.write("."); setInterval(() => {}, 1e9)'])
  await once(node.stdout, 'data')
  const pool = new Pool(1)
  await pool.apply((x: number) => x * x, [2])
  bare.push(memory(node.pid!))
  worker.push(memory(pool.statistics().workers[0].pid))
  node.kill()
  pool.terminate()
  await pool.join()
}
const beside = ratio(worker, bare).median.toFixed(2)
console.log(`resident memory: bare node ${median(bare).toFixed(1)} MB`)
console.log(`                 worker    ${median(worker).toFixed(1)} MB, ${beside}x`)

function run(code: string): number {
  const start = performance.now()
  spawnSync(process.execPath, ['--input-type=module', '-e', code], { cwd: new URL('.', import.meta.url) })
  return performance.now() - start
}
const times = { nothing: [] as number[], plait: [] as number[], piscina: [] as number[] }
for (let round = 0; round < rounds; round++) {
  times.nothing.push(run(''))
  times.plait.push(run("import 'plait'"))
  times.piscina.push(run("import 'piscina'"))
}
const cost = (values: readonly number[]): string => (median(values) - median(times.nothing)).toFixed(1)
console.log(`import: plait ${cost(times.plait)} ms, piscina ${cost(times.piscina)} ms`)
