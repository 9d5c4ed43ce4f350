/**
 * What every benchmark here shares: how much to do, and rivals that are measured in turns within one run. A
 * single figure of a shared machine says little; the ratio of two neighbours says much. Printing is in
 * report.ts.
 */
import { parseArgs } from 'node:util'
import { cpuOf } from './process.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, tiny: { type: 'boolean', default: false } },
  allowPositionals: true,
})

/** Proves only that the programs work; its figures mean nothing. */
export const { tiny } = values

/** How often each contender runs: `usual`, where the command line does not say. */
export function rounds(usual = 5): number {
  return tiny ? 1 : Number(values.rounds ?? usual)
}

/** How much each run does. */
export function scaled(count: number): number {
  return tiny ? Math.min(count, 64) : count
}

/** One that takes part. */
export interface Contender {
  readonly name: string
  /** Units of work in one run; default 1. */
  readonly count?: number
  /** Does the work once and says nothing; or answers with milliseconds by a clock of its own. */
  run(): unknown
  /** The processes that take part beside this one: then the CPU time of all is a figure too. */
  readonly pids?: readonly number[]
}

/** Figures of one contender, one a round, by what they are figures of. */
export interface Measured {
  readonly name: string
  readonly figures: Readonly<Record<string, readonly number[]>>
}

/**
 * The contenders in turns: milliseconds a unit as `time`, of CPU time as `cpu`. What the first round gives is
 * thrown away.
 */
export async function race(contenders: readonly Contender[], usual?: number): Promise<Measured[]> {
  const entrants = contenders.map((contender) => ({ contender, time: [] as number[], cpu: [] as number[] }))
  for (let round = 0; round <= rounds(usual); round++)
    for (const { contender, time, cpu } of entrants) {
      const { run, count = 1, pids } = contender
      const all = pids && [process.pid, ...pids]
      const cpuBefore = all && cpuOf(all)
      const start = performance.now()
      const answer = await run()
      const ms = typeof answer === 'number' ? answer : performance.now() - start
      if (round === 0) continue
      time.push(ms / count)
      if (all) cpu.push((cpuOf(all) - cpuBefore!) / count)
    }
  return entrants.map(({ contender: { name, pids }, time, cpu }) => ({
    name,
    figures: pids === undefined ? { time } : { time, cpu },
  }))
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Between the two nearest where it falls between them. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)]
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at))
}

/** Ratios round by round: their median, least and greatest. */
export function ratio(
  of: readonly number[],
  to: readonly number[],
): { median: number; least: number; most: number } {
  const ratios = of.map((value, i) => value / to[i])
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) }
}
