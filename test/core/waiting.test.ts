/** waitFor: what a wait that gives up leaves behind, and what others get who wait for the same. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { waitFor } from '#plait/core/waiting.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function deferred(): {
  promise: Promise<string>
  resolve: (value: string) => void
  reject: (error: Error) => void
} {
  let ends!: { resolve: (value: string) => void; reject: (error: Error) => void }
  const promise = new Promise<string>((resolve, reject) => (ends = { resolve, reject }))
  return { promise, ...ends }
}

const late = (): string => 'late'

test('a wait that gave up is forgotten, however long the promise stays pending', async () => {
  const { promise } = deferred()
  await waitFor(promise, { timeout: 0 }, late)
  const ref = await (async () => {
    const onTimeout = (): string => 'late'
    assert.equal(await waitFor(promise, { timeout: 0 }, onTimeout), 'late')
    return new WeakRef(onTimeout)
  })()
  for (let i = 0; i < 20 && ref.deref() !== undefined; i++) {
    await turn()
    collect()
  }
  assert.equal(ref.deref(), undefined)
})

test('those who wait after one gave up get the outcome all the same', async () => {
  const good = deferred()
  const bad = deferred()
  await Promise.all([good, bad].map(({ promise }) => waitFor(promise, { timeout: 0 }, late)))
  const { signal } = new AbortController()
  const waits = [good, bad].flatMap(({ promise }) => [
    waitFor(promise, { timeout: 60_000 }, late),
    waitFor(promise, { signal }, late),
  ])
  good.resolve('good')
  bad.reject(new RangeError('bad'))
  const outcomes = await Promise.allSettled(waits)
  assert.deepEqual(
    outcomes.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message)),
    ['good', 'good', 'bad', 'bad'],
  )
  assert.equal(await waitFor(good.promise, { timeout: 60_000 }, late), 'good')
  await assert.rejects(waitFor(bad.promise, { timeout: 60_000 }, late), RangeError)
})

test('many waits are one listener on their signal, and none when they end', async () => {
  const { promise, resolve } = deferred()
  const abort = new AbortController()
  const waits = Array.from({ length: 30 }, () => waitFor(promise, { signal: abort.signal }, late))
  assert.equal(getEventListeners(abort.signal, 'abort').length, 1)
  resolve('good')
  assert.deepEqual(new Set(await Promise.all(waits)), new Set(['good']))
  assert.equal(getEventListeners(abort.signal, 'abort').length, 0)
  const more = Array.from({ length: 30 }, () =>
    waitFor(new Promise(() => {}), { signal: abort.signal }, late),
  )
  abort.abort(new Error('enough'))
  for (const wait of more) await assert.rejects(wait, /enough/)
})
