/**
 * Local: a value that every thread and process has for itself. A handle: where it arrives it is the same
 * Local, and its value is that of whoever looks. What travels are its two fields.
 */
import { checkFunction } from '../core/options.ts'
import { homeId, isHomeOf } from '../closure/tracker.ts'

/** What this thread has of one Local. */
interface Own {
  value: unknown
}

/** By the objects that stand for it here. */
const owns = new WeakMap<Local<unknown>, Own>()
/** Of what was made elsewhere, by its id: tasks come and go with it, and it stays until the thread ends. */
const guests = new Map<string, Own>()
/** Of what was made here: for as long as any object that stands for it here. */
const natives = new Map<string, WeakRef<Own>>()
const forgotten = new FinalizationRegistry<string>((id) => {
  if (natives.get(id)?.deref() === undefined) natives.delete(id)
})
let count = 0

/**
 * One value for each thread and process that looks: the first look there calls `init`. It may be captured,
 * passed and sent like any value; `init` goes along, with the variables that it uses. A value stays until its
 * thread ends; in the thread that made the Local, until nothing there refers to the Local any more.
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
    return (find(this) ?? put(this, this.init())).value as T
  }

  set value(value: T) {
    const own = find(this)
    if (own === undefined) put(this, value)
    else own.value = value
  }
}

/** What this thread has of it, if it has looked before. */
function find(local: Local<unknown>): Own | undefined {
  const own = owns.get(local)
  if (own !== undefined) return own
  const found = natives.get(local.id)?.deref() ?? guests.get(local.id)
  if (found !== undefined) owns.set(local, found)
  return found
}

function put(local: Local<unknown>, value: unknown): Own {
  const { id } = local
  const own = { value }
  owns.set(local, own)
  if (isHomeOf(id)) {
    natives.set(id, new WeakRef(own))
    forgotten.register(own, id)
  } else guests.set(id, own)
  return own
}
