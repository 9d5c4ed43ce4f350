/**
 * The threads of one scenario, and one run of it after another on the same piece of memory, which is put back
 * to what it was before each. After some deaths the threads are started anew: a dead one's own books are not
 * those of one that starts. Used by explore.ts.
 */
import { Worker } from 'node:worker_threads'
import * as c from './control.ts'
import type { Flaw } from './redirect-hooks.ts'
import type { Scenario } from './scenario.ts'

/** What all of a scenario lies below, in words: more than the table of participants, and some blocks. */
const restored = 2 ** 16
const regionBytes = 2 ** 30
/** Deaths after which the threads are new ones: some cost one of the 127 nodes that a thread has. */
const wear = 150

export interface Played {
  readonly steps: readonly c.Step[]
  readonly wrong: string | undefined
  readonly slices: number
}

interface Play {
  readonly decisions: readonly (readonly [number, number])[]
  readonly death: { thread: number; before: number } | undefined
}

export class Stage {
  readonly mortal: readonly number[]
  readonly #url: URL
  readonly #name: string
  readonly #flaw: Flaw | undefined
  readonly #count: number
  #control = new Int32Array(new SharedArrayBuffer(4))
  #words = new Int32Array(new SharedArrayBuffer(4))
  #workers: Worker[] = []
  #before: Int32Array = new Int32Array()
  #deaths = 0

  private constructor(url: URL, name: string, scenario: Scenario, flaw: Flaw | undefined) {
    this.#url = url
    this.#name = name
    this.#flaw = flaw
    this.#count = scenario.bodies.length
    this.mortal = scenario.mortal ?? []
  }

  static async open(url: URL, name: string, flaw: Flaw | undefined): Promise<Stage> {
    const scenario = ((await import(url.href)) as Record<string, Scenario>)[name]
    if (scenario === undefined) throw new Error(`there is no scenario ${name}`)
    const stage = new Stage(url, name, scenario, flaw)
    await stage.#start()
    return stage
  }

  async close(): Promise<void> {
    const ended = this.#workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
    for (let thread = 0; thread <= this.#count; thread++) this.#do(c.jobs.end, thread)
    await Promise.all(ended)
  }

  async play({ decisions, death }: Play): Promise<Played> {
    if (this.#deaths > wear) {
      await this.close()
      await this.#start()
    }
    if (death !== undefined) this.#deaths++
    if (decisions.length > c.maxDecisions) throw new Error('too many decisions')
    const control = this.#control
    this.#words.set(this.#before)
    control.fill(0, c.STEPS, c.COUNT)
    control.fill(0, c.SLEEPS, c.decisionsAt)
    control[c.DECISIONS] = decisions.length
    control.set(decisions.flat(), c.decisionsAt)
    control[c.VICTIM] = death === undefined ? -1 : death.thread
    control[c.LAST] = death === undefined ? -1 : death.before
    const first = decisions[0]?.[0] === 0 ? decisions[0][1] : 0
    control[c.MET] = decisions[0]?.[0] === 0 ? 1 : 0
    this.#do(c.jobs.run, first)
    const count = control[c.STEPS]
    const steps = Array.from({ length: count }, (_, i) => c.stepAt(control, i))
    const slices = control[c.SLICES]
    if (control[c.MET] !== decisions.length && control[c.TEXT] === 0)
      throw new Error('one order was not played as before: something in it depends on more than the orders')
    if (control[c.TEXT] === 0) this.#do(c.jobs.judge, this.#count)
    return { steps, wrong: this.#text(), slices }
  }

  async #start(): Promise<void> {
    this.#deaths = 0
    this.#control = new Int32Array(new SharedArrayBuffer(4 * c.controlWords))
    const make = SharedArrayBuffer as new (n: number, options: { maxByteLength: number }) => SharedArrayBuffer
    const region = new make(regionBytes, { maxByteLength: 4 * regionBytes })
    this.#words = new Int32Array(region, 0, restored)
    this.#control[c.COUNT] = this.#count
    const failed = new Promise<never>((_, reject) => {
      this.#workers = Array.from({ length: this.#count + 1 }, (_, thread) =>
        new Worker(new URL('./thread.js', import.meta.url), {
          workerData: {
            thread,
            control: this.#control,
            region,
            scenario: this.#url.href,
            name: this.#name,
            flaw: this.#flaw,
          },
          execArgv: ['--import', new URL('./redirect.js', import.meta.url).href],
        }).once('error', reject),
      )
    })
    await Promise.race([failed, this.#ready()])
    this.#do(c.jobs.setup, this.#count)
    for (let thread = 0; thread <= this.#count; thread++) this.#do(c.jobs.prepare, thread)
    const wrong = this.#text()
    if (wrong !== undefined) throw new Error(`the scenario cannot be set up: ${wrong}`)
    this.#before = this.#words.slice()
  }

  async #ready(): Promise<void> {
    while (Atomics.load(this.#control, c.READY) <= this.#count)
      await new Promise((resolve) => setTimeout(resolve, 1))
  }

  /** Returns when it is nobody's turn any more. Blocks: a run takes microseconds. */
  #do(job: number, thread: number): void {
    const control = this.#control
    control[c.JOB] = job
    c.tellTurn(control, thread + 1)
    for (;;) {
      const turn = Atomics.load(control, c.TURN)
      if (turn === 0) return
      if (Atomics.wait(control, c.TURN, turn, 20_000) === 'timed-out')
        throw new Error(`a thread of ${this.#name} does not come back`)
    }
  }

  #text(): string | undefined {
    const length = this.#control[c.TEXT]
    if (length === 0) return undefined
    this.#control[c.TEXT] = 0
    return String.fromCharCode(...this.#control.subarray(c.textAt, c.textAt + length))
  }
}
