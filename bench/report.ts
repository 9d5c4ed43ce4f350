/**
 * How the benchmarks print: one table a subject, plait's row first, and in each other row how many times
 * plait's figure that one is, as the median of the ratios round by round, with the least and the greatest.
 */
import { median, ratio, type Measured } from './measure.ts'

/** A figure as a column, and one beside it that follows from it. */
export interface Column {
  readonly head: string
  show(value: number): string
  /** Print no ratio. */
  readonly alone?: boolean
}

/** Columns by the names of the figures that they show; several may show one: 'time', 'time again'. */
export function report(
  title: string,
  measured: readonly Measured[],
  columns: Readonly<Record<string, Column>>,
): void {
  const [base] = measured
  const shown = Object.entries(columns).map(([name, column]) => ({ figure: name.split(' ')[0], ...column }))
  const heads = shown.flatMap(({ head, alone }) => (alone ? [head] : [head, "times plait's"]))
  const rows = measured.map(({ name, figures }) => [
    name,
    ...shown.flatMap(({ figure, show, alone }) => {
      const values = figures[figure]
      if (values === undefined) return alone ? ['–'] : ['–', '']
      const cell = show(median(values))
      const own = base.figures[figure]
      if (alone) return [cell]
      return [cell, base.name === name || own === undefined ? '' : spread(values, own)]
    }),
  ])
  console.log(`\n${title}`)
  table(['', ...heads], rows)
}

/** The first column to the left, all others to the right. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i].length)))
  for (const row of [heads, ...rows]) {
    const cells = row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
    console.log(`  ${cells.join('  ')}`.trimEnd())
  }
}

function spread(values: readonly number[], own: readonly number[]): string {
  const { median, least, most } = ratio(values, own)
  if (!Number.isFinite(median)) return 'too little to compare'
  return `${number(median)} (${number(least)}–${number(most)})`
}

function number(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
}

/** Of milliseconds. */
export function duration(ms: number): string {
  if (ms < 0.001) return `${(ms * 1e6).toFixed(0)} ns`
  return ms < 1 ? `${(ms * 1000).toFixed(ms < 0.01 ? 2 : 1)} µs` : `${ms.toFixed(ms < 10 ? 2 : 1)} ms`
}

/** Units a second, of milliseconds a unit. */
export function rate(ms: number): string {
  const each = 1000 / ms
  return each < 10_000 ? each.toFixed(0) : `${(each / 1000).toFixed(0)} k`
}

/** The columns of a race for throughput. */
export const throughput = (unit: string): Record<string, Column> => ({
  time: { head: `a ${unit}`, show: duration },
  'time again': { head: `${unit}s/s`, show: rate, alone: true },
})
