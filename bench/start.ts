/**
 * What has to happen before the first result: the import, and a pool of two workers up to the first answer,
 * each time in a program of its own; then a process from start to join, beside a fork of an empty module.
 */
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Process } from 'plait'
import { race, rounds, type Measured } from './measure.ts'
import { duration, report } from './report.ts'
import { file } from './rivals/shared.ts'
import { pythonVersion } from './rivals/python.ts'

const program = fileURLToPath(new URL('./rivals/first.js', import.meta.url))
const names = ['plait', 'piscina', 'tinypool, processes', 'workerpool, processes']

/** Milliseconds of the import, and of what follows. */
function run(command: string, ...args: readonly string[]): number[] {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (stdout === '') throw new Error(`a program that was to be timed failed: ${stderr}`)
  return JSON.parse(stdout) as number[]
}

const contenders = names.map((name) => ({
  name,
  run: () => run(process.execPath, program, name),
}))
if (pythonVersion() !== undefined)
  contenders.push({ name: "Python's Pool, forked", run: () => run('python3', file('first.py')) })
const measured: (Measured & { figures: { import: number[]; first: number[] } })[] = contenders.map(
  ({ name }) => ({ name, figures: { import: [], first: [] } }),
)
for (let round = 0; round <= rounds(9); round++)
  for (const [i, { run }] of contenders.entries()) {
    const [loaded, first] = run()
    if (round === 0) continue
    measured[i].figures.import.push(loaded)
    measured[i].figures.first.push(first)
  }
report('Import, then a pool of two up to its first result', measured, {
  import: { head: 'import', show: duration },
  first: { head: 'first result', show: duration },
})

const folder = mkdtempSync(join(tmpdir(), 'plait-bench-'))
const empty = join(folder, 'empty.mjs')
writeFileSync(empty, '')
const processes = [
  {
    name: 'Process, empty target',
    run: async () => void (await new Process({ target: () => {} }).start().join()),
  },
  {
    name: 'Process, with a result',
    run: async () => {
      const child = new Process({ target: (n: number) => ({ n }), args: [1] }).start()
      await child.result
      await child.join()
    },
  },
  { name: 'fork of an empty module', run: async () => void (await once(fork(empty), 'exit')) },
]
report('A process from start to join', await race(processes, 15), { time: { head: 'each', show: duration } })
rmSync(folder, { recursive: true })
