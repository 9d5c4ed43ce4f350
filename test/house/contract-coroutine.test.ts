/**
 * The public types of plait/coroutine, as programs: the compiler is the test, as in contract.test.ts. At run
 * time only the list of names is compared.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PlaitError } from 'plait'
import * as door from 'plait/coroutine'
import {
  Channel,
  Coroutine,
  coroutine,
  gather,
  ManualClock,
  Scheduler,
  sleep,
  StopIteration,
  TaskGroup,
  timeout,
  type Clock,
  type CoroutineTask,
} from 'plait/coroutine'
import { exactly } from './exactly.js'

export const uses = {
  coroutine() {
    const typed = coroutine(function* (from: number): Generator<string, boolean, number> {
      const n = yield String(from)
      return n > 0
    })
    exactly<(from: number) => Coroutine<string, boolean, number>>()(typed)
    const c = typed(1)
    exactly<'created' | 'running' | 'suspended' | 'closed'>()(c.state)
    exactly<string>()(c.send(null))
    exactly<string>()(c.send(5))
    exactly<string>()(c.throw(new Error('x')))
    exactly<boolean | undefined>()(c.close())
    exactly<Generator<string, boolean, number>>()(c[Symbol.iterator]())
    // Without types of its own: what is sent is anything, what is yielded is known.
    const plain = coroutine(function* () {
      let r = ''
      while (true) {
        const n: number = yield r
        if (n === 0) return 7
        r = '200 OK'
      }
    })
    exactly<string>()(plain().send(5))
    exactly<number | undefined>()(plain().close())
    for (const word of coroutine(function* () {
      yield 'x'
    })())
      exactly<string>()(word)
    const explicit = coroutine<[string], number, void, string>(function* (word) {
      yield word.length
    })
    exactly<Coroutine<number, void, string>>()(explicit('x'))
    const contract: <A extends readonly unknown[], Y, R, S>(
      fn: (...args: A) => Generator<Y, R, S>,
    ) => (...args: A) => Coroutine<Y, R, S> = coroutine
    // @ts-expect-error it takes numbers
    c.send('x')
    // @ts-expect-error the argument is a number
    typed('x')
    // @ts-expect-error no generator
    coroutine(() => 5)
    return contract
  },
  stop(error: StopIteration<number>) {
    exactly<number>()(error.value)
    const base: PlaitError = error
    return base
  },
  async scheduler(clock: Clock) {
    const scheduler = new Scheduler()
    new Scheduler({ clock })
    new Scheduler({ clock: new ManualClock() })
    const channel = new Channel<string>()
    const task = scheduler.spawn(function* () {
      const word: string = yield channel.receive()
      return word.length
    })
    exactly<CoroutineTask<number>>()(task)
    exactly<CoroutineTask<void>>()(scheduler.spawn((function* () {})(), { name: 'n' }))
    exactly<string>()(task.name)
    exactly<boolean>()(task.done)
    exactly<boolean>()(task.cancel('why'))
    exactly<number>()(await task)
    const promised: PromiseLike<number> = task
    exactly<boolean>()(scheduler.step())
    exactly<Promise<void>>()(scheduler.run())
    // @ts-expect-error no generator
    scheduler.spawn(async () => {})
    return promised
  },
  async group() {
    const { signal } = new AbortController()
    exactly<Promise<number>>()(TaskGroup.run(async (group) => (exactly<TaskGroup>()(group), 5), { signal }))
    exactly<Promise<string>>()(TaskGroup.run(() => 'x'))
    const group = new TaskGroup()
    exactly<Promise<number>>()(group.spawn((signal) => (exactly<AbortSignal>()(signal), 1)))
    exactly<Promise<number>>()(group.spawn(async () => 1))
    exactly<AbortSignal>()(group.signal)
    exactly<void>()(group.cancel())
    group.cancel(new Error('why'))
    exactly<Promise<void>>()(group[Symbol.asyncDispose]())
    exactly<Promise<[number, string, boolean]>>()(gather(Promise.resolve(1), String(1), Boolean(1)))
    exactly<Promise<[]>>()(gather())
    exactly<Promise<void>>()(sleep(1, { signal }))
    exactly<Promise<number>>()(timeout(1, async (signal) => (exactly<AbortSignal>()(signal), 1)))
    // @ts-expect-error a deadline needs something to do
    void timeout(1)
  },
  async channel() {
    const channel = new Channel<number>(3)
    const { signal } = new AbortController()
    exactly<Promise<void>>()(channel.send(1, { timeout: 1, signal }))
    exactly<Promise<number>>()(channel.receive({ timeout: 1, signal }))
    exactly<void>()(channel.close())
    const iterator: AsyncIterableIterator<number> = channel[Symbol.asyncIterator]()
    for await (const value of iterator) exactly<number>()(value)
    // @ts-expect-error it carries numbers
    void channel.send('x')
  },
}

test('the names that plait/coroutine exports', () => {
  assert.deepEqual(Object.keys(door).sort(), [
    'Channel',
    'Coroutine',
    'ManualClock',
    'Scheduler',
    'StopIteration',
    'TaskGroup',
    'coroutine',
    'gather',
    'sleep',
    'timeout',
  ])
})
