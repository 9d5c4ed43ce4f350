/** Shared values and arrays: every type, atomic from all sides, and what becomes of those nobody holds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allocate, free, usage } from '#plait/memory/heap.js'
import { kinds } from '#plait/memory/layout.js'
import { region } from '#plait/memory/region.js'
import { Lock, RLock, SharedArray, SharedValue } from '#plait/sync/open.js'
import { checkLeaks } from '../leaks.ts'
import { mapped, start, type Where } from './kit.ts'

// One more than elsewhere: who rings its own bell opens it a second time.
checkLeaks(4)

const sides: readonly Where[] = mapped ? ['process', 'thread'] : ['thread']
const numbers = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'float32', 'float64'] as const
const arrays = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array } as const

for (const type of numbers)
  test(`SharedValue of ${type}`, () => {
    const value = new SharedValue(type)
    assert.equal(value.value, 0)
    value.value = 5
    assert.equal(value.add(2), 5)
    assert.equal(value.value, 7)
    assert.equal(value.compareExchange(1, 2), 7)
    assert.equal(value.value, 7)
    assert.equal(value.compareExchange(7, 9), 7)
    assert.equal(value.value, 9)
    assert.equal(new SharedValue(type, 3).value, 3)
    assert.throws(() => (value.value = 1n as never), TypeError)
    assert.throws(() => value.add('1' as never), TypeError)
    assert.equal(value.value, 9)
    assert.equal(value.type, type)
  })

for (const type of ['int64', 'uint64'] as const)
  test(`SharedValue of ${type}`, () => {
    const value = new SharedValue(type, 5n)
    assert.equal(value.add(2n ** 40n), 5n)
    assert.equal(value.value, 2n ** 40n + 5n)
    assert.equal(value.compareExchange(0n, 1n), 2n ** 40n + 5n)
    assert.equal(value.compareExchange(2n ** 40n + 5n, -1n), 2n ** 40n + 5n)
    assert.equal(value.value, type === 'int64' ? -1n : 2n ** 64n - 1n)
    assert.equal(new SharedValue(type).value, 0n)
    assert.throws(() => (value.value = 1 as never), TypeError)
    assert.throws(() => new SharedValue(type, 1 as never), TypeError)
  })

test('SharedValue wraps as typed arrays do', () => {
  for (const [type, array] of Object.entries(arrays)) {
    const value = new SharedValue(type as 'int8')
    for (const number of [2 ** 40, -1, 300, 70_000, 1.9, -1.9, Number.NaN]) {
      value.value = number
      assert.equal(value.value, array.of(number)[0], `${number} in ${type}`)
    }
  }
  const single = new SharedValue('float32', 0.1)
  assert.equal(single.value, Math.fround(0.1))
  assert.equal(single.compareExchange(0.1, 1), Math.fround(0.1))
  assert.equal(single.value, 1)
})

test('SharedValue: what is exchanged is what was expected', () => {
  const value = new SharedValue('float64', -0)
  assert.equal(value.compareExchange(0, Number.NaN), -0)
  assert.ok(Number.isNaN(value.value))
  assert.ok(Number.isNaN(value.compareExchange(Number.NaN, 4)))
  assert.equal(value.value, 4)
})

test('SharedValue: types that are none', () => {
  assert.throws(() => new SharedValue('int' as never), RangeError)
  assert.throws(() => new SharedValue(undefined as never), TypeError)
  assert.throws(() => new SharedArray('i' as never, 1), RangeError)
})

for (const type of ['float64', 'int8'] as const)
  test(`SharedValue of ${type}: add is atomic from all sides`, async () => {
    const value = new SharedValue(type as 'float64')
    const times = 100_000
    const others = [...sides, ...sides].map((where) => start(where, 'addMany', value, times))
    for (let i = 0; i < times; i++) value.add(1)
    for (const { result } of others) await result
    const sum = times * (others.length + 1)
    assert.equal(value.value, type === 'int8' ? Int8Array.of(sum)[0] : sum)
  })

test('the lock of a value or an array is one for all', async () => {
  for (const shared of [new SharedValue('int32', 1), new SharedArray('int32', 2)]) {
    assert.ok(shared.lock instanceof RLock)
    assert.equal(shared.lock, shared.lock)
  }
  const value = new SharedValue('int32')
  const times = 2000
  const others = sides.map((where) => start(where, 'countByOwnLock', value, times))
  for (let i = 0; i < times; i++)
    await value.lock.run(async () => {
      const seen = value.value
      await Promise.resolve()
      value.value = seen + 1
    })
  for (const { result } of others) await result
  assert.equal(value.value, times * (others.length + 1))
})

test('SharedArray: made from a length, from values, from an iterable', () => {
  const zeros = new SharedArray('uint16', 5)
  assert.deepEqual([...zeros], [0, 0, 0, 0, 0])
  assert.ok(zeros.view instanceof Uint16Array)
  assert.equal(zeros.length, 5)
  assert.deepEqual([...new SharedArray('int8', [1, 200, -1.5])], [...Int8Array.of(1, 200, -1.5)])
  assert.deepEqual([...new SharedArray('int64', new Set([1n, -2n]))], [1n, -2n])
  assert.deepEqual([...new SharedArray('float64', Float32Array.of(0.5, 2))], [0.5, 2])
  assert.equal(new SharedArray('float64', 0).length, 0)
  assert.equal(new SharedArray('float64', []).view.byteLength, 0)
  if (mapped) assert.equal(zeros.view.buffer.byteLength, 10)
  assert.throws(() => new SharedArray('int8', -1), RangeError)
  assert.throws(() => new SharedArray('int8', 1.5), RangeError)
  assert.throws(() => new SharedArray('int8', undefined as never), TypeError)
  assert.throws(() => new SharedArray('int8', [1n] as never), TypeError)
  assert.throws(() => new SharedArray('int64', [1] as never), TypeError)
  assert.throws(() => new SharedArray('uint8', 2 ** 52), RangeError)
})

test('SharedArray: all sides write into one', async () => {
  const length = 300_000
  const array = new SharedArray('int32', length)
  const part = length / sides.length
  const others = sides.map((where, i) => start(where, 'fill', array, i * part, (i + 1) * part))
  assert.deepEqual(
    await Promise.all(others.map(({ result }) => result)),
    sides.map(() => length),
  )
  assert.ok(array.view.every((value, i) => value === i))
})

test('a used block is zero again', async () => {
  for (const length of [100, 20_000, 3_000_000])
    for (let round = 0; round < 3; round++) {
      const array = new SharedArray('uint8', length)
      assert.ok(array.view.every((value) => value === 0))
      array.view.fill(7)
      await collect()
    }
})

test('so is a large one where the system takes no pages back', () => {
  const { discard, slice } = region()
  const size = 2 ** 21
  const block = allocate(size, kinds.payload)
  slice(block, size).fill(7)
  free(block)
  Object.assign(region(), { discard: () => false })
  try {
    const array = new SharedArray('uint8', size)
    assert.ok(array.view.every((byte) => byte === 0))
  } finally {
    Object.assign(region(), { discard })
  }
})

test('what nobody holds is given back, also where many are made', async () => {
  const keep = new SharedArray('int32', [1, 2, 3])
  await collect()
  const before = usage().bytes
  for (let i = 0; i < 20_000; i++) {
    new Lock()
    if (i % 100 === 0) new SharedArray('float64', 1000).lock.runSync(() => {})
    if (i % 2000 === 0) await collect()
  }
  // A view keeps the memory, though its array is gone.
  const view = ((): Int32Array => new SharedArray('int32', [4, 5, 6]).view)()
  for (let i = 0; i < 50 && usage().bytes > before + 100_000; i++) await collect()
  assert.ok(usage().bytes <= before + 100_000, `${usage().bytes} bytes are in use, ${before} were`)
  for (let i = 0; i < 10; i++) new SharedArray('int32', 3).view.fill(9)
  assert.deepEqual([...view, ...keep.view], [4, 5, 6, 1, 2, 3])
})

/** Collects, and lets the finalizers run. */
async function collect(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
}
