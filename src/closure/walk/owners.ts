/**
 * Finds the object that a function belongs to, which V8 does not tell: for `super` in a method, and for
 * `this` in an arrow that is a field. Asked by the walk only where a text needs it; looks through the
 * captured data breadth first, by descriptors, and gives up beyond a bound.
 */
import { isIndex } from '../../codec/arrays.ts'
import { isProxy } from '../../codec/brands.ts'
import { readOwn } from '../../codec/properties.ts'

/** So many objects are looked at. */
const mostObjects = 200_000

/** The owners of one capture. */
export class Owners {
  readonly #instances: object[] = []
  /** Of the functions that are own properties of instances; filled when someone asks. */
  readonly #owners = new Map<unknown, object>()

  /** An instance that is sent: the functions in its fields are surely its own. */
  add(instance: object): void {
    this.#instances.push(instance)
  }

  /** The object that `fn` belongs to: an instance, or else something under `roots`. */
  find(fn: Function, roots: Iterable<unknown>): object | undefined {
    for (const instance of this.#instances.splice(0))
      for (const key of Reflect.ownKeys(instance)) {
        const own = typeof key === 'string' && isIndex(key) ? undefined : readOwn(instance, key)
        if (typeof own?.value === 'function' && !this.#owners.has(own.value))
          this.#owners.set(own.value, instance)
      }
    return this.#owners.get(fn) ?? findOwner(fn, roots)
  }
}

/** The first object under `roots` that has `fn` as one of its own properties, be it half of an accessor. */
function findOwner(fn: Function, roots: Iterable<unknown>): object | undefined {
  const seen = new Set<object>()
  for (const root of roots) note(root, seen)
  for (const one of seen) {
    if (seen.size > mostObjects) return undefined
    if (ArrayBuffer.isView(one) || isProxy(one)) continue
    if (one instanceof Map || one instanceof Set) for (const entry of entriesOf(one)) note(entry, seen)
    for (const key of Reflect.ownKeys(one)) {
      const { value, get, set } = readOwn(one, key) ?? {}
      if (value === fn || get === fn || set === fn) return one
      note(value, seen)
    }
    note(Object.getPrototypeOf(one), seen)
  }
  return undefined
}

function note(value: unknown, seen: Set<object>): void {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') seen.add(value)
}

function entriesOf(value: Map<unknown, unknown> | Set<unknown>): Iterable<unknown> {
  return value instanceof Map
    ? [...Map.prototype.keys.call(value), ...Map.prototype.values.call(value)]
    : Set.prototype.values.call(value)
}
