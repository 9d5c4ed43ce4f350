/**
 * Reducers that users registered, on their way with the classes they are registered for: the receiver uses
 * them for instances that it makes or holds itself. Made by the walk for each capture, which tells of the
 * classes that it meets and asks what is to be written; writes nothing itself.
 */
import { textOf } from '../../core/text.ts'
import { types } from 'node:util'
import { reducerChanges, reducerOf, type Reducer } from '../../codec/reducers.ts'
import { constructorOf, prototypeOf } from './members.ts'
import { readExport } from '../names/names.ts'

/** A class that travels, and the reducer that the receiver is to register for its copy. */
export interface Registered {
  readonly type: Function
  readonly reducer: Reducer<object>
}

/**
 * Reducers that were sent stay as long as their class: what comes home names their functions by id, also when
 * another reducer was registered meanwhile.
 */
const sent = new WeakMap<object, Set<Reducer<object>>>()

/** Why a reducer cannot travel; undefined where it can. Found out once. */
const refusals = new WeakMap<Reducer<object>, string | undefined>()

export class Registrations {
  readonly #travels: (type: Function) => boolean
  readonly #noted = new Set<object>()
  readonly #functions = new Set<Function>()
  readonly #waiting: Registered[] = []

  /** `travels` tells of a class whether the receiver will have one of its own for it, its home excepted. */
  constructor(travels: (type: Function) => boolean) {
    this.#travels = travels
  }

  /** A function that is sent, whichever way. */
  meetClass(fn: Function): void {
    if (reducerChanges() > 0) this.#meet(prototypeOf(fn))
  }

  /** An instance that travels as what its reducer returns, so that its class may not be met otherwise. */
  meetInstance(value: object): void {
    this.#meet(Object.getPrototypeOf(value) as object | null)
  }

  /** An import of a function that is sent: a class, or the namespace of a module with classes. */
  meetImport(value: unknown): void {
    if (reducerChanges() === 0) return
    if (typeof value === 'function') return this.meetClass(value)
    if (typeof value !== 'object' || value === null || !types.isModuleNamespaceObject(value)) return
    for (const key of Reflect.ownKeys(value)) {
      const exported = readExport(value, key)
      if (typeof exported === 'function') this.meetClass(exported)
    }
  }

  /** The reducers of all classes in a chain of prototypes go along, where the classes do. */
  #meet(prototype: object | undefined | null): void {
    for (let at = prototype; at != null; at = Object.getPrototypeOf(at) as object | null) {
      const reducer = this.#noted.has(at) ? undefined : reducerOf(at)
      const type = reducer === undefined ? undefined : constructorOf(at)
      if (reducer === undefined || type === undefined || !this.#travels(type)) continue
      this.#noted.add(at)
      this.#functions.add(reducer.reduce).add(reducer.revive)
      this.#waiting.push({ type, reducer })
      sent.set(at, (sent.get(at) ?? new Set()).add(reducer))
    }
  }

  /** The next one to be written. */
  next(): Registered | undefined {
    return this.#waiting.shift()
  }

  /** Whether a function is of a reducer that goes along: it has an identity then, as classes have. */
  has(fn: Function): boolean {
    return this.#functions.has(fn)
  }
}

/**
 * Why a reducer cannot travel: what its functions use may belong here, as a table of live objects does. Then
 * its values travel all the same, one way. `attempt` sends something, to nowhere.
 */
export function refusalOf(
  { type, reducer }: Registered,
  attempt: (value: unknown) => void,
): string | undefined {
  if (refusals.has(reducer)) return refusals.get(reducer)
  // Set first: the functions may lead to the class, and so to this question again.
  refusals.set(reducer, undefined)
  try {
    attempt([reducer.reduce, reducer.revive])
  } catch (error) {
    const why = textOf(error)
    refusals.set(reducer, `the reducer of ${type.name} could not come along to this process: ${why}`)
  }
  return refusals.get(reducer)
}
