/** How a Process ends when its target fails: exit codes, errors, lost processes. */
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { Process, SerializationError, WorkerLostError } from 'plait'

test('exit codes are as in Python', async () => {
  const table: [target: () => unknown, exitcode: number][] = [
    [() => 1, 0],
    [() => void (process.exitCode = 7), 7],
    [() => process.exit(3), 3],
    [() => process.exit(0), 0],
    [() => process.exit(256), 0],
    [() => process.exit(-1), 255],
    [() => process.kill(process.pid, 'SIGKILL') && new Promise(() => setInterval(() => {}, 1000)), -9],
    [() => process.kill(process.pid, 'SIGTERM') && new Promise(() => setInterval(() => {}, 1000)), -15],
  ]
  for (const [target, exitcode] of table) {
    const p = new Process({ target }).start()
    assert.equal(await p.join(), exitcode, String(target))
    assert.equal(p.exitcode, exitcode)
  }
})

test('a process that ends before its target returned is a WorkerLostError that says how', async () => {
  const p = new Process({ target: () => process.exit(3), name: 'quitter' }).start()
  await assert.rejects(p.result, (error) => {
    assert.ok(error instanceof WorkerLostError)
    const { pid, exitcode, signal, worker, code } = error
    assert.deepEqual(
      { pid, exitcode, signal, worker, code },
      { pid: p.pid, exitcode: 3, signal: null, worker: 'quitter', code: 'PLAIT_WORKER_LOST' },
    )
    assert.match(error.message, /^quitter \(pid \d+\) ended with exit code 3 before its target returned/)
    return true
  })
})

class HttpError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
  override get name(): string {
    return 'HttpError'
  }
}

test('what target throws arrives as it was thrown, and is printed under its name', async () => {
  const p = new Process({
    stdio: 'pipe',
    name: 'thrower',
    target: async function failing() {
      throw Object.assign(new HttpError(404, 'no such page'), { url: '/x', cause: new RangeError('inner') })
    },
  }).start()
  const errors = text(p.stderr!)
  await assert.rejects(p.result, (error) => {
    assert.ok(error instanceof HttpError)
    assert.deepEqual(
      [error.status, error.message, (error as { url?: string }).url],
      [404, 'no such page', '/x'],
    )
    assert.ok(error.cause instanceof RangeError)
    assert.match(error.stack!, /failing/)
    return true
  })
  assert.equal(await p.join(), 1)
  assert.match(await errors, /^Process thrower:\n.*no such page\n.*at failing/s)
})

test('what is thrown need not be an error', async () => {
  for (const thrown of ['text', 0, null, { a: 1 }]) {
    const p = new Process({
      stdio: 'ignore',
      target: () => {
        throw thrown
      },
    }).start()
    await assert.rejects(p.result, (error) => {
      assert.deepEqual(error, thrown)
      return true
    })
    assert.equal(await p.join(), 1)
  }
  const p = new Process({
    stdio: 'ignore',
    target: () => {
      throw undefined
    },
  }).start()
  assert.equal(
    await p.result.then(
      () => 'returned',
      (error) => error,
    ),
    undefined,
  )
})

test('an error that cannot travel whole keeps its kind, name, message, stack and cause', async () => {
  const p = new Process({
    stdio: 'ignore',
    target: () => {
      const error = new TypeError('refused', { cause: new RangeError('because') })
      error.name = 'SocketTypeError'
      throw Object.assign(error, { code: 'E_X', pending: new Promise(() => {}) })
    },
  }).start()
  await assert.rejects(p.result, (error) => {
    assert.ok(error instanceof TypeError)
    const { name, message, code, cause, stack } = error as TypeError & { code: string }
    assert.deepEqual([name, message, code], ['SocketTypeError', 'refused', 'E_X'])
    assert.ok(cause instanceof RangeError && cause.message === 'because')
    assert.match(stack!, /process-errors\.test/)
    return true
  })
})

