/**
 * Python's generator protocol, case by case: what send, throw and close give, throw and leave behind in each
 * state, and that JavaScript's own protocol stays beneath.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidStateError, PlaitError } from 'plait'
import { Coroutine, coroutine, StopIteration } from 'plait/coroutine'

/** Yields what it was sent, beginning with 'ready'; returns the sum of all numbers at 'end'. */
const adder = coroutine(function* adder(log: string[] = []): Generator<string, number, unknown> {
  let sum = 0
  let got: unknown = 'ready'
  try {
    while (true) {
      got = yield String(got)
      if (got === 'end') return sum
      sum += Number(got)
    }
  } finally {
    log.push('finally')
  }
})

function stops(fn: () => unknown, value: unknown): void {
  assert.throws(fn, (error) => {
    assert.ok(error instanceof StopIteration && error instanceof PlaitError)
    assert.equal(error.name, 'StopIteration')
    assert.equal(error.code, 'PLAIT_STOP_ITERATION')
    assert.deepEqual(error.value, value)
    return true
  })
}

test('send hands values in and gives what is yielded; the end is StopIteration with the value', () => {
  const c = adder()
  assert.equal(c.state, 'created')
  assert.equal(c.send(null), 'ready')
  assert.equal(c.state, 'suspended')
  assert.equal(c.send(1), '1')
  assert.equal(c.send(2), '2')
  assert.equal(c.send(null), 'null')
  stops(() => c.send('end'), 3)
  assert.equal(c.state, 'closed')
  stops(() => c.send(1), undefined)
  stops(() => c.send(null), undefined)
})

test('a value sent before the first yield is a TypeError, and it can still begin', () => {
  const c = adder()
  for (const value of [0, '', false, 1, {}])
    assert.throws(() => c.send(value), { name: 'TypeError', message: /adder has not begun.*send\(null\)/ })
  assert.equal(c.state, 'created')
  assert.equal(c.send(null), 'ready')
})

test('close runs finally blocks, no catch block, and gives what the body returns', () => {
  const log: string[] = []
  const c = adder(log)
  c.send(null)
  assert.equal(c.close(), undefined)
  assert.deepEqual([c.state, log], ['closed', ['finally']])
  assert.equal(c.close(), undefined)
  assert.deepEqual(log, ['finally'])
  stops(() => c.send(null), undefined)

  const caught: unknown[] = []
  const other = coroutine(function* (): Generator<number, string> {
    try {
      yield 1
    } catch (error) {
      caught.push(error)
    } finally {
      // oxlint-disable-next-line no-unsafe-finally -- what close() then returns is asked here
      return 'the last word'
    }
  })()
  other.send(null)
  assert.equal(other.close(), 'the last word')
  assert.deepEqual(caught, [])
})

test('close of what has not begun never runs the body', () => {
  const log: string[] = []
  const c = adder(log)
  assert.equal(c.close(), undefined)
  assert.deepEqual([c.state, log], ['closed', []])
})

test('a body that yields after close() ignored it: it is suspended there', () => {
  const c = coroutine(function* stubborn() {
    try {
      yield 1
    } finally {
      yield 2
      yield 3
    }
  })()
  c.send(null)
  assert.throws(
    () => c.close(),
    (error) => {
      assert.ok(error instanceof InvalidStateError)
      assert.match(error.message, /stubborn: generator ignored close\(\)/)
      return true
    },
  )
  assert.equal(c.state, 'suspended')
  assert.equal(c.send(null), 3)
  assert.equal(c.close(), undefined)
})

function fail(): never {
  throw new RangeError('in cleanup')
}

test('what a finally block throws comes out of close()', () => {
  const c = coroutine(function* () {
    try {
      yield 1
    } finally {
      fail()
    }
  })()
  c.send(null)
  assert.throws(() => c.close(), { name: 'RangeError', message: 'in cleanup' })
  assert.equal(c.state, 'closed')
})

test('throw: at the yield, and the next yield is what it gives', () => {
  const c = coroutine(function* (): Generator<unknown, string> {
    try {
      yield 1
    } catch (error) {
      yield error
    }
    return 'done'
  })()
  c.send(null)
  const error = new Error('x')
  assert.equal(c.throw(error), error)
  assert.equal(c.state, 'suspended')
  stops(() => c.send(null), 'done')
  assert.throws(
    () => c.throw(error),
    (thrown) => thrown === error,
  )
})

