/**
 * The public types, as programs: the compiler is the test. Nothing in `uses` is ever called; if a name of the
 * API changes its type, `tsc -b` fails here. The lines under `@ts-expect-error` must not compile. At run time
 * only the list of names is compared.
 */
import assert from 'node:assert/strict'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import * as plait from 'plait'
import {
  BrokenPoolError,
  type Connection,
  Pipe,
  PlaitError,
  Pool,
  Process,
  Queue,
  SerializationError,
  TimeoutError,
  WorkerLostError,
  activeChildren,
  cpuCount,
  currentProcess,
  currentTask,
  parentProcess,
  registerReducer,
  wait as waitFor,
  withDeps,
} from 'plait'
import * as futures from 'plait/futures'
import {
  ALL_COMPLETED,
  asCompleted,
  Executor,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  Future,
  ProcessPoolExecutor,
  wait,
} from 'plait/futures'
import { exactly } from './exactly.js'
import type {
  AsyncResult,
  CallbackOptions,
  ImapIterator,
  ImapOptions,
  MapOptions,
  PoolOptions,
  PoolStatistics,
  ProcessInfo,
  ProcessOptions,
  TaskOptions,
  WaitOptions,
} from 'plait'

const numbers: number[] = [1, 2, 3]
async function* stream(): AsyncGenerator<number> {
  yield 1
}

