/**
 * Values, arrays and named memory among threads and processes: every type to its limits, sums made in place
 * by others, and that memory is found by its name for as long as somebody has it, however the others go.
 * Python: the cases of test_multiprocessing.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { test } from 'node:test'
import { Event, SharedArray, SharedMemory, SharedValue } from 'plait'
import { checkLeaks } from '../leaks.ts'
import { end, mapped, resultOf, start, wheres } from './kit.ts'

checkLeaks(4)

const limits = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  float32: [Math.fround(-1e38), Math.fround(0.1)],
  float64: [-Number.MAX_VALUE, Number.MIN_VALUE],
} as const

for (const where of wheres) {
  test(`values of every type, written in a ${where}, are read here to the bit`, async () => {
    const values = Object.entries(limits).map(([type, [low, high]]) => {
      const value = new SharedValue(type as 'int8', low)
      return { type, value, low, high }
    })
    const big = new SharedValue('int64', -(2n ** 63n))
    const huge = new SharedValue('uint64', 2n ** 64n - 1n)
    const [nan, zero] = [new SharedValue('float64'), new SharedValue('float32')]
    const seen = start(where, () => {
      const seen: (number | bigint)[] = [big.value, huge.value]
      for (const { value, high } of values) {
        seen.push(value.value)
        value.value = high
      }
      big.value = 2n ** 63n - 1n
      huge.value = 0n
      nan.value = Number.NaN
      zero.value = -0
      return seen
    }, [])
    const lows = values.map(({ low }) => low)
    assert.deepEqual(await resultOf(seen), [-(2n ** 63n), 2n ** 64n - 1n, ...lows])
    for (const { type, value, high } of values) assert.equal(value.value, high, type)
    assert.deepEqual([big.value, huge.value], [2n ** 63n - 1n, 0n])
    assert.ok(Number.isNaN(nan.value) && Object.is(zero.value, -0))
  })

  test(`sums made in place by a ${where}, under the lock of the array`, async () => {
    const numbers = Float64Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1013)
    const shared = new SharedArray('float64', numbers)
    const steps = new SharedArray('uint64', [0n, 2n ** 63n])
    const sums = (): number => {
      shared.lock.runSync(() => {
        for (let i = 1; i < shared.length; i++) shared.view[i] = shared.view[i] + shared.view[i - 1]
      })
      steps.lock.runSync(() => steps.view.set([steps.view[0] + 1n, steps.view[1] + 1n]))
      return shared.view.at(-1)!
    }
    const both = [start(where, sums, []), start(where, sums, [])]
    const last = (await Promise.all(both.map((one) => resultOf(one)))).toSorted((a, b) => a - b)
    const expected: number[] = []
    for (let time = 0; time < 2; time++) {
      for (let i = 1; i < numbers.length; i++) numbers[i] = numbers[i] + numbers[i - 1]
      expected.push(numbers.at(-1)!)
    }
    assert.deepEqual(shared.view, numbers)
    assert.equal(last[1], expected[1])
    assert.deepEqual([...steps], [2n, 2n ** 63n + 2n])
  })
}

const entriesOf = (name: string): string[] =>
  readdirSync('/dev/shm').filter((file) => file.includes(`.${encodeURIComponent(name)}.`))
const memories = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes('memfd:')
    } catch {
      return false // the descriptor of the listing
    }
  }).length

for (const where of wheres) {
  const ways = {
    'closes it': (memory: SharedMemory) => memory.close(),
    returns: () => {},
    exits: () => process.exit(0),
    'is ended': () => new Promise(() => setTimeout(() => {}, 60_000)),
  }
  for (const [how, way] of Object.entries(ways))
    test(`a ${where} that attaches and ${how} takes no name from others`, { skip: !mapped }, async () => {
      const name = `plait-test attached ${where} ${how} ${process.pid}`
      const mine = SharedMemory.create({ size: 40_000, name })
      const before = memories()
      // Again and again: a descriptor's number comes back.
      for (let round = 1; round <= 3; round++) {
        const ready = new Event()
        const there = start(where, async () => {
          const same = SharedMemory.attach(name)
          const bytes = new Uint8Array(same.buffer)
          bytes[39_999] = bytes[39_999] + 1
          ready.set()
          await way(same)
        }, [])
        there.result.catch(() => {})
        await ready.wait()
        if (how === 'is ended') await end(there)
        else await there.join()
        const again = SharedMemory.attach(name)
        assert.equal(new Uint8Array(again.buffer)[39_999], round)
        again.close()
        assert.deepEqual([entriesOf(name).length, memories()], [1, before])
      }
      mine.close()
      assert.deepEqual(entriesOf(name), [])
    })

  test(`what a ${where} has created and not closed ends with it`, { skip: !mapped }, async () => {
    for (const ended of [false, true]) {
      const name = `plait-test created ${where} ${process.pid}`
      const [before, ready, go] = [memories(), new Event(), new Event()]
      const there = start(where, async () => {
        const made = SharedMemory.create({ size: 1000, name })
        new Uint8Array(made.buffer)[7] = 7
        ready.set()
        await go.wait()
      }, [])
      there.result.catch(() => {})
      await ready.wait()
      const mine = SharedMemory.attach(name)
      if (ended) await end(there)
      else go.set()
      await there.join()
      // Who attached has it still, under its name.
      const again = SharedMemory.attach(name)
      assert.equal(new Uint8Array(again.buffer)[7], 7)
      again.close()
      mine.close()
      assert.throws(() => SharedMemory.attach(name), { code: 'ENOENT' })
      assert.deepEqual([entriesOf(name), memories()], [[], before])
    }
  })
}

test('a thread that closes named memory is warned of nothing', { skip: !mapped }, async () => {
  const there = start(
    'thread',
    async () => {
      const warnings: string[] = []
      process.on('warning', (warning) => warnings.push(warning.message))
      const made = SharedMemory.create({ size: 10 })
      const same = SharedMemory.attach(made.name)
      made.close()
      same.close()
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
      return warnings
    },
    [],
  )
  assert.deepEqual(await resultOf(there), [])
})

test("the pages of a thread that has ended are the system's again", { skip: !mapped }, async () => {
  const resident = (): number =>
    Number(/^RssShmem:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
  const size = 16e6
  const before = resident()
  for (const how of ['closes it', 'returns', 'is ended', 'is ended'] as const) {
    const ready = new Event()
    const there = start(
      'thread',
      async () => {
        const made = SharedMemory.create({ size })
        new Uint8Array(made.buffer).fill(1)
        if (how === 'closes it') made.close()
        ready.set()
        if (how === 'is ended') await new Promise(() => setTimeout(() => {}, 60_000))
      },
      [],
    )
    there.result.catch(() => {})
    await ready.wait()
    if (how === 'is ended') await end(there)
    else await there.join()
    assert.ok(resident() < before + size / 2, `${resident() - before} bytes are left: it ${how}`)
  }
})
