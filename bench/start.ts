/**
 * What a process costs from start to join, beside a fork of an empty module: `node build/bench/start.js
 * [rounds]`. Rounds are interleaved, so that a noisy machine is noisy for all.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Process } from 'plait'

const folder = mkdtempSync(join(tmpdir(), 'plait-bench-'))
const empty = (name: string): string => {
  writeFileSync(join(folder, name), '')
  return join(folder, name)
}
const commonjs = empty('empty.cjs')
const module = empty('empty.mjs')
const ended = (child: ChildProcess): Promise<unknown> => once(child, 'exit')

const contestants: Record<string, () => Promise<unknown>> = {
  'fork of an empty .cjs': () => ended(fork(commonjs)),
  'fork of an empty .mjs': () => ended(fork(module)),
  'spawn of an empty .mjs': () => ended(spawn(process.execPath, [module], { stdio: 'ignore' })),
  'Process without target': () => new Process().start().join(),
  'Process with an empty target': () => new Process({ target: () => {} }).start().join(),
  'Process with a result': async () => {
    const p = new Process({ target: (n: number) => ({ n }), args: [1] }).start()
    await p.result
    return await p.join()
  },
}

const rounds = Number(process.argv[2] ?? 20)
const times = new Map(Object.keys(contestants).map((name) => [name, [] as number[]]))
const began = performance.now()
await contestants['Process with an empty target']()
console.log(`the first Process of this program: ${(performance.now() - began).toFixed(1)} ms`)
for (let round = 0; round < rounds; round++)
  for (const [name, run] of Object.entries(contestants)) {
    const start = performance.now()
    await run()
    times.get(name)!.push(performance.now() - start)
  }
rmSync(folder, { recursive: true })

const median = (list: number[]): number => list.sort((a, b) => a - b)[list.length >> 1]
const base = median(times.get('fork of an empty .mjs')!)
for (const [name, list] of times)
  console.log(
    `${name.padEnd(30)} ${median(list).toFixed(1).padStart(7)} ms  ${(median(list) / base).toFixed(2)}x`,
  )