export const uses = {
  async pool() {
    const pool = new Pool(2, { initializer: (url: string) => url, initargs: ['x'], maxTasksPerChild: 100 })
    new Pool()
    new Pool({ processes: 2, concurrency: 8, retries: 1, startTimeout: 1000, name: 'crew' })
    new Pool({ env: process.env, execArgv: ['--no-warnings'] })
    exactly<Promise<number>>()(pool.apply(() => 1))
    exactly<Promise<number>>()(pool.apply(() => 1, [], { timeout: 10, grace: 5, priority: 1 }))
    exactly<Promise<string>>()(pool.apply((a: number, b: string) => `${a}${b}`, [1, 'x']))
    exactly<Promise<number>>()(pool.apply(async (a: number) => a, [1]))
    exactly<AsyncResult<number>>()(pool.applyAsync(() => 1))
    exactly<AsyncResult<string>>()(
      pool.applyAsync((a: number) => String(a), [1], {
        callback: (value) => exactly<string>()(value),
        errorCallback: (error) => exactly<unknown>()(error),
      }),
    )
    exactly<Promise<string[]>>()(pool.map((x) => x.toFixed(exactly<number>()(x) ?? 1), numbers))
    exactly<Promise<number[]>>()(pool.map(async (x) => x, new Set(numbers), { chunksize: 1 }))
    exactly<Promise<number[]>>()(pool.map((x) => x, stream()))
    exactly<AsyncResult<number[]>>()(
      pool.mapAsync((x) => x, numbers, {
        onProgress: (_done, total) => exactly<number | undefined>()(total),
        callback: (values) => exactly<number[]>()(values),
      }),
    )
    exactly<Promise<number[]>>()(pool.starmap((a: number, b: number) => a + b, [[1, 2]]))
    exactly<AsyncResult<string[]>>()(pool.starmapAsync((a: string, b: number) => a + b, [['x', 2]]))
    exactly<PoolStatistics>()(pool.statistics())
    exactly<'running' | 'closed' | 'terminated' | 'broken'>()(pool.statistics().state)
    exactly<boolean>()(await pool.join({ timeout: 1, signal: new AbortController().signal }))
    exactly<void>()(pool.close())
    exactly<void>()(pool.terminate())
    exactly<Promise<void>>()(pool[Symbol.asyncDispose]())
    // @ts-expect-error the arguments are not those of the function
    void pool.apply((a: number) => a, ['1'])
    // @ts-expect-error a function with a parameter needs its arguments
    void pool.apply((a: number) => a)
    // @ts-expect-error a number is not iterable
    void pool.map((x: number) => x, 5)
    // @ts-expect-error the tuple is too short
    void pool.starmap((a: number, b: number) => a + b, [[1]])
    // @ts-expect-error no such option
    new Pool(2, { threads: true })
  },
  async imap(pool: Pool) {
    exactly<ImapIterator<string>>()(pool.imap((x) => x.toFixed(exactly<number>()(x) ?? 1), numbers))
    exactly<ImapIterator<number>>()(pool.imap(async (x) => x, stream(), { chunksize: 2, buffersize: 8 }))
    exactly<ImapIterator<number>>()(pool.imapUnordered((x) => x, new Set(numbers)))
    const options: ImapOptions = {
      buffersize: 8,
      progress: 'rows',
      onProgress: (_done, total) => exactly<number | undefined>()(total),
    }
    const iterator = pool.imapUnordered((x) => String(x), numbers, options)
    const { signal } = new AbortController()
    exactly<IteratorResult<string, undefined>>()(await iterator.next())
    exactly<IteratorResult<string, undefined>>()(await iterator.next({ timeout: 1, signal }))
    const step = await iterator.next()
    if (step.done === true) exactly<undefined>()(step.value)
    else exactly<string>()(step.value)
    exactly<Promise<IteratorResult<string, undefined>>>()(iterator.return())
    exactly<Promise<void>>()(iterator[Symbol.asyncDispose]())
    for await (const value of iterator) exactly<string>()(value)
    // @ts-expect-error a number is not iterable
    pool.imap((x: number) => x, 5)
    // @ts-expect-error the items are no strings
    pool.imapUnordered((x: string) => x, numbers)
    // @ts-expect-error no such option
    pool.imap((x) => x, numbers, { window: 8 })
    // @ts-expect-error no such wait
    void iterator.next({ grace: 1 })
  },
  async result(result: AsyncResult<number>) {
    exactly<Promise<number>>()(result.get({ timeout: 1 }))
    exactly<Promise<void>>()(result.wait())
    exactly<boolean>()(result.ready())
    exactly<boolean>()(result.successful())
    exactly<number>()(await result)
  },
  async process() {
    const child = new Process({
      target: (a: number, b: string) => a + b,
      args: [1, 'x'],
      daemon: true,
      name: 'n',
    })
    exactly<Process<[number, string], string>>()(child.start())
    exactly<Promise<string>>()(child.result)
    exactly<number | null>()(await child.join({ timeout: 1 }))
    exactly<number | null>()(child.exitcode)
    exactly<number | null>()(child.pid)
    exactly<boolean>()(child.isAlive())
    exactly<Readable | null>()(child.stdout)
    child.name = 'other'
    child.daemon = false
    child.terminate()
    child.kill()
    child.close()
    exactly<Promise<void>>()(child[Symbol.asyncDispose]())
    class Counter extends Process<[], number> {
      from = 3
      override async run(): Promise<number> {
        return this.from
      }
    }
    exactly<Promise<number>>()(new Counter({ stdio: 'pipe', cwd: '/', execArgv: [] }).start().result)
    // @ts-expect-error the arguments are not those of the target
    new Process({ target: (a: number) => a, args: ['1'] })
  },
  async queues(queue: Queue<number>, child: Process) {
    new Queue()
    new Queue<string>({ maxsize: 3 })
    exactly<Promise<void>>()(queue.put(1, { timeout: 10 }))
    exactly<void>()(queue.putSync(1))
    exactly<void>()(queue.putNowait(1))
    // @ts-expect-error an item of another type
    void queue.put('1')
    exactly<Promise<number>>()(queue.get({ signal: AbortSignal.timeout(10) }))
    exactly<number>()(queue.getSync())
    exactly<number>()(queue.getNowait())
    exactly<number>()(queue.qsize())
    exactly<boolean>()(queue.empty() && queue.full())
    exactly<Promise<void>>()(queue.join())
    for await (const item of queue) exactly<number>()(item)
    queue.shutdown({ immediate: true })
    queue.taskDone()
    queue.close()
    const [a, b] = Pipe<string, number>()
    exactly<Connection<string, number>>()(a)
    exactly<Connection<number, string>>()(b)
    Pipe({ duplex: false })
    exactly<Promise<void>>()(a.send('x'))
    exactly<Promise<number>>()(a.recv())
    exactly<string>()(b.recvSync())
    exactly<Promise<boolean>>()(a.poll({ timeout: 1 }))
    exactly<Promise<Connection<string, number>[]>>()(waitFor([a]))
    exactly<Promise<(Connection<string, number> | Process)[]>>()(waitFor([a, child], { timeout: 1 }))
  },
  async executor() {
    new ProcessPoolExecutor()
    const executor: Executor = new ProcessPoolExecutor(2, { initializer: (n: number) => n, retries: 1 })
    exactly<Future<number>>()(executor.submit(() => 1))
    exactly<Future<string>>()(executor.submit((a: number, b: string) => `${a}${b}`, 1, 'x'))
    exactly<Future<number>>()(executor.submit(async (a: number) => a, 1))
    exactly<ImapIterator<number>>()(executor.map((x) => x * x, numbers))
    const squares: AsyncIterableIterator<number> = executor.map((x) => x * x, numbers)
    for await (const value of executor.map((a, b) => `${a}${b.length}`, stream(), new Set(['x'])))
      exactly<string>()(value)
    for await (const value of executor.map(async (a: number) => a, squares)) exactly<number>()(value)
    exactly<Executor>()(
      executor.withOptions({ timeout: 1, grace: 1, priority: 1, chunksize: 2, buffersize: 8 }),
    )
    exactly<Promise<void>>()(executor.shutdown())
    exactly<Promise<void>>()(executor.shutdown({ wait: false, cancelFutures: true }))
    exactly<Promise<void>>()(executor[Symbol.asyncDispose]())
    // @ts-expect-error the argument is not that of the function
    executor.submit((a: number) => a, '1')
    // @ts-expect-error an argument is missing
    executor.submit((a: number) => a)
    // @ts-expect-error the items are not what the function takes
    executor.map((a: number) => a, ['x'])
    // @ts-expect-error more inputs than parameters
    executor.map((a: number) => a, [1], [2])
    // @ts-expect-error abstract
    new Executor()
    // @ts-expect-error no such option
    executor.withOptions({ retries: 1 })
    // @ts-expect-error no such option
    new ProcessPoolExecutor(2, { threads: true })
  },
  async futures(future: Future<number>, other: Future<string>) {
    exactly<Promise<number>>()(future.result({ timeout: 1 }))
    exactly<Promise<unknown>>()(future.exception({ signal: new AbortController().signal }))
    exactly<boolean>()(future.cancel())
    exactly<boolean>()(future.cancelled() && future.running() && future.done())
    future.addDoneCallback((done) => exactly<Future<number>>()(done))
    exactly<number>()(await future)
    exactly<Promise<string>>()(future.then((n) => String(n)))
    const promised: PromiseLike<number> = future
    const { done, notDone } = await wait([future], { returnWhen: FIRST_COMPLETED, timeout: 1 })
    exactly<Set<Future<number>>>()(done)
    exactly<Set<Future<number>>>()(notDone)
    exactly<Set<Future<number> | Future<string>>>()((await wait([future, other])).done)
    const sizes = new Map([[future, 1]])
    for await (const each of asCompleted(sizes.keys(), { timeout: 1 })) {
      exactly<number>()(await each.result())
      exactly<number | undefined>()(sizes.get(each))
      const same: Future<number> = each
      exactly<Future<number>>()(same)
    }
    for await (const each of asCompleted([future, other]))
      exactly<Promise<number> | Promise<string>>()(each.result())
    const iterator: AsyncIterableIterator<Future<number>> = asCompleted<number>([future])
    exactly<'FIRST_COMPLETED'>()(FIRST_COMPLETED)
    exactly<'FIRST_EXCEPTION'>()(FIRST_EXCEPTION)
    exactly<'ALL_COMPLETED'>()(ALL_COMPLETED)
    // @ts-expect-error a promise is no future
    void wait([promised])
    // @ts-expect-error no such moment
    void wait([future], { returnWhen: 'SOMETIMES' })
    // @ts-expect-error executors make them
    new Future()
    return iterator
  },
  about() {
    exactly<ProcessInfo>()(currentProcess())
    exactly<ProcessInfo | null>()(parentProcess())
    exactly<number>()(activeChildren().length)
    exactly<number>()(cpuCount())
    const task = currentTask()
    if (task === null) return
    exactly<number>()(task.id)
    exactly<number>()(task.attempt)
    exactly<AbortSignal>()(task.signal)
  },
  travel() {
    class Money {
      cents = 1n
    }
    registerReducer(Money, {
      reduce: (money) => money.cents,
      revive: (cents) => Object.assign(new Money(), { cents: exactly<bigint>()(cents) ?? cents }),
    })
    const helper = (x: number): number => x
    exactly<(x: number) => number>()(withDeps((x: number) => helper(x), { helper }))
  },
  errors(error: unknown) {
    if (error instanceof PlaitError) exactly<string>()(error.code)
    if (error instanceof SerializationError) {
      exactly<string>()(error.path)
      exactly<string>()(error.hint)
    }
    if (error instanceof WorkerLostError) {
      exactly<number>()(error.pid)
      exactly<number | null>()(error.exitcode)
      exactly<string | null>()(error.signal)
      exactly<string>()(error.worker)
    }
    const plain: Error = new TimeoutError('x')
    const broken: PlaitError = new BrokenPoolError('x', { cause: plain })
    return broken
  },
  options(): [
    WaitOptions,
    TaskOptions,
    MapOptions,
    CallbackOptions<number>,
    PoolOptions,
    ProcessOptions<[], void>,
  ] {
    return [
      { timeout: 1 },
      { priority: 1 },
      { chunksize: 1 },
      { callback: (n) => n },
      {},
      { target: () => {} },
    ]
  },
}

