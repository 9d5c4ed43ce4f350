/**
 * Instances with #private state, made again without running a constructor of the user's: see classes.ts for
 * what stands in the class's text. Called by revive while it decodes, and asked by capture for the #private
 * state of what was revived here.
 */
import type { Instance } from './factory.ts'
import type { ClassHooks, UnitData } from '../template.ts'

/** What is known of a class that was made here from a template. */
export interface RevivedClass {
  readonly instance: Instance
  readonly data: UnitData
  readonly hooks: ClassHooks
}

const classes = new WeakMap<Function, RevivedClass>()

/** Remembers how a class was made. */
export function rememberClass(type: Function, made: RevivedClass): void {
  classes.set(type, made)
}

/** How a class was made here; undefined for all others. */
export function revivedClass(type: Function): RevivedClass | undefined {
  return classes.get(type)
}

/** Private fields by name, '#' included. */
export type Privates = readonly (readonly [name: string, value: unknown])[]

/** #private fields of an instance that has come home. */
export interface HomePrivates {
  readonly type: Function
  readonly instance: object
  readonly fields: Privates
}

/** How instances with #private state come home, see home.ts. */
export interface Home {
  /** A class of this process whose instances carry something private. */
  has(type: Function): boolean
  /** A new instance, made unnoticed; throws where that is impossible. */
  make(type: Function, newTarget: Function): object
  setPrivates(all: readonly HomePrivates[]): void
  /** Called when a payload has been read, or has failed. */
  finish(): void
}

let home: Home | undefined

/** Called by home.ts, which a process that only revives does not load. */
export function setHome(given: Home): void {
  home = given
}

/** Classes from `type` upwards whose instances carry something private; topmost first. */
function branded(type: Function): Function[] {
  const found: Function[] = []
  for (let one: unknown = type; typeof one === 'function'; one = Object.getPrototypeOf(one))
    if (classes.get(one)?.data.branded === true || home?.has(one) === true) found.unshift(one)
  return found
}

/**
 * For a class whose instances carry something private, a function that takes an empty instance and returns
 * the one to fill in its place, with every #member on it. Undefined for all other classes, so that nothing
 * is paid there.
 */
export function adopterOf(
  type: Function,
  prototype: unknown = type.prototype,
): ((fresh: object) => object) | undefined {
  const found = branded(type)
  if (found.length === 0) return undefined
  return (fresh) => {
    let instance = fresh
    for (const one of found) instance = isBase(one) ? construct(one, type) : stamp(one, instance)
    return Object.setPrototypeOf(instance, prototype as object) as object
  }
}

function isBase(type: Function): boolean {
  return Object.getPrototypeOf(type) === Function.prototype
}

const stopped = Symbol('stopped')

/** Runs `type`'s own field initialisers up to the last, private one, and nothing else. */
function runFields(type: Function, args: readonly unknown[], newTarget: Function): object {
  let instance: object | undefined
  const made = classes.get(type)
  if (made === undefined) return (home as Home).make(type, newTarget)
  const { instance: group } = made
  const restore = (found: object): never => {
    instance = found
    throw stopped
  }
  group.withStop(restore, () => {
    try {
      Reflect.construct(type, args, newTarget)
    } catch (error) {
      if (error !== stopped) throw error
    }
  })
  if (instance === undefined)
    throw new Error(`an instance of ${type.name} cannot be made without its constructor`)
  return instance
}

/** A class without superclass makes its own object. */
function construct(type: Function, newTarget: Function): object {
  const instance = runFields(type, [], newTarget)
  // Public fields: they come with the data, in their order. Backwards, which keeps the object's shape simple.
  for (const key of Reflect.ownKeys(instance).reverse()) Reflect.deleteProperty(instance, key)
  return instance
}

/** A derived class puts its members on whatever its superclass returns. */
function stamp(type: Function, instance: object): object {
  const before = Object.getOwnPropertyDescriptors(instance)
  const parent = Object.getPrototypeOf(type) as object
  Object.setPrototypeOf(type, function () {
    return instance
  })
  try {
    runFields(type, anything, type)
  } finally {
    Object.setPrototypeOf(type, parent)
  }
  for (const key of Reflect.ownKeys(instance).reverse()) {
    if (Object.hasOwn(before, key))
      Object.defineProperty(instance, key, before[key as string] as PropertyDescriptor)
    else Reflect.deleteProperty(instance, key)
  }
  return instance
}

/** Stands for any argument: patterns find all that they look for in it, so that no default is evaluated. */
const hollow: unknown = new Proxy(function () {}, {
  get: (_target, key) =>
    key === Symbol.iterator ? () => Array<unknown>(32).fill(hollow)[Symbol.iterator]() : hollow,
})
const anything: readonly unknown[] = Array<unknown>(32).fill(hollow)

/** Ends what making instances of this process's own classes began. */
export function finishHome(): void {
  home?.finish()
}

/** Sets private fields of instances of this process's own classes. */
export function setHomePrivates(all: readonly HomePrivates[]): void {
  if (all.length === 0) return
  if (home === undefined) throw new Error('an instance came home to a process that is not its home')
  home.setPrivates(all)
}

/** Sets private fields that a class made here declares; those that are not named stay. */
export function setPrivates(type: Function, instance: object, values: Privates): void {
  const { hooks, data } = classes.get(type) as RevivedClass
  const all = hooks.get?.(instance)
  if (all === undefined) return
  for (const [name, value] of values) all[data.fields.indexOf(name)] = value
  hooks.set?.(instance, all)
}

/** The same of static fields. */
export function setStatics(type: Function, values: Privates): void {
  const { hooks, data } = classes.get(type) as RevivedClass
  const all = hooks.getStatic?.()
  if (all === undefined) return
  for (const [name, value] of values) all[data.statics.indexOf(name)] = value
  hooks.setStatic?.(all)
}

/**
 * The private fields that a revived class declares and the instance has; undefined where it is none of its.
 */
export function privatesOf(type: Function, instance: object): [name: string, value: unknown][] | undefined {
  const made = classes.get(type)
  if (made?.hooks.has?.(instance) !== true) return undefined
  const values = made.hooks.get?.(instance) ?? []
  return made.data.fields.map((name, index) => [name, values[index]])
}

/** The static private fields of a revived class. */
export function staticsOf(type: Function): [name: string, value: unknown][] {
  const made = classes.get(type)
  const values = made?.hooks.getStatic?.() ?? []
  return (made?.data.statics ?? []).map((name, index) => [name, values[index]])
}
