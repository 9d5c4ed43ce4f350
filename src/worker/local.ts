/**
 * Local: a value that every thread and process has for itself. A handle: where it arrives it is the same
 * Local, and its value is that of whoever looks. What travels are its two fields.
 */
import { checkFunction } from '../core/options.ts'
import { homeId } from '../closure/tracker.ts'

/** What this thread has, by the id of the Local. Tasks come and go; the value stays until the thread ends. */
const values = new Map<string, unknown>()
let count = 0

/**
 * One value for each thread and process that looks: the first look there calls `init`. It may be captured,
 * passed and sent like any value; `init` goes along, with the variables that it uses.
 *
 * @example
 * ```ts
 * import { Local, Thread } from 'plait/threading'
 *
 * const visits = new Local(() => 0)
 * visits.value += 1
 * await new Thread({ target: () => (visits.value += 10) }).start().result // => 10
 * visits.value // => 1
 * ```
 * @see Python `threading.local`
 */
export class Local<T> {
  /** The same wherever this Local arrives. */
  readonly id: string
  readonly init: () => T

  constructor(init: () => T) {
    checkFunction(init, 'init')
    this.id = `${homeId}:${++count}`
    this.init = init
  }

  get value(): T {
    if (!values.has(this.id)) values.set(this.id, this.init())
    return values.get(this.id) as T
  }

  set value(value: T) {
    values.set(this.id, value)
  }
}
