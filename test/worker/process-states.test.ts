/** What a Process may be told when: the door, the states, join, activeChildren. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClosedError, InvalidStateError, Process, SerializationError, activeChildren } from 'plait'

test('arguments are checked at the door', () => {
  const make = (options: unknown) => () => new Process(options as object)
  assert.throws(make({ target: 5 }), { name: 'TypeError', message: 'target must be a function, got 5' })
  assert.throws(make({ args: 'ab' }), TypeError)
  assert.throws(make({ name: 5 }), TypeError)
  assert.throws(make({ daemon: 1 }), TypeError)
  assert.throws(make({ stdio: 'all' }), RangeError)
  assert.throws(make({ stdio: 1 }), TypeError)
  assert.throws(make({ cwd: 1 }), TypeError)
  assert.throws(make({ env: 'A=1' }), TypeError)
  assert.throws(make({ execArgv: [1] }), {
    name: 'TypeError',
    message: 'execArgv[0] must be a string, got 1',
  })
  assert.throws(make({ execArgv: '-r' }), TypeError)
  const deep = { a: 'x'.repeat(1000) }
  assert.throws(make({ daemon: deep, name: 'P' }), (error) => String(error).length < 200)
  assert.throws(
    make(() => 1),
    TypeError,
  )
  assert.throws(make(null), TypeError)
})

test('the states of a Process', async () => {
  const p = new Process({ target: () => new Promise((resolve) => setTimeout(resolve, 60_000)) })
  await assert.rejects(p.join(), { name: 'InvalidStateError', message: /start\(\) first/ })
  assert.throws(() => p.terminate(), InvalidStateError)
  assert.throws(() => p.kill(), InvalidStateError)
  p.daemon = true
  assert.throws(() => (p.daemon = 1 as never), TypeError)
  assert.throws(() => (p.name = 5 as never), TypeError)
  p.daemon = false
  p.name = 'renamed'
  p.start()
  assert.throws(() => p.start(), { name: 'InvalidStateError', message: /renamed was started already/ })
  assert.throws(() => (p.daemon = true), InvalidStateError)
  assert.throws(() => p.close(), { name: 'InvalidStateError', message: /renamed is still running/ })
  p.kill()
  await p.join()
  p.kill()
  p.terminate()
  p.close()
  p.close()
  assert.equal(p.name, 'renamed')
  for (const use of [
    () => p.pid,
    () => p.exitcode,
    () => p.isAlive(),
    () => p.start(),
    () => p.kill(),
    () => p.daemon,
  ])
    assert.throws(use, { name: 'ClosedError', message: 'renamed is closed' })
  await assert.rejects(p.join(), ClosedError)
})

test('what cannot travel is an error of start(), and nothing is spawned', () => {
  const socket = { pending: Promise.resolve(1) }
  const target = (): unknown => socket.pending
  const p = new Process({ target })
  assert.throws(
    () => p.start(),
    (error) => {
      assert.ok(error instanceof SerializationError)
      assert.match(error.path, /socket\.pending/)
      return true
    },
  )
  assert.equal(p.pid, null)
  assert.throws(
    () => new Process({ target: (_: unknown) => 1, args: [new WeakSet()] }).start(),
    (error) => {
      assert.ok(error instanceof SerializationError)
      assert.match(error.path, /args\[0\]/)
      return true
    },
  )
  assert.ok(!activeChildren().includes(p))
})

test('join with a timeout, and with a signal', async () => {
  const p = new Process({ target: () => new Promise((resolve) => setTimeout(resolve, 60_000)) }).start()
  assert.equal(await p.join({ timeout: 0 }), null)
  assert.equal(await p.join({ timeout: 20 }), null)
  await assert.rejects(p.join({ timeout: -1 }), RangeError)
  await assert.rejects(p.join({ timeout: '1' as never }), TypeError)
  const reason = new Error('enough')
  await assert.rejects(p.join({ signal: AbortSignal.abort(reason) }), reason)
  assert.equal(p.isAlive(), true)
  p.kill()
  assert.deepEqual(await Promise.all([p.join(), p.join({ timeout: 5000 }), p.join()]), [-9, -9, -9])
  assert.equal(await p.join({ timeout: 0 }), -9)
})

test('activeChildren are those that live', async () => {
  const target = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60_000))
  const [a, b] = [new Process({ target }).start(), new Process({ target }).start()]
  assert.deepEqual(
    activeChildren().filter((p) => p === a || p === b),
    [a, b],
  )
  a.kill()
  await a.join()
  assert.ok(!activeChildren().includes(a) && activeChildren().includes(b))
  b.terminate()
  assert.equal(await b.join(), -15)
  assert.ok(!activeChildren().includes(b))
})

test('without a start the result rejects at close()', async () => {
  const p = new Process({ target: () => 1, name: 'idle' })
  const { result } = p
  p.close()
  await assert.rejects(result, { name: 'ClosedError', message: 'idle was closed before its start' })
  await assert.rejects(p.result, ClosedError)

  const ended = new Process({ target: () => 1 }).start()
  await ended.join()
  ended.close()
  assert.equal(await ended.result, 1)
})

test('a start that failed may be tried again, and result follows it', async () => {
  const args: [unknown[]] = [[Promise.resolve(1)]]
  const p = new Process({ target: (list: unknown[]) => list.length, args })
  const before = p.result
  assert.throws(() => p.start(), SerializationError)
  await assert.rejects(before, { name: 'SerializationError' })
  await assert.rejects(p.result, SerializationError)
  args[0][0] = 'what can travel'
  p.start()
  assert.equal(await p.result, 1)
  await assert.rejects(before, SerializationError)
  assert.throws(() => p.start(), /was started already/)
  assert.equal(await p.join(), 0)
  assert.equal(await p.result, 1, 'a start that is refused changes nothing')

  const lost = new Process({ target: () => 1, cwd: '/does/not/exist' })
  assert.throws(() => lost.start(), { code: 'ENOENT' })
  await assert.rejects(lost.result, { code: 'ENOENT' })
  lost.close()
})
