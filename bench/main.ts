/**
 * All benchmarks, one after the other, each in a program of its own: `npm run bench [-- FILTER…] [--rounds N]
 * [--tiny] [--long]`. A filter is a part of a program's name. Says first on what machine and beside which
 * versions; each program prints its tables itself.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { cpuCount } from 'plait'
import { pythonVersion } from './rivals/python.ts'

/** In this order. */
const usual = [
  'tasks',
  'trip',
  'map',
  'queue',
  'scaling',
  'start',
  'footprint',
  'closure',
  'switch',
  'fetch',
  'sync',
  'where',
]
/** Only where they are asked for. */
const others = ['codec', 'long', 'million']

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string' },
    tiny: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const named = [...usual, ...others].filter((name) => positionals.some((filter) => name.includes(filter)))
const chosen = positionals.length > 0 ? named : values.long ? ['long'] : usual
if (chosen.length === 0) {
  console.error(
    `No benchmark is called ${positionals.join(' or ')}: there are ${[...usual, ...others].join(', ')}`,
  )
  process.exit(2)
}

const { model } = cpus()[0]
const version = (name: string): string => {
  const text = readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8')
  return `${name} ${(JSON.parse(text) as { version: string }).version}`
}
const python = pythonVersion()
console.log(`Node ${process.version} on ${process.platform} ${process.arch}, ${cpuCount()} × ${model.trim()}`)
console.log(
  [
    ...['piscina', 'tinypool', 'workerpool'].map(version),
    python ? `Python ${python}` : 'no python3 here',
  ].join(', '),
)
console.log(
  `Two workers each. Medians of rounds in turns; "times plait's": median (least–most) of the ratios.`,
)

const flags = [...(values.rounds ? ['--rounds', values.rounds] : []), ...(values.tiny ? ['--tiny'] : [])]
for (const name of chosen) {
  const program = new URL(`./${name}.js`, import.meta.url).pathname
  const { status } = spawnSync(process.execPath, [program, ...flags], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
