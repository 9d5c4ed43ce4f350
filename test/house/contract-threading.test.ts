/**
 * The public types of plait/threading, of ThreadPool and of ThreadPoolExecutor, as programs: the compiler is
 * the test, as in contract.test.ts. At run time only the lists of names are compared.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pool, ThreadPool, type PoolOptions } from 'plait'
import { Executor, ThreadPoolExecutor, type Future } from 'plait/futures'
import * as door from 'plait/threading'
import {
  activeCount,
  currentThread,
  enumerate,
  Local,
  mainThread,
  Thread,
  Timer,
  type ThreadInfo,
  type ThreadOptions,
} from 'plait/threading'
import { exactly } from './exactly.js'

export const uses = {
  async thread() {
    const thread = new Thread({
      target: (a: number, b: string) => a + b,
      args: [1, 'x'],
      name: 'n',
      daemon: true,
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    })
    exactly<Thread<[number, string], string>>()(thread.start())
    exactly<Promise<string>>()(thread.result)
    exactly<boolean>()(await thread.join({ timeout: 1, signal: new AbortController().signal }))
    exactly<boolean>()(thread.isAlive())
    exactly<void>()(thread.stop())
    exactly<void>()(thread.stop(new Error('why')))
    exactly<void>()(thread.terminate())
    exactly<number | null>()(thread.ident)
    thread.name = 'other'
    thread.daemon = false
    exactly<Promise<void>>()(thread[Symbol.asyncDispose]())
    exactly<Promise<number>>()(new Thread({ target: async () => 1 }).result)
    class Counter extends Thread<[], number> {
      from = 3
      override run(): number {
        return this.from
      }
    }
    exactly<Promise<number>>()(new Counter().start().result)
    const options: ThreadOptions<[], void> = { target: () => {} }
    // @ts-expect-error the arguments are not those of the target
    new Thread({ target: (a: number) => a, args: ['1'] })
    // @ts-expect-error a thread runs where its process runs
    new Thread({ cwd: '/' })
    return options
  },
  about() {
    exactly<ThreadInfo>()(currentThread())
    exactly<ThreadInfo>()(mainThread())
    exactly<ThreadInfo[]>()(enumerate())
    exactly<number>()(activeCount())
    const { name, ident, daemon, signal } = currentThread()
    exactly<string>()(name)
    exactly<number>()(ident)
    exactly<boolean>()(daemon)
    exactly<AbortSignal>()(signal)
    const local = new Local(() => 0)
    exactly<number>()(local.value)
    local.value = 1
    // @ts-expect-error another type
    local.value = 'one'
  },
  async timer() {
    const timer = new Timer(10, (a: number, b: string) => `${a}${b}`, [1, 'x'])
    exactly<Timer<[number, string]>>()(timer.start())
    exactly<void>()(timer.cancel())
    exactly<boolean>()(await timer.join({ timeout: 1 }))
    new Timer(10, () => {})
    // @ts-expect-error the argument is not that of the function
    new Timer(10, (a: number) => a, ['1'])
  },
  pools(options: PoolOptions) {
    const pool: Pool = new ThreadPool(2, options)
    new ThreadPool()
    new ThreadPool({ processes: 2, initializer: () => {} })
    exactly<Promise<number[]>>()(new ThreadPool(1).map((x) => x * 2, [1]))
    const executor: Executor = new ThreadPoolExecutor(2, { threadNamePrefix: 'crew', retries: 1 })
    new ThreadPoolExecutor()
    exactly<Future<string>>()(executor.submit((a: number) => String(a), 1))
    // @ts-expect-error no such option
    new ThreadPool(2, { threads: true })
    // @ts-expect-error the prefix is a string
    new ThreadPoolExecutor(2, { threadNamePrefix: 1 })
    return pool
  },
}

test('the names that plait/threading exports', () => {
  assert.deepEqual(Object.keys(door).sort(), [
    'Local',
    'Thread',
    'Timer',
    'activeCount',
    'currentThread',
    'enumerate',
    'mainThread',
  ])
})