test('throw into what has not begun, or does not catch: it comes back, and that was it', () => {
  for (const begin of [false, true]) {
    const log: string[] = []
    const c = adder(log)
    if (begin) c.send(null)
    for (const value of [new Error('x'), 'a string', undefined]) {
      assert.throws(
        () => c.throw(value),
        (thrown) => thrown === value,
      )
      assert.equal(c.state, 'closed')
    }
    assert.deepEqual(log, begin ? ['finally'] : [])
  }
})

test('throw after which the body returns is StopIteration', () => {
  const c = coroutine(function* (): Generator<number, string> {
    try {
      yield 1
    } catch {
      return 'caught'
    }
    return 'not thrown'
  })()
  c.send(null)
  stops(() => c.throw(new Error('x')), 'caught')
})

test('StopIteration that leaves a body is no end of it', () => {
  const inner = adder()
  inner.send(null)
  const c = coroutine(function* leaky() {
    yield inner.send('end')
  })()
  assert.throws(() => c.send(null), StopIteration, 'not begun: as it was thrown')
  const later = coroutine(function* leaky() {
    yield 1
    yield inner.send('end')
  })()
  later.send(null)
  assert.throws(
    () => later.send(null),
    (error) => {
      assert.ok(error instanceof InvalidStateError)
      assert.match(error.message, /leaky: generator raised StopIteration/)
      assert.ok(error.cause instanceof StopIteration)
      return true
    },
  )
  assert.equal(later.state, 'closed')
})

test('a coroutine cannot be driven from inside of itself', () => {
  const seen: unknown[] = []
  const c: Coroutine<number> = coroutine(function* nested(): Generator<number, void> {
    for (const call of [() => c.send(null), () => c.throw(new Error('x')), () => c.close()])
      try {
        call()
      } catch (error) {
        seen.push(c.state, (error as Error).name, (error as Error).message)
      }
    yield 1
  })()
  assert.equal(c.send(null), 1)
  const each = ['running', 'InvalidStateError', 'nested: generator already executing']
  assert.deepEqual(seen, [...each, ...each, ...each])
  assert.equal(c.state, 'suspended')
})

test('for…of: break is return(), and the state is known', () => {
  const log: string[] = []
  const c = coroutine(function* () {
    try {
      yield 1
      yield 2
      yield 3
    } finally {
      log.push(c.state)
    }
  })()
  const seen: number[] = []
  for (const n of c) {
    seen.push(n)
    if (n === 2) break
    assert.equal(c.state, 'suspended')
  }
  assert.deepEqual([seen, log, c.state], [[1, 2], ['running'], 'closed'])
  assert.deepEqual([...c], [])
  stops(() => c.send(null), undefined)
})

test('both protocols go on with the same generator', () => {
  const c = adder()
  assert.equal(c.send(null), 'ready')
  const generator = c[Symbol.iterator]()
  assert.equal(generator, c[Symbol.iterator]())
  assert.equal(Object.prototype.toString.call(generator), '[object Generator]')
  assert.deepEqual(generator.next(5), { done: false, value: '5' })
  assert.equal(c.send(6), '6')
  assert.deepEqual(generator.return(0), { done: true, value: 0 })
  assert.equal(c.state, 'closed')
  assert.throws(() => generator.throw(new Error('late')), /late/)
})

test('yield* delegates send, throw and close, and its value is what the inner one returns', () => {
  const log: string[] = []
  const outer = coroutine(function* (): Generator<string, string, unknown> {
    try {
      return `sum ${yield* adder(log)}`
    } catch (error) {
      return `caught ${(error as Error).message}`
    } finally {
      log.push('outer finally')
    }
  })
  const first = outer()
  assert.equal(first.send(null), 'ready')
  assert.equal(first.send(4), '4')
  stops(() => first.send('end'), 'sum 4')
  const second = outer()
  second.send(null)
  stops(() => second.throw(new Error('x')), 'caught x')
  const third = outer()
  third.send(null)
  third.close()
  assert.deepEqual(log, Array.from({ length: 3 }, () => ['finally', 'outer finally']).flat())
})

test('coroutine() keeps name, arguments and this; what is no function is a TypeError', () => {
  const shop = {
    stock: 3,
    sell: coroutine(function* sell(this: { stock: number }, n: number) {
      this.stock -= n
      yield this.stock
    }),
  }
  assert.equal(shop.sell.name, 'sell')
  assert.equal(shop.sell(2).send(null), 1)
  assert.throws(() => coroutine(5 as never), TypeError)
  const made = new Coroutine(
    (function* () {
      yield 7
    })(),
  )
  assert.equal(made.send(null), 7)
})
