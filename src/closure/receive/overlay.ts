/**
 * What payloads have put on the copy of a class or on its prototype, over what its text made there: so that a
 * later payload can take it off again. Used by one revival after the other; what code of this process puts
 * there itself is left alone.
 */

type Key = string | symbol

/** What lies under each key that a payload has set: undefined where nothing did. */
type Under = Map<Key, PropertyDescriptor | undefined>

const overlays = new WeakMap<object, Under>()

/** Sets properties for one payload, and ends by taking off what only earlier ones had set. */
export class Overlay {
  readonly #set = new Map<object, Set<Key>>()

  /** From now on `target` is among those that this payload is about. */
  begin(target: object): void {
    if (!this.#set.has(target)) this.#set.set(target, new Set())
  }

  define(target: object, key: Key, descriptor: PropertyDescriptor): void {
    const keys = this.#set.get(target)
    if (keys !== undefined) {
      keys.add(key)
      let under = overlays.get(target)
      if (under === undefined) overlays.set(target, (under = new Map() as Under))
      if (!under.has(key)) under.set(key, Object.getOwnPropertyDescriptor(target, key))
    }
    Reflect.defineProperty(target, key, descriptor)
  }

  end(): void {
    for (const [target, keys] of this.#set) {
      const under = overlays.get(target)
      if (under === undefined) continue
      for (const [key, before] of under) {
        if (keys.has(key)) continue
        under.delete(key)
        if (before === undefined) Reflect.deleteProperty(target, key)
        else Reflect.defineProperty(target, key, before)
      }
    }
    this.#set.clear()
  }
}
