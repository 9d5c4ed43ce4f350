/**
 * A million coroutines alive at once: what they take while they can run, while they are asleep, and while
 * they wait for a promise; each kind in a process of its own. Only where it is asked for: `npm run bench --
 * million`.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Scheduler, sleep } from 'plait/coroutine'
import { scaled } from './measure.ts'
import { memory } from './process.ts'
import { table } from './report.ts'

const count = scaled(1_000_000)
const never = 2 ** 40

const kinds: Readonly<Record<string, () => unknown>> = {
  'can run': () => undefined,
  asleep: () => sleep(never),
  'wait for a promise': () => new Promise(() => {}),
}

/** Makes them, gives each its first turn, and prints what that took. */
function fill(wait: () => unknown): never {
  const before = memory(process.pid).resident
  const start = performance.now()
  const scheduler = new Scheduler()
  for (let i = 0; i < count; i++)
    scheduler.spawn(function* () {
      yield wait()
      return i
    })
  for (let n = 0; n < count; n++) scheduler.step()
  const ms = performance.now() - start
  console.log(JSON.stringify([memory(process.pid).resident - before, ms]))
  process.exit()
}

const asked = kinds[process.argv[2]]
if (asked !== undefined) fill(asked)

const rows = Object.keys(kinds).map((kind) => {
  const args = [fileURLToPath(import.meta.url), kind, ...process.argv.slice(2)]
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  const [megabytes, ms] = JSON.parse(child.stdout) as [number, number]
  const each = (megabytes * 2 ** 20) / count
  return [kind, `${megabytes.toFixed(0)} MB`, `${each.toFixed(0)} B`, `${(ms / 1000).toFixed(1)} s`]
})
console.log(`\n${count} live coroutines`)
table(['', 'all', 'each', 'made and begun in'], rows)
