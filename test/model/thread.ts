/**
 * A thread of the model checker: does what the explorer orders with one scenario, run after run. The last of
 * them is the judge, which takes no turns.
 */
import { workerData } from 'node:worker_threads'
import { adoptRegion } from '#plait/memory/region.js'
import { beginRun, Died, endRun, enterModel, takeTurn } from './atomics.ts'
import * as c from './control.ts'
import type { Scenario, Stage } from './scenario.ts'

interface Data {
  readonly thread: number
  readonly control: Int32Array
  readonly region: SharedArrayBuffer
  readonly scenario: string
  readonly name: string
}

const { thread, control, region, scenario: url, name } = workerData as Data
// Time passes with each look at it, in long strides: what was asked a moment ago is asked again.
let now = 0
performance.now = () => (now += 1000)
// What a sweep could not give back is a mistake here.
process.emitWarning = (warning) => {
  throw warning
}
adoptRegion({ buffer: region, reason: 'the model has threads only' })
const scenarios = (await import(url)) as Record<string, Scenario>
const scenario = scenarios[name]
enterModel(control, thread, scenario.plain === true)
let stage: Stage = []

Atomics.add(control, c.READY, 1)
for (let job = 0; job !== c.jobs.end;) {
  takeTurn()
  job = control[c.JOB]!
  try {
    if (job === c.jobs.run) await run()
    else obey(job)
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  if (job !== c.jobs.run) c.tellTurn(control, 0)
}

function obey(job: number): void {
  const judges = thread === control[c.COUNT]
  if (job === c.jobs.setup) store(scenario.setup())
  if (job === c.jobs.prepare) {
    stage = stored()
    if (!judges) scenario.prepare?.(thread, stage)
  }
  if (job === c.jobs.judge) judge()
}

async function run(): Promise<void> {
  beginRun()
  try {
    control[c.RESULT + thread] = await scenario.bodies[thread](stage)
  } catch (error) {
    // Before the turn is handed on: the text is the explorer's to read then.
    if (!(error instanceof Died)) say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    endRun()
  }
}

function judge(): void {
  const count = control[c.COUNT]
  const dead = Array.from({ length: count }, (_, i) => i).find((i) => control[c.DEAD + i] === 1) ?? -1
  const results = Array.from({ length: count }, (_, i) => (i === dead ? undefined : control[c.RESULT + i]))
  const wrong = scenario.judge({ results, dead, stage })
  if (wrong !== undefined) say(wrong)
}

// The stage lies where the decisions will be, before there are any.

function store(numbers: readonly number[]): void {
  control[c.decisionsAt] = numbers.length
  control.set(numbers, c.decisionsAt + 1)
}

function stored(): number[] {
  return Array.from(control.subarray(c.decisionsAt + 1, c.decisionsAt + 1 + control[c.decisionsAt]))
}

function say(text: string): void {
  if (control[c.TEXT] !== 0) return
  const characters = Array.from(text.slice(0, 1000), (one) => one.charCodeAt(0))
  control.set(characters, c.textAt)
  control[c.TEXT] = characters.length
}
