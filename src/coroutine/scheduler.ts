/**
 * The Scheduler as its users see it: the checks at its door, and what they are told. The turns are in
 * loop.ts, what a yield means in task.ts.
 */
import { InvalidStateError } from '../core/errors.ts'
import { checkOptions, checkString } from '../core/options.ts'
import type { Clock } from './clock.ts'
import { Coroutine } from './coroutine.ts'
import { Loop } from './loop.ts'
import { isGenerator, Task, type Body, type CoroutineTask } from './task.ts'

/** A generator, or what makes one. */
// oxlint-disable-next-line typescript/no-explicit-any -- what yield gives is what the body takes it for
type Spawned<R> = Generator<unknown, R> | Coroutine<unknown, R, any>

/**
 * Runs many generator coroutines in one thread, round robin, switching where they yield: the program decides
 * when, so nothing they share needs a lock.
 *
 * What a coroutine yields says how it goes on. A promise, another task, `sleep()` and the operations of a
 * channel park it until that settles: the value is what `yield` gives, the error is thrown there. A generator
 * or a Coroutine is run to its end, as `yield*` would. Anything else lets the next one run.
 *
 * All coroutines of one scheduler run in the AsyncLocalStorage context of its `run()`. Between their turns
 * the event loop goes on, however busy they are.
 *
 * @example
 * ```ts
 * import { Channel, Scheduler, sleep } from 'plait/coroutine'
 *
 * const scheduler = new Scheduler()
 * const channel = new Channel<string>(1)
 * const seen: string[] = []
 *
 * scheduler.spawn(function* producer() {
 *   for (const word of ['over', 'under']) {
 *     yield sleep(1)
 *     yield channel.send(word)
 *   }
 *   channel.close()
 * })
 * const consumer = scheduler.spawn(function* (): Generator<unknown, number, string> {
 *   seen.push(yield channel.receive())
 *   seen.push(yield channel.receive())
 *   return seen.length
 * })
 *
 * await scheduler.run()
 * seen // => ['over', 'under']
 * await consumer // => 2
 * ```
 */
export class Scheduler {
  readonly #loop: Loop
  #spawned = 0

  /** `clock`: what `sleep`, `timeout` and channels go by in its coroutines; a ManualClock for tests. */
  constructor(options?: { clock?: Clock | undefined }) {
    checkOptions(options)
    const clock = options?.clock
    if (clock !== undefined && (typeof clock.now !== 'function' || typeof clock.after !== 'function'))
      throw new TypeError('clock must be a Clock: an object with now() and after()')
    this.#loop = new Loop(clock)
  }

  /**
   * Adds a coroutine; its first turn comes after those of all that can run now. Allowed at any time, also
   * from inside of one.
   *
   * @throws {TypeError} for what is no generator and makes none.
   */
  spawn<R>(body: Spawned<R> | (() => Spawned<R>), options?: { name?: string | undefined }): CoroutineTask<R> {
    checkOptions(options)
    checkString(options?.name, 'name')
    const made = typeof body === 'function' ? body() : body
    const generator = made instanceof Coroutine ? made[Symbol.iterator]() : made
    if (!isGenerator(generator))
      throw new TypeError('spawn() takes a generator or a generator function: function* () { … }')
    const id = options?.name === undefined ? ++this.#spawned : 0
    const label = options?.name ?? (typeof body === 'function' && body.name !== '' ? body.name : undefined)
    const task = new Task<R>(this.#loop, id, label, generator as Body<R>)
    this.#loop.add(task)
    return task
  }

  /**
   * One switch: the next in line runs to its next yield. False where none can run, be it that all have ended
   * or that those left wait for something.
   *
   * @throws {InvalidStateError} inside of one of its coroutines.
   */
  step(): boolean {
    if (this.#loop.turning) throw inside('step()')
    return this.#loop.step()
  }

  /**
   * Resolves when all have ended, those included that are added meanwhile.
   *
   * An error goes to whoever waits for the task. Where, after a turn of every coroutine that can run and of
   * the event loop, nobody does, it stops the run: all others are cancelled, and once they have ended run()
   * rejects with the error, whose stack names the coroutines that it came through.
   */
  async run(): Promise<void> {
    if (this.#loop.turning) throw inside('run()')
    return this.#loop.run()
  }
}

function inside(call: string): InvalidStateError {
  return new InvalidStateError(`${call} was called by a coroutine of the same scheduler: yield instead`)
}
