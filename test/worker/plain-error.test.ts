/** The last resort of an error that cannot travel: whatever is thrown, what is left of it travels. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writePlain } from '#plait/closure/plain.js'
import { Writer } from '#plait/codec/writer.js'
import { plainError } from '#plait/worker/plain-error.js'
import { Pool, Process } from 'plait'

/** What is left of `thrown`; it has to be something that can be sent as it is. */
function left(thrown: unknown): Error & Record<string, unknown> {
  const plain = plainError(thrown)
  assert.equal(writePlain(new Writer(1024), plain, 'the error'), true)
  return plain as Error & Record<string, unknown>
}

const angry = {
  get(): never {
    // oxlint-disable-next-line typescript/only-throw-error -- the worst that can be thrown
    throw undefined
  },
}

/** A proxy of which every trap throws, but for those named. */
function trapped(target: object, ...spared: string[]): object {
  const refuse = (): never => {
    throw new Error('trapped')
  }
  const traps = Object.getOwnPropertyNames(Reflect).filter((trap) => !spared.includes(trap))
  return new Proxy(target, Object.fromEntries(traps.map((trap) => [trap, refuse])))
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

for (const key of [
  'message',
  'stack',
  'name',
  'cause',
  'errors',
  'constructor',
  'toString',
  '__proto__',
  Symbol.toStringTag,
  Symbol.toPrimitive,
  Symbol.hasInstance,
  Symbol.for('nodejs.util.inspect.custom'),
])
  test(`a getter that throws: ${String(key)}`, () => {
    const plain = left(Object.defineProperty(new TypeError('x'), key, { ...angry, enumerable: true }))
    assert.ok(plain instanceof TypeError)
    assert.equal(plain.message, key === 'message' ? '(message cannot be read)' : 'x')
    assert.equal(plain.name, key === 'name' ? '(name cannot be read)' : 'TypeError')
    assert.equal(typeof plain.stack, 'string')
  })

test('proxies', () => {
  assert.match(left(trapped(new Error('x'))).message, /^thrown: /)
  const half = left(trapped(new RangeError('x'), 'getPrototypeOf'))
  assert.ok(half instanceof RangeError)
  assert.equal(half.message, '(message cannot be read)')
  assert.equal(left(revoked(new Error('x'))).message, 'thrown: <Revoked Proxy>')
  assert.equal(left(new Error('x', { cause: revoked({}) })).cause, '<Revoked Proxy>')
  assert.deepEqual(left(Object.assign(new AggregateError([]), { errors: revoked([]) }))['errors'], [])
  assert.deepEqual(left(Object.assign(new AggregateError([]), { errors: trapped([1]) }))['errors'], [])
})

test('fields: primitives stay, symbols and what a list of errors holds become text', () => {
  const error = Object.assign(new Error('x'), { n: 1, big: 1n, none: null, s: Symbol('s'), f() {}, o: {} })
  const { n, big, none, ...rest } = left(error)
  assert.deepEqual([n, big, none, Object.keys(rest)], [1, 1n, null, []])
  const symbols = new AggregateError([Symbol('inner'), 5, new RangeError('r')], 'a', { cause: Symbol('why') })
  const plain = left(symbols)
  assert.equal(plain.cause, 'Symbol(why)')
  const [inner, five, range] = plain['errors'] as unknown[]
  assert.deepEqual([inner, five], ['Symbol(inner)', 5])
  assert.ok(range instanceof RangeError && range.message === 'r')
})

test('circles stay circles, and what has no end is cut', () => {
  const circle = new Error('circle')
  circle.cause = circle
  const plain = left(circle)
  assert.equal(plain.cause, plain)

  const crowd = new AggregateError([], 'crowd')
  crowd.errors = Array(100).fill(crowd)
  const errors = left(crowd)['errors'] as unknown[]
  assert.equal(errors.length, 100)
  assert.equal((errors[99] as AggregateError).message, 'crowd')

  let made = 0
  const endless = (): Error => {
    made++
    const traps: ProxyHandler<unknown[]> = {
      getOwnPropertyDescriptor: (_, key) =>
        key === 'length'
          ? { value: 2 ** 32 - 1, writable: true, enumerable: false, configurable: false }
          : { value: endless(), writable: true, enumerable: true, configurable: true },
    }
    return Object.assign(new AggregateError([]), { errors: new Proxy([], traps) })
  }
  left(endless())
  assert.ok(made < 10_000, `${made} errors were asked for`)
  assert.ok(left(new Error('x'.repeat(5_000_000))).message.length < 1_100_000)
})

test('what is no error is shown as text', () => {
  const shown: [unknown, RegExp][] = [
    [undefined, /^thrown: undefined$/],
    [null, /^thrown: null$/],
    [Symbol('s'), /^thrown: Symbol\(s\)$/],
    [() => 1, /^thrown: \[Function/],
    [Object.create(null), /^thrown: \[Object: null prototype\]/],
    [Object.defineProperty({}, Symbol.for('nodejs.util.inspect.custom'), angry), /^thrown: /],
    [Object.setPrototypeOf(new Error('x'), null), /^thrown: .*x/],
  ]
  for (const [thrown, message] of shown) assert.match(left(thrown).message, message)
})

test('a program in which no error can be made is survived', () => {
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')
  const thrown = new Error('x')
  Error.prepareStackTrace = () => {
    throw 1
  }
  try {
    assert.ok(plainError(thrown) instanceof Error)
    assert.ok(plainError(5) instanceof Error)
  } finally {
    Reflect.deleteProperty(Error, 'prepareStackTrace')
    if (prepare) Object.defineProperty(Error, 'prepareStackTrace', prepare)
  }
})

/** Node makes the text of a stack from the message, whoever asks for the stack: the getter throws there. */
function fail(): never {
  throw Object.defineProperty(new RangeError('x'), 'message', {
    get(): never {
      // oxlint-disable-next-line typescript/only-throw-error -- what is thrown need not be an error
      throw 1
    },
  })
}

test('a Process whose error throws at whoever reads its message ends with that error', async () => {
  const p = new Process({ target: fail, stdio: 'ignore' }).start()
  await assert.rejects(p.result, (error) => error instanceof RangeError)
  assert.equal(await p.join(), 1)
})

test("a pool's worker survives such an error", async () => {
  await using pool = new Pool(1)
  const pid = await pool.apply(() => process.pid)
  await assert.rejects(pool.apply(fail), (error) => error instanceof RangeError)
  assert.equal(await pool.apply(() => process.pid), pid)
})
