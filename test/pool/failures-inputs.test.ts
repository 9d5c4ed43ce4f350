/** Walks the table of inputs that fail (failures-inputs.ts) with pool.map and pool.imap. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Pool } from 'plait'
import { checkLeaks } from '../leaks.js'
import { inputFailures, type Expected, type InputFailure, type Script } from './failures-inputs.js'

checkLeaks()

type Items = Iterable<number> | AsyncIterable<number>

/** Three items, by the script; `stands` is called when it is asked for what it never gives. */
function inputOf(kind: 'sync' | 'async', script: Script, stands: () => void): Items {
  let n = 0
  const next = (): IteratorResult<number> => {
    n++
    if (n > 3) return { done: true, value: undefined }
    script.next?.(n)
    return { done: false, value: n }
  }
  const end = (): IteratorResult<number> => {
    script.return?.()
    return { done: true, value: undefined }
  }
  if (kind === 'sync') return { [Symbol.iterator]: () => (script.open?.(), { next, return: end }) }
  const later = async (): Promise<IteratorResult<number>> => {
    if (script.silent !== n + 1) return next()
    stands()
    return new Promise(() => {})
  }
  return {
    [Symbol.asyncIterator]: () => (script.open?.(), { next: later, return: async () => end() }),
  }
}

async function run(how: 'map' | 'imap', kind: 'sync' | 'async', failure: InputFailure): Promise<void> {
  await using pool = new Pool(1)
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  const { signal } = controller
  const input = inputOf(kind, failure.script(pool, abort), () =>
    setImmediate(() => failure.strike?.(pool, abort)),
  )
  const expected: Expected = failure[how]
  const values: number[] = []
  let error: Error | undefined
  try {
    if (how === 'map') values.push(...(await pool.map((n: number) => n, input, { signal })))
    else
      for await (const value of pool.imap((n: number) => n, input, { signal, buffersize: 3 })) {
        values.push(value)
        if (values.length === failure.leaves) break
      }
  } catch (thrown) {
    error = thrown as Error
  }
  assert.deepEqual(values, expected.values)
  assert.equal(error?.name, expected.error?.[0])
  if (error !== undefined) assert.ok(error.message.includes(expected.error![1]), error.message)
  const { state, queued, running, completed, failed } = pool.statistics()
  assert.deepEqual([queued, running], [0, 0])
  if (expected.tasks !== undefined) assert.equal(completed + failed, expected.tasks)
  if (state === 'running') assert.equal(await pool.apply(() => 'works'), 'works')
}

for (const failure of inputFailures)
  describe(`an input that ${failure.what}`, () => {
    for (const how of ['map', 'imap'] as const)
      for (const kind of failure.kinds) it(`${how}, ${kind}`, () => run(how, kind, failure))
  })
