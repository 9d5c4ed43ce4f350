/**
 * What a worker has sent, back to values, on the pool's side: the counterpart of replies.ts. Used by
 * PoolWorker. It knows which templates that worker has sent. What became of a task it tells the host at once,
 * or when a module that the value needs was imported; it decides nothing.
 */
import { Reviver } from '../closure/revive.ts'
import { form } from '../closure/wire.ts'
import { Mixed } from './call.ts'
import type { Host } from './host.ts'
import type { PoolWorker } from './pool-worker.ts'
import { MIXED, RESULT } from './protocol.ts'
import type { Task } from './task.ts'

/** Told once, now or later: the value, or why there is none. */
type Arrived = (revived: boolean, value: unknown) => unknown

export class Arrivals {
  readonly #worker: PoolWorker
  readonly #host: Host
  readonly #reviver = new Reviver()

  constructor(worker: PoolWorker, host: Host) {
    this.#worker = worker
    this.#host = host
  }

  template(bytes: Buffer): void {
    this.#reviver.addTemplate(bytes)
  }

  /** What became of `task`: the payload of a RESULT, a FAILURE or a MIXED. */
  outcome(kind: number, task: Task, bytes: Buffer, start: number, end: number): void {
    // Nearly every one is plain data: nothing has to be imported for it, and no function made.
    if (bytes[start] !== form.plain) return this.#reviveOutcome(kind, task, bytes, start, end)
    let value: unknown
    try {
      value = this.#reviver.revive(bytes, start, end)
    } catch (error) {
      return this.#host.ended(this.#worker, task, false, error)
    }
    this.#host.ended(this.#worker, task, kind === RESULT, outcomeOf(kind, true, value))
  }

  #reviveOutcome(kind: number, task: Task, bytes: Buffer, start: number, end: number): void {
    const waits = this.revive(bytes, start, end, (revived, value) =>
      this.#host.ended(this.#worker, task, revived && kind === RESULT, outcomeOf(kind, revived, value)),
    )
    if (waits) this.#host.arriving(task)
  }

  /** Hands on the value; where it needs a module first, later: true. */
  revive(bytes: Buffer, start: number, end: number, done: Arrived): boolean {
    let value: unknown
    try {
      const wait = this.#reviver.prepare(bytes, start, end)
      if (wait !== undefined) {
        const copy = Buffer.from(bytes.subarray(start, end))
        void wait.then(
          () => this.revive(copy, 0, copy.length, done),
          (error: unknown) => done(false, error),
        )
        return true
      }
      value = this.#reviver.revive(bytes, start, end)
    } catch (error) {
      done(false, error)
      return false
    }
    done(true, value)
    return false
  }
}

/** A chunk with failures among its values has failed, and says which. */
function outcomeOf(kind: number, revived: boolean, value: unknown): unknown {
  if (kind !== MIXED || !revived) return value
  const [values, ...failures] = value as [unknown[], ...[number, unknown][]]
  return new Mixed(values, failures)
}