test('an error that throws at whoever looks at it arrives all the same', async () => {
  const p = new Process({
    stdio: 'ignore',
    target: () => {
      const error = new SyntaxError('x') as Error & { secret: unknown }
      error.secret = [error.stack, new Promise(() => {})] // a stack is made when first read
      const angry = (): never => {
        throw new Error('do not look')
      }
      for (const key of ['message', 'stack', 'name', Symbol.for('nodejs.util.inspect.custom')])
        Object.defineProperty(error, key, { get: angry })
      throw error
    },
  }).start()
  await assert.rejects(p.result, { name: '(name cannot be read)', message: '(message cannot be read)' })
  assert.equal(await p.join(), 1)
})

test('errors within an AggregateError degrade one by one', async () => {
  const p = new Process({
    stdio: 'ignore',
    target: () => {
      throw new AggregateError(
        [new RangeError('one'), Object.assign(new TypeError('two'), { p: new Promise(() => {}) })],
        'both',
      )
    },
  }).start()
  await assert.rejects(p.result, (error) => {
    assert.ok(error instanceof AggregateError && error.message === 'both')
    assert.deepEqual(
      error.errors.map((inner) => inner.constructor),
      [RangeError, TypeError],
    )
    return true
  })
})

test('a result that cannot travel is a SerializationError, and exit code 1', async () => {
  const p = new Process({ stdio: 'ignore', target: () => ({ a: [new WeakMap()] }) }).start()
  await assert.rejects(p.result, (error) => {
    assert.ok(error instanceof SerializationError)
    assert.match(error.path, /a\[0\]/)
    return true
  })
  assert.equal(await p.join(), 1)
})

test('a target that waits for what can never come is an error, not a hang', async () => {
  const p = new Process({ stdio: 'ignore', target: () => new Promise(() => {}) }).start()
  await assert.rejects(p.result, { name: 'WorkerLostError', message: /waits for a promise/ })
  assert.equal(await p.join(), 1)
})

test('uncaught errors outside of the target end it', async () => {
  const timer = new Process({
    stdio: 'ignore',
    target: () =>
      new Promise(() =>
        setTimeout(() => {
          throw new RangeError('in a timer')
        }),
      ),
  }).start()
  await assert.rejects(timer.result, { name: 'RangeError', message: 'in a timer' })
  assert.equal(await timer.join(), 1)

  const rejection = new Process({
    stdio: 'ignore',
    target: () => {
      void Promise.reject(new TypeError('nobody listens'))
      return new Promise((resolve) => setTimeout(resolve, 60_000))
    },
  }).start()
  await assert.rejects(rejection.result, { name: 'TypeError', message: 'nobody listens' })
  assert.equal(await rejection.join(), 1)

  const late = new Process({
    stdio: 'ignore',
    target: () => (
      setTimeout(() => {
        throw new Error('late')
      }, 50),
      'returned'
    ),
  }).start()
  assert.equal(await late.result, 'returned')
  assert.equal(await late.join(), 1)
})

test("a program's own uncaughtException listener is respected", async () => {
  const p = new Process({
    stdio: 'ignore',
    target: () =>
      new Promise((resolve) => {
        process.on('uncaughtException', (error) => resolve(`caught ${error.message}`))
        setTimeout(() => {
          throw new Error('x')
        })
      }),
  }).start()
  assert.equal(await p.result, 'caught x')
  assert.equal(await p.join(), 0)
})

test('a target that broke what is needed to say why ends with exit code 1', async () => {
  const p = new Process({
    stdio: 'ignore',
    target: () => {
      const broken = (): never => {
        throw new Error('broken')
      }
      Object.getOwnPropertyDescriptor = Reflect.getOwnPropertyDescriptor = broken
      Buffer.prototype.copy = Buffer.prototype.utf8Write = broken
      throw new Error('x')
    },
  }).start()
  await assert.rejects(p.result, Error)
  assert.equal(await p.join(), 1)
})
