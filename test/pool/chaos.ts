/**
 * Chaos with a seed: pools open and close, workers are killed, calls are aborted, tasks hang, throw and die,
 * and whatever happens, every promise settles once, with what its fate allows, and nothing is left. By hand:
 * `npm run chaos -- --minutes 60 --seed 7`; in the suite: chaos.alone.test.ts.
 */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { parseArgs } from 'node:util'
import { Pool, type PoolOptions } from 'plait'
import { ProcessPoolExecutor } from 'plait/futures'
import { callApply, callImap, callMap, callSubmit, patience, type Ask, type Weather } from './chaos-calls.js'
import { drawFate, random, type Item } from './chaos-plan.js'

interface Limits {
  readonly tasks: number
  readonly ms: number
}

/** Milliseconds in which something settles, or nothing ever will. */
const longestSilence = 60_000

export class Chaos {
  /** Items whose calls have settled. */
  settled = 0
  /** What came of calls, and of the items of an imap: how often a value, how often which error. */
  readonly outcomes = new Map<string, number>()
  readonly seed: number
  readonly #next: () => number
  readonly #limits: Limits
  readonly #until: number
  readonly #pending = new Map<number, string>()
  /** Outlives all calls; aborts never. */
  readonly #quiet = new AbortController()
  #calls = 0
  #items = 0
  #lastSettled = performance.now()
  #fault: unknown

  constructor(seed: number, limits: Limits) {
    this.seed = seed
    this.#next = random(seed)
    this.#limits = limits
    this.#until = performance.now() + limits.ms
  }

