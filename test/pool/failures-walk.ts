/**
 * Walks the table of failures with one way to submit: brings each cell about, and asserts that the task,
 * those beside it, the pool and its statistics come out as written. Called by failures-*.test.ts.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { backend } from '../backend.js'
import { failures, type Failure } from './failures.js'
import { isDead, settled, stage, stand, states } from './failures-stage.js'
import type { Method, Scene, State } from './failures-stage.js'
import { act } from './failures-worker.js'

/** A module that only workers can import, for an error that its receiver cannot rebuild. */
function writeForeign(folder: string): string {
  const path = join(folder, 'foreign.mjs')
  const text = `
    import { isMainThread } from 'node:worker_threads'
    if (isMainThread && process.pid === ${process.pid}) throw new Error('only workers can import this')
    export class Foreign extends Error {}`
  writeFileSync(path, text)
  return pathToFileURL(path).href
}

export function walk(method: Method): void {
  const folder = mkdtempSync(join(tmpdir(), 'plait-test-'))
  before(() => (process.env['PLAIT_TEST_FOREIGN'] = writeForeign(folder)))
  after(() => rmSync(folder, { recursive: true }))
  for (const failure of failures) {
    const { notInThreads = {} } = backend === 'thread' ? failure : {}
    if (typeof notInThreads === 'string') continue
    describe(`${method.name}: ${failure.what}`, { concurrency: failure.slow === true }, () => {
      for (const state of states) {
        const cell = failure.cells[state]
        if (
          notInThreads[state] !== undefined ||
          typeof cell === 'string' ||
          failure.except?.includes(method.name)
        )
          continue
        it(`${state} → ${cell.says}`, () => visit(method, failure, state))
      }
    })
  }
}

async function visit(method: Method, failure: Failure, state: State): Promise<void> {
  const { setting, strike } = failure.make()
  const scene = await stage(method, state, {
    processes: 1,
    options: () => ({}),
    before: {},
    task: {},
    fault: 'none',
    callback: undefined,
    ...setting,
  })
  const { host } = scene
  try {
    if (failure.what.startsWith('the initializer') || setting?.processes === 2)
      stand(() => scene.gate.count('second') > 0, 'a second worker')
    const warned = setting?.callback && once(process, 'warning')
    strike(scene, state)
    if (state === 'on its way') standStill(failure, scene)
    await compare(failure, state, scene)
    if (warned) assert.match(((await warned) as [Error])[0].message, /a callback that throws/)
    await aftermath(failure, state, scene)
  } finally {
    failure.undo?.()
    host.terminate()
    await inTime(host.join())
  }
}

/** What has been struck is to have come about before this process reads anything. */
function standStill({ stands }: Failure, { pid, gate }: Scene): void {
  if (stands === undefined) return
  stand(() => (stands === 'dead' ? isDead(pid) : gate.count(stands) > 0), stands)
}

/** All that was submitted is settled, and settled so. */
async function compare(failure: Failure, state: State, scene: Scene): Promise<void> {
  const cell = failure.cells[state]
  assert.ok(typeof cell === 'object')
  cell.check(await inTime(scene.task), scene)
  const [before, next] = await Promise.all(scene.others.map(inTime))
  if (before !== undefined) (failure.before ?? cell).check(before, scene)
  if (next !== undefined) (failure.next ?? cell).check(next, scene)
}

/** Is the pool as it should be, does it still work, and do its statistics agree with what came of all? */
async function aftermath(failure: Failure, state: State, scene: Scene): Promise<void> {
  const { host, gate } = scene
  const expected = failure.state ?? 'running'
  const restarts = failure.restarts ?? 0
  const wanted = typeof restarts === 'number' ? restarts : restarts[state]
  await eventually(() => assert.equal(host.statistics().state, expected))
  gate.open('probe-go')
  const orders = { folder: gate.folder, name: 'probe', fault: 'none', when: 'inside' } as const
  const outcomes = await Promise.all([scene.task, ...scene.others])
  const probe = await inTime(settled(host.submit(act, orders, {})))
  if (expected === 'running') {
    assert.equal(probe.status, 'fulfilled', 'the pool goes on')
    outcomes.push(probe)
  } else {
    const { name } = (probe as PromiseRejectedResult).reason as Error
    assert.equal(name, expected === 'broken' ? 'BrokenPoolError' : 'PoolClosedError')
  }
  const good = outcomes.filter(({ status }) => status === 'fulfilled').length
  await eventually(() => {
    const { queued, running, completed, failed, restarts } = host.statistics()
    assert.deepEqual([queued, running, completed, failed], [0, 0, good, outcomes.length - good])
    if (expected !== 'broken') assert.equal(restarts, wanted, 'restarts')
  })
}

/** What is not settled by then never will be: the longest that a cell waits is a few seconds. */
function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('a promise is pending after 60 s')), 60_000)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** The state of a pool follows the end of a task within a few turns of the loop, or never. */
async function eventually(check: () => void): Promise<void> {
  for (const deadline = performance.now() + 30_000; ;) {
    try {
      return check()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}
