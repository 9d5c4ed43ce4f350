/**
 * What a worker has sent, back to values, on the pool's side: the counterpart of replies.ts. Used by
 * PoolWorker. It knows which templates that worker has sent, and decides nothing about what becomes of a
 * value, or of the error that it could not be revived with.
 */
import { Reviver } from '../closure/revive.ts'
import { form } from '../closure/wire.ts'
import { Mixed } from './call.ts'
import { MIXED } from './protocol.ts'

/** Told once, now or later: the value, or why there is none. */
type Arrived = (revived: boolean, value: unknown) => void

export class Arrivals {
  readonly #reviver = new Reviver()

  template(bytes: Buffer): void {
    this.#reviver.addTemplate(bytes)
  }

  /** Nearly every result is plain data: nothing has to be imported for it, and no function made. */
  isPlain(bytes: Buffer, start: number): boolean {
    return bytes[start] === form.plain
  }

  /** For what is plain. Throws where it cannot be revived. */
  plain(bytes: Buffer, start: number, end: number): unknown {
    return this.#reviver.revive(bytes, start, end)
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
export function outcomeOf(kind: number, revived: boolean, value: unknown): unknown {
  if (kind !== MIXED || !revived) return value
  const [values, ...failures] = value as [unknown[], ...[number, unknown][]]
  return new Mixed(values, failures)
}
