/**
 * The model checker: plays a scenario on real threads in every order of their atomic operations, depth first,
 * and with a death before every write of every thread that may die. An order is told by its decisions: before
 * which step another thread goes on than would by itself. Orders that differ only in steps on words that no
 * two threads touch are one. Where there are too many, those with the fewest interruptions come first, and
 * the report says how many were allowed; a slice that ends while there is something else to do is one too.
 * Used by the tests and by main.ts.
 */
import { Stage } from './stage.ts'
import { kinds, type Step } from './control.ts'
import type { Flaw } from './redirect-hooks.ts'

export interface Limits {
  /** No further level of interruptions is begun after this. */
  readonly milliseconds: number
  /** At most so many interruptions in one order. */
  readonly interruptions?: number
  readonly flaw?: Flaw
  /** Nobody dies: that goes deeper in the same time. */
  readonly immortal?: boolean
}

export interface Report {
  readonly orders: number
  readonly steps: number
  /** Every order was played with up to so many interruptions; Infinity for every order there is. */
  readonly interruptions: number
  /** The first thing that was wrong, with the steps that led to it. */
  readonly failure: string | undefined
}

/** One order: it differs from another by its last decision, or by its death. */
interface Order {
  readonly decisions: readonly Decision[]
  readonly death: { thread: number; before: number } | undefined
  readonly interruptions: number
  /** The first step before which it may be decided otherwise. */
  readonly from: number
}

type Decision = readonly [step: number, thread: number]

const first: Order = { decisions: [], death: undefined, interruptions: 0, from: 0 }

export async function explore(url: URL, name: string, limits: Limits): Promise<Report> {
  const stage = await Stage.open(url, name, limits.flaw)
  try {
    return await new Explorer(stage, limits).all()
  } finally {
    await stage.close()
  }
}

class Explorer {
  readonly #stage: Stage
  readonly #limits: Limits
  readonly #mortal: readonly number[]
  /** For each word the threads that touched it, and bit 15 where one of them wrote. */
  readonly #touched = new Map<number, number>()
  /** Grows where a word turns out to be shared: then orders were left out that matter. */
  #shared = 0
  #orders = 0
  #steps = 0
  #failure: string | undefined

  constructor(stage: Stage, limits: Limits) {
    this.#stage = stage
    this.#limits = limits
    this.#mortal = limits.immortal === true ? [] : stage.mortal
  }

  async all(): Promise<Report> {
    const end = performance.now() + this.#limits.milliseconds
    const most = this.#limits.interruptions ?? Infinity
    let done = -1
    for (let level = 0; level <= most; level++) {
      let left: number | undefined
      let shared: number
      do {
        shared = this.#shared
        left = await this.#level(level, level === 0 ? Infinity : end)
      } while (left !== undefined && shared !== this.#shared && this.#failure === undefined)
      if (this.#failure !== undefined || left === undefined) break
      done = left === 0 ? Infinity : level
      if (left === 0) break
    }
    return { orders: this.#orders, steps: this.#steps, interruptions: done, failure: this.#failure }
  }

  /** All orders with up to `most` interruptions; answers how many more were seen, undefined out of time. */
  async #level(most: number, end: number): Promise<number | undefined> {
    let beyond = 0
    const open: Order[] = [first]
    for (let order = open.pop(); order !== undefined; order = open.pop()) {
      if (performance.now() > end) return undefined
      const steps = await this.#play(order)
      if (this.#failure !== undefined) return undefined
      for (const next of this.#others(order, steps))
        if (next.interruptions <= most) open.push(next)
        else beyond++
    }
    return beyond
  }

  async #play(order: Order): Promise<readonly Step[]> {
    const { steps, wrong, slices } = await this.#stage.play(order)
    this.#orders++
    this.#steps += steps.length
    const lost =
      slices > 0 && order.death === undefined ? 'a wake-up was lost: only a slice went on' : undefined
    const failure = wrong ?? lost
    if (failure !== undefined) this.#failure = `${failure}\n${tell(steps, order)}`
    for (const { thread, word, kind } of steps) this.#touch(thread, word, kind)
    return steps
  }

  #touch(thread: number, word: number, kind: number): void {
    const before = this.#touched.get(word) ?? 0
    const after = before | (1 << thread) | (kind === kinds.write ? 1 << 15 : 0)
    if (after === before) return
    this.#touched.set(word, after)
    if (isShared(after) && !isShared(before)) this.#shared++
  }

  /** The orders that part from this one behind its last decision. */
  *#others(order: Order, steps: readonly Step[]): Generator<Order> {
    const own: number[] = []
    for (const [i, step] of steps.entries()) {
      const mine = (own[step.thread] = (own[step.thread] ?? -1) + 1)
      if (i < order.from) continue
      const last = steps[i - 1]?.thread
      // Whoever was at it could have gone on: to take another is an interruption.
      const interrupts = last !== undefined && (step.ready & (1 << last)) !== 0
      if (!interrupts || isShared(this.#touched.get(step.word)!))
        for (let thread = 0; thread < 8; thread++) {
          const bit = 1 << thread
          if (thread === step.thread || ((step.ready | step.asleep) & bit) === 0) continue
          const cost = interrupts || (step.asleep & bit) !== 0 ? 1 : 0
          const decision: Decision = [i, thread]
          yield {
            ...order,
            decisions: [...order.decisions, decision],
            interruptions: order.interruptions + cost,
            from: i + 1,
          }
        }
      if (order.death !== undefined || !this.#mortal.includes(step.thread)) continue
      if (step.kind === kinds.load || step.kind === kinds.wake) continue
      // Its decisions stay, and the step is taken as far as its death.
      yield { ...order, death: { thread: step.thread, before: mine }, from: i }
    }
  }
}

function isShared(touched: number): boolean {
  const threads = touched & 0xff
  return touched >= 1 << 15 && (threads & (threads - 1)) !== 0
}

function tell(steps: readonly Step[], order: Order): string {
  const names = ['load', 'write', 'sleep', 'wake', 'pause']
  const lines: string[] = []
  for (const { thread, kind, word } of steps.slice(-120)) lines.push(`${thread} ${names[kind]} ${word}`)
  const death =
    order.death === undefined
      ? ''
      : `thread ${order.death.thread} died before its step ${order.death.before}\n`
  return `${death}decisions ${JSON.stringify(order.decisions)}\n${lines.join(', ')}`
}
