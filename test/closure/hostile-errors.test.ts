/** Errors whose getters throw travel, or are refused; V8 runs them when it makes the text of a stack. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capture } from '#plait/closure/capture.js'
import { Reviver } from '#plait/closure/revive.js'
import { writePlain } from '#plait/closure/plain.js'
import { Writer } from '#plait/codec/writer.js'
import { SerializationError } from '#plait/core/errors.js'

function there(value: unknown): unknown {
  const { templates, bytes } = capture(value, { what: 'the result' })
  const reviver = new Reviver()
  for (const template of templates) reviver.addTemplate(template.bytes)
  return reviver.revive(bytes, 0, bytes.length)
}

function withGetter(key: string): Error {
  return Object.defineProperty(new Error('text'), key, {
    get() {
      throw new Error('a getter was run')
    },
  })
}

class Hostile extends Error {
  override get message(): string {
    throw new Error('a getter was run')
  }
}

test('an error with a getter that throws arrives, its other fields whole', () => {
  for (const make of [
    () => withGetter('message'),
    () => withGetter('name'),
    () => withGetter('stack'),
    () => withGetter('cause'),
    () => new Hostile(),
  ]) {
    const back = there(Object.assign(make(), { code: 'E1' })) as Error & { code: string }
    assert.ok(back instanceof Error)
    assert.equal(back.code, 'E1')
    // Plain or not: nothing but a refusal may come out of the way of plain data.
    assert.equal(typeof writePlain(new Writer(), make(), 'it'), 'boolean')
  }
})

test('one that cannot travel is refused, in our words', () => {
  const refused = (value: unknown): SerializationError => {
    try {
      there(value)
    } catch (error) {
      if (error instanceof SerializationError) return error
      throw error
    }
    return assert.fail('it was sent')
  }
  assert.equal(refused(Object.assign(withGetter('message'), { live: new WeakMap() })).path, 'live')
  const trap = (): never => assert.fail('a trap was run')
  const proxy = new Proxy(new Error('x'), {
    get: trap,
    ownKeys: trap,
    getPrototypeOf: trap,
    getOwnPropertyDescriptor: trap,
  })
  assert.match(refused(proxy).message, /it is a Proxy/)
  assert.match(refused(() => proxy).message, /it is a Proxy/)
})

test('a reducer that fails with one', () => {
  class Broken {
    [Symbol.for('plait.reduce')](): never {
      throw new Hostile()
    }
  }
  assert.throws(() => there(new Broken()), {
    name: 'SerializationError',
    message: /its reducer failed: an error whose message cannot be read/,
  })
})
