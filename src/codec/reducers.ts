/**
 * How instances of a class travel, where the class itself says: `registerReducer(type, { reduce, revive
 * })`, or a method under `Symbol.for('plait.reduce')`. Users register (through api/), handles of higher
 * floors register, the encoder asks. Nothing here reads or writes bytes.
 */
import { checkFunction, checkOptions } from '../core/options.ts'

/** Registered for a class: `reduce` runs where the value is, `revive` travels and runs where it arrives. */
export interface Reducer<T = never, S = unknown> {
  reduce(value: T): S
  revive(state: S): T
}

const reduceMethod = Symbol.for('plait.reduce')

/** By prototype, so that the nearest ancestor is found by walking up. Keeps no class alive. */
const byPrototype = new WeakMap<object, Reducer<object>>()
/** Prototypes whose reducer came from another process, with its class. */
const received = new WeakSet<object>()
let changes = 0

/**
 * Teaches plait how instances of a class travel. `revive` travels with the values: the other side needs no
 * registration.
 */
export function registerReducer<T, S>(
  type: abstract new (...args: never[]) => T,
  reducer: { reduce(value: T): S; revive(state: S): T },
): void {
  checkFunction(type, 'type')
  if (typeof (type.prototype as unknown) !== 'object' || type.prototype === null)
    throw new TypeError(`type must be a class, got ${type.name || 'a function'}, which has no prototype`)
  if ([Object, Array, Function].includes(type as never))
    throw new TypeError(`type must be a class of your own, got ${type.name}`)
  checkOptions(reducer, 'reducer')
  if (reducer === undefined) throw new TypeError('reducer must be an object, got undefined')
  checkFunction(reducer.reduce, 'reducer.reduce')
  checkFunction(reducer.revive, 'reducer.revive')
  const prototype = type.prototype as object
  received.delete(prototype)
  byPrototype.set(prototype, reducer as unknown as Reducer<object>)
  changes++
}

/**
 * A reducer that came with its class. What this process has registered itself stays: for a class of its own
 * that came home, and for one of a module that registers its classes wherever it is imported.
 */
export function receiveReducer(type: Function, reducer: Reducer<object>): void {
  const prototype = type.prototype as object
  const known = byPrototype.get(prototype)
  if (known !== undefined && !received.has(prototype)) return
  if (known?.reduce === reducer.reduce && known.revive === reducer.revive) return
  received.add(prototype)
  byPrototype.set(prototype, reducer)
  changes++
}

/** Grows with each registration; 0 while there is none. Tells what was decided before one. */
export function reducerChanges(): number {
  return changes
}

/** The reducer of exactly the class with this prototype. */
export function reducerOf(prototype: object): Reducer<object> | undefined {
  return byPrototype.get(prototype)
}

/** The reducer of the value's class, or of its nearest ancestor that has one. */
export function findReducer(value: object): Reducer<object> | undefined {
  if (changes === 0) return undefined
  let at = Object.getPrototypeOf(value) as object | null
  for (; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const reducer = byPrototype.get(at)
    if (reducer !== undefined) return reducer
  }
  return undefined
}

/**
 * The method under `Symbol.for('plait.reduce')`: it returns `[function, arguments]`, whose call makes the
 * value on the other side. Found without running a getter.
 */
export function reduceMethodOf(value: object): (() => unknown) | undefined {
  for (let at: object | null = value; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const own = Object.getOwnPropertyDescriptor(at, reduceMethod)
    if (own !== undefined) return typeof own.value === 'function' ? (own.value as () => unknown) : undefined
  }
  return undefined
}
