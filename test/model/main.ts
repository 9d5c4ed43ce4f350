/**
 * The model checker by hand: `npm run model` plays every scenario for some seconds, `npm run model -- guard`
 * those of one file, `--long` each for a minute, or as many milliseconds as follow. Prints what was explored.
 */
import { parseArgs } from 'node:util'
import { explore } from './explore.ts'
import { programs } from './programs.ts'

const { values, positionals } = parseArgs({
  options: { long: { type: 'boolean' }, milliseconds: { type: 'string' }, flaws: { type: 'boolean' } },
  allowPositionals: true,
})
const milliseconds = Number(values.milliseconds ?? (values.long === true ? 60_000 : 1000))

for (const { url, title, name, scenario } of await programs(positionals)) {
  const began = performance.now()
  const report = await explore(url, name, { milliseconds })
  const took = (performance.now() - began).toFixed(0)
  const depth =
    report.interruptions === Infinity ? 'every order' : `up to ${report.interruptions} interruptions`
  console.log(`${title}: ${report.orders} orders, ${report.steps} steps, ${depth}, ${took} ms`)
  if (report.failure !== undefined) {
    console.log(report.failure)
    process.exitCode = 1
  }
  for (const [flaw, change] of Object.entries(scenario.flaws ?? {})) {
    const found = await explore(url, name, {
      milliseconds: 20_000,
      flaw: change,
      immortal: change.deadly !== true,
    })
    console.log(
      `  ${flaw}: ${found.failure === undefined ? 'NOT FOUND' : 'found'} after ${found.orders} orders`,
    )
    if (values.flaws === true) console.log(found.failure)
  }
}
