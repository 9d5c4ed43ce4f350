/**
 * What every benchmark here shares: rivals measured in turns within one run, medians, and a ratio beside each
 * figure. A single figure of a shared machine says little; a ratio of neighbours says much.
 */

/** One contender: `run` does the work once and says nothing. */
export interface Contender {
  readonly name: string
  run(): unknown
}

/** Milliseconds of each contender in each round; one warm-up round is thrown away. */
export async function interleave(
  contenders: readonly Contender[],
  rounds: number,
): Promise<Map<string, number[]>> {
  const times = new Map(contenders.map(({ name }) => [name, [] as number[]]))
  for (let round = -1; round < rounds; round++)
    for (const { name, run } of contenders) {
      const start = performance.now()
      await run()
      if (round >= 0) times.get(name)!.push(performance.now() - start)
    }
  return times
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Median of the ratios round by round, with the least and the greatest. */
export function ratio(
  of: readonly number[],
  to: readonly number[],
): { median: number; least: number; most: number } {
  const ratios = of.map((value, i) => value / to[i])
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) }
}

/** A line for each contender: median ms, and how many times faster than it the first one is. */
export function report(
  title: string,
  times: ReadonlyMap<string, readonly number[]>,
  unit?: { count: number; name: string },
): void {
  const [[first, base]] = [...times] as [[string, readonly number[]]]
  console.log(`\n${title}`)
  for (const [name, values] of times) {
    const ms = median(values)
    const rate = unit === undefined ? '' : `${Math.round(unit.count / ms)} k ${unit.name}/s`.padStart(22)
    const { median: times_, least, most } = ratio(values, base)
    const beside =
      name === first
        ? ''
        : `  ${first} is ${times_.toFixed(2)}x as fast (${least.toFixed(2)}–${most.toFixed(2)})`
    console.log(`  ${name.padEnd(34)} ${ms.toFixed(1).padStart(9)} ms${rate}${beside}`)
  }
}
