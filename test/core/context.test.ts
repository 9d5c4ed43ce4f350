/**
 * Owners, tasks and signals as core/context tells them: what starts a chain of owners, what adds a link, what
 * a wait is ended by, and that all of it follows the async functions that it belongs to.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  currentOwner,
  currentSignal,
  currentTask,
  currentThreadSignal,
  runAsOwner,
  runAsTask,
  runWithSignal,
  setTask,
  setThreadSignal,
  type Owner,
  type TaskInfo,
} from '#plait/core/context.js'
import { Pool } from '#plait/pool/pool.js'
import { checkLeaks } from '../leaks.js'

checkLeaks()

const { signal } = new AbortController()
const task = (id: number): TaskInfo => ({ id, attempt: 1, signal })

test('bare code is one owner, whoever runs it', async () => {
  const root = currentOwner()
  assert.equal(root.parent, null)
  const seen = await Promise.all([1, 2].map(async () => (await Promise.resolve(), currentOwner())))
  assert.deepEqual(seen, [root, root])
})

test('one task at a time: each starts a chain, and keeps its owner', () => {
  const root = currentOwner()
  setTask(task(1))
  const first = currentOwner()
  assert.equal(currentOwner(), first)
  assert.equal(first.parent, null)
  setTask(task(2))
  const second = currentOwner()
  setTask(null)
  assert.equal(new Set([root, first, second]).size, 3)
  assert.equal(new Set([root.id, first.id, second.id]).size, 3)
  assert.equal(currentOwner(), root)
})

test('tasks that overlap: each keeps its own task and owner over awaits', async () => {
  const look = async (): Promise<[Owner, number]> => {
    const owner = currentOwner()
    await Promise.resolve()
    assert.equal(currentOwner(), owner)
    return [owner, currentTask()!.id]
  }
  const seen = await Promise.all([1, 2, 3].map((id) => runAsTask(task(id), look)))
  assert.deepEqual(
    seen.map(([, id]) => id),
    [1, 2, 3],
  )
  assert.equal(new Set(seen.map(([owner]) => owner)).size, 3)
  assert.ok(seen.every(([owner]) => owner.parent === null))
  assert.equal(currentTask(), null)
})

test('a link knows the one above it, and goes with its function', async () => {
  const root = currentOwner()
  const chain = await runAsOwner(root, async () => {
    await Promise.resolve()
    const outer = currentOwner()
    const inner = runAsOwner(outer, () => currentOwner())
    return [inner, inner.parent, inner.parent?.parent]
  })
  assert.equal(new Set(chain).size, 3)
  assert.equal(chain[2], root)
  assert.equal(
    runAsOwner(null, () => currentOwner().parent),
    null,
  )
  assert.equal(currentOwner(), root)
})

test('links and groups keep the task that they are in', () => {
  setTask(task(7))
  const within = runAsOwner(null, () => currentTask()?.id)
  setTask(null)
  assert.equal(within, 7)
  assert.equal(
    runAsTask(task(8), () => runAsOwner(currentOwner(), () => currentTask()?.id)),
    8,
  )
})

test("waits end with the innermost child's signal, else with the thread's", () => {
  const [thread, outer, inner] = [1, 2, 3].map(() => new AbortController().signal)
  assert.equal(currentSignal(), undefined)
  setThreadSignal(thread)
  try {
    const plain = currentSignal()
    const inTask = runAsTask(task(1), () => currentSignal())
    const inLink = runAsOwner(null, () => runAsOwner(null, () => currentSignal()), outer)
    const nested = runAsOwner(null, () => runAsOwner(null, () => currentSignal(), inner), outer)
    const [body, owner] = runWithSignal(inner, () => [currentSignal(), currentOwner()] as const)
    const seen = [plain, inTask, inLink, nested, body]
    assert.deepEqual(
      seen.map((one) => [thread, outer, inner].indexOf(one!)),
      [0, 0, 1, 2, 2],
    )
    assert.equal(owner, currentOwner())
    const below = runWithSignal(inner, () => currentThreadSignal())
    assert.equal(below, thread)
  } finally {
    setThreadSignal(undefined)
  }
  assert.equal(currentSignal(), undefined)
})

for (const concurrency of [1, 4])
  test(`tasks of a pool with a concurrency of ${concurrency} are owners of their own`, async () => {
    const pool = new Pool(1, { concurrency })
    const look = async (): Promise<[number, boolean]> => {
      const owner = currentOwner()
      await Promise.resolve()
      if (currentOwner() !== owner) throw new Error('another owner after an await')
      return [owner.id, owner.parent === null]
    }
    const seen = await Promise.all(Array.from({ length: 8 }, () => pool.apply(look)))
    assert.equal(new Set(seen.map(([id]) => id)).size, 8)
    assert.ok(seen.every(([, first]) => first))
    pool.terminate()
    await pool.join()
  })