test('the names that plait exports', () => {
  const promised = [
    ['Pool', 'Process', 'ThreadPool', 'activeChildren', 'cpuCount', 'currentProcess', 'currentTask'],
    ['parentProcess'],
    ['registerReducer', 'withDeps', 'Connection', 'Pipe', 'Queue', 'wait'],
    [
      'AuthenticationError',
      'BrokenBarrierError',
      'BrokenPoolError',
      'CancelledError',
      'ClosedError',
      'EOFError',
    ],
    [
      'Empty',
      'Full',
      'InvalidStateError',
      'MemoryError',
      'PlaitError',
      'PoolClosedError',
      'PoolTerminatedError',
    ],
    ['SerializationError', 'ShutDown', 'TimeoutError', 'WorkerLostError'],
  ].flat()
  const there = new Set(Object.keys(plait))
  assert.deepEqual(
    promised.filter((name) => !there.has(name)),
    [],
  )
})

test('the names that plait/futures exports', () => {
  assert.deepEqual(Object.keys(futures).sort(), [
    'ALL_COMPLETED',
    'Executor',
    'FIRST_COMPLETED',
    'FIRST_EXCEPTION',
    'Future',
    'ProcessPoolExecutor',
    'ThreadPoolExecutor',
    'asCompleted',
    'wait',
  ])
})