  /** Rejects with what went wrong, and the seed. */
  async run(): Promise<void> {
    const listeners = countListeners()
    let silence: NodeJS.Timeout | undefined
    const silent = new Promise<never>((_, reject) => {
      silence = setInterval(() => {
        if (performance.now() - this.#lastSettled > longestSilence)
          reject(new Error(`pending for a minute: ${[...this.#pending.values()].slice(0, 20).join('; ')}`))
      }, 1000)
    })
    try {
      await Promise.race([Promise.all([this.#lane(), this.#lane()]), silent])
      assert.equal(getEventListeners(this.#quiet.signal, 'abort').length, 0, 'listeners of a signal are left')
      assert.deepEqual(countListeners(), listeners, 'listeners of the process are left')
    } catch (error) {
      throw new Error(`chaos with seed ${this.seed}, after ${this.settled} tasks: ${String(error)}`, {
        cause: error,
      })
    } finally {
      clearInterval(silence)
    }
  }

  get #more(): boolean {
    return this.#fault === undefined && this.#items < this.#limits.tasks && performance.now() < this.#until
  }

  /** One pool after the other. */
  async #lane(): Promise<void> {
    while (this.#more) await (this.#chance(0.25) ? this.#executorLife() : this.#life())
    if (this.#fault !== undefined) throw this.#fault
  }

  #chance(share: number): boolean {
    return this.#next() < share
  }

  /** An integer from `low` to `high`; low ones are more frequent. */
  #draw(low: number, high: number): number {
    return low + Math.floor(this.#next() ** 2 * (high - low + 1))
  }

  async #life(): Promise<void> {
    const concurrency = this.#chance(0.25) ? this.#draw(2, 4) : 1
    const options: PoolOptions = {
      concurrency,
      retries: this.#chance(0.3) ? this.#draw(1, 3) : 0,
      ...(this.#chance(0.3) && { maxTasksPerChild: this.#draw(20, 1000) }),
    }
    const processes = this.#draw(1, 3)
    const pool = new Pool(processes, options)
    const weather: Weather = { vandal: this.#chance(0.3), shared: concurrency > 1, terminated: false }
    const deadly = this.#chance(0.4)
    const watch = new Watch(pool, processes * concurrency)
    const vandal = weather.vandal ? this.#vandal(pool) : undefined
    const work = new Set<Promise<void>>()
    for (let budget = this.#draw(500, 6000); budget > 0 && this.#more;) {
      const ask = this.#ask(pool, weather, deadly)
      budget -= ask.items.length
      const call = this.#call(ask, watch).finally(() => work.delete(call))
      work.add(call)
      watch.look()
      if (this.#chance(0.05)) await Promise.race(work)
      else if (this.#chance(0.1)) await Promise.all(work)
      else if (this.#chance(0.2)) await new Promise((resolve) => setImmediate(resolve))
    }
    await this.#end(pool, weather, work)
    clearTimeout(vandal?.timer)
    watch.end()
  }

  /** As #life, with an executor, from whose shutdown on nothing is lost. */
  async #executorLife(): Promise<void> {
    const executor = new ProcessPoolExecutor(this.#draw(1, 3), { retries: this.#draw(0, 1) })
    const weather: Weather = { vandal: false, shared: false, terminated: false }
    const work = new Set<Promise<void>>()
    const deadly = this.#chance(0.4)
    for (let budget = this.#draw(200, 2000); budget > 0 && this.#more; budget--) {
      const ask = this.#ask(undefined as never, weather, deadly, 1)
      const call = this.#guarded('submit', ask.items, () => callSubmit(ask, executor, this.#chance(0.05)))
      const counted = call.finally(() => work.delete(counted))
      work.add(counted)
      if (this.#chance(0.02)) await Promise.all(work)
      else if (this.#chance(0.1)) await new Promise((resolve) => setImmediate(resolve))
    }
    if (this.#chance(0.5)) await Promise.all(work)
    await Promise.all([executor.shutdown(), ...work])
  }

  /** Any way a pool may end, early or late. */
  async #end(pool: Pool, weather: Weather, work: Set<Promise<void>>): Promise<void> {
    if (this.#chance(0.5)) await Promise.all(work)
    if (this.#chance(0.5)) {
      weather.terminated = true
      if (this.#chance(0.5)) await pool[Symbol.asyncDispose]()
      else pool.terminate()
    } else pool.close()
    await Promise.all(work)
    assert.equal(await pool.join({ timeout: longestSilence }), true, 'the pool ends')
  }

  /** Kills a worker now and then, some of them stopped before. */
  #vandal(pool: Pool): { timer: NodeJS.Timeout | undefined } {
    const handle: { timer: NodeJS.Timeout | undefined } = { timer: undefined }
    const strike = (): void => {
      const { workers } = pool.statistics()
      const worker = workers[this.#draw(0, workers.length - 1)]
      if (worker !== undefined && worker.state !== 'starting') {
        const stops = this.#chance(0.3)
        try {
          if (stops) process.kill(worker.pid, 'SIGSTOP')
          process.kill(worker.pid, 'SIGKILL')
        } catch {
          // It has ended, and the pool does not know yet.
        }
      }
      handle.timer = setTimeout(strike, this.#draw(20, 400))
    }
    handle.timer = setTimeout(strike, this.#draw(0, 200))
    return handle
  }

  /** What is asked of the pool next. */
  #ask(pool: Pool, weather: Weather, deadly: boolean, most = 800): Ask {
    const count = most === 1 || this.#chance(0.7) ? 1 : this.#draw(2, most)
    const items: Item[] = []
    for (let i = 0; i < count; i++) {
      const n = ++this.#items
      items.push({ n, fate: drawFate(this.#next, deadly) })
    }
    const hangs = items.some(({ fate }) => fate === 'hang')
    const timeout = hangs ? this.#draw(20, 150) : this.#chance(0.1) ? patience : undefined
    // A chunk is given its time as a whole.
    const chunksize = hangs ? 1 : this.#draw(1, 50)
    const grace = this.#draw(0, 50)
    const priority = this.#chance(0.1) ? this.#draw(-2, 2) : undefined
    return {
      pool,
      weather,
      tally: (outcome) => this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1),
      items,
      options: {
        grace,
        chunksize,
        ...(timeout !== undefined && { timeout }),
        ...(priority !== undefined && { priority }),
        ...this.#signal(),
      },
    }
  }

  #signal(): { signal?: AbortSignal } {
    if (this.#chance(0.1)) return { signal: this.#quiet.signal }
    if (!this.#chance(0.05)) return {}
    const controller = new AbortController()
    const ms = this.#draw(0, 30)
    if (ms === 0) setImmediate(() => controller.abort())
    else setTimeout(() => controller.abort(), ms)
    return { signal: this.#chance(0.5) ? controller.signal : AbortSignal.any([controller.signal]) }
  }

  async #call(ask: Ask, watch: Watch): Promise<void> {
    const kind = ask.items.length === 1 ? 'apply' : this.#chance(0.5) ? 'map' : 'imap'
    const leaves = this.#chance(0.2) ? this.#draw(0, ask.items.length) : Infinity
    const ordered = this.#chance(0.5)
    watch.expect(ask, kind)
    await this.#guarded(kind, ask.items, async () => {
      if (kind === 'apply') await callApply(ask)
      else if (kind === 'map') await callMap(ask)
      else await callImap(ask, ordered, leaves)
      watch.look()
    })
  }

  /** Never rejects: what is wrong is kept, and ends the run. */
  async #guarded(kind: string, items: readonly Item[], call: () => Promise<void>): Promise<void> {
    const id = this.#calls++
    const odd = items.filter(({ fate }) => fate !== 'fast').slice(0, 4)
    this.#pending.set(id, `${kind} of ${items.length} from ${items[0].n} ${JSON.stringify(odd)}`)
    try {
      await call()
    } catch (error) {
      this.#fault ??= new Error(`${this.#pending.get(id)}: ${String(error)}`, { cause: error })
    }
    this.#pending.delete(id)
    this.settled += items.length
    this.#lastSettled = performance.now()
  }
}

/** Looks at a pool's statistics, and compares them with what was submitted and with the look before. */
class Watch {
  readonly #pool: Pool
  readonly #slots: number
  /** Tasks that were surely submitted, and that may have been. */
  #least = 0
  #most = 0
  #last = [0, 0, 0]

  constructor(pool: Pool, slots: number) {
    this.#pool = pool
    this.#slots = slots
  }

  expect({ items, options }: Ask, kind: 'apply' | 'map' | 'imap'): void {
    const tasks = kind === 'apply' ? 1 : Math.ceil(items.length / (options.chunksize ?? 1))
    // An item is submitted anew where its chunk is cut by the window.
    this.#most += kind === 'imap' ? items.length : tasks
    if (kind !== 'imap') this.#least += tasks
  }

  look(): void {
    const { queued, running, completed, failed, restarts, workers } = this.#pool.statistics()
    const all = queued + running + completed + failed
    const text = JSON.stringify({ queued, running, completed, failed, all, least: this.#least })
    assert.ok(queued >= 0 && running >= 0 && running <= this.#slots, text)
    assert.ok(all <= this.#most, text)
    const now = [completed, failed, restarts]
    assert.ok(
      now.every((count, i) => count >= this.#last[i]),
      text,
    )
    this.#last = now
    assert.ok(workers.length <= this.#slots, `${workers.length} workers`)
  }

  end(): void {
    this.look()
    const { queued, running, completed, failed, workers } = this.#pool.statistics()
    assert.deepEqual([queued, running, workers.length], [0, 0, 0])
    assert.ok(completed + failed >= this.#least, `${completed} + ${failed}, not ${this.#least}`)
  }
}

function countListeners(): Record<string, number> {
  return Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)]))
}

/** `--minutes M`, or `--tasks N`; `--seed S`, else one is drawn. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { minutes: { type: 'string' }, tasks: { type: 'string' }, seed: { type: 'string' } },
  })
  const minutes = Number(values.minutes ?? (values.tasks === undefined ? 1 : 60))
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9))
  console.log(`seed ${seed}`)
  const chaos = new Chaos(seed, { tasks: Number(values.tasks ?? Infinity), ms: minutes * 60_000 })
  const telling = setInterval(() => console.log(`${chaos.settled} tasks`), 10_000)
  try {
    await chaos.run()
    console.log(`${chaos.settled} tasks, each settled as it should be:`, Object.fromEntries(chaos.outcomes))
  } finally {
    clearInterval(telling)
  }
}

if (process.argv[1] === import.meta.filename) await main()
