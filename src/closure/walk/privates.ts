/**
 * #private state of instances and classes, read for the walk: from hooks where the class was revived here,
 * from the inspector where it was not. Tells which class of the chain declares which field; runs nothing of
 * the user's.
 */
import { cannotSend } from '../../codec/path.ts'
import { classShape, type ClassShape } from '../layout/classes.ts'
import type { Finder } from './find.ts'
import { privatesOf, revivedClass, staticsOf } from '../receive/instances.ts'
import { constructorOf } from './members.ts'
import { analyse } from '../text/parse.ts'

/** Fields by name, '#' included. */
export type Fields = readonly (readonly [name: string, value: unknown])[]

const shapes = new WeakMap<Function, ClassShape | null>()

/** The shape of a class with something private in it; null for all others. */
function privateShape(type: Function): ClassShape | null {
  let shape = shapes.get(type)
  if (shape === undefined) {
    const text = Function.prototype.toString.call(type)
    // Comments and strings may hold a '#' too; then the parse tells.
    shape = /^class\b/.test(text) && /#[\p{ID_Start}$_\\]/u.test(text) ? classShape(analyse(text)) : null
    shapes.set(type, shape)
  }
  return shape
}

/**
 * The private fields of an instance, class by class, for its branded classes; `takes` tells whether they can
 * be set there.
 */
export function instanceFields(
  instance: object,
  classes: readonly Function[],
  finder: Finder,
  takes: (type: Function) => boolean,
): readonly { readonly type: Function; readonly fields: Fields }[] {
  if (classes.length === 0) return []
  for (const type of classes)
    if (!takes(type))
      throw cannotSend(
        `it has #private fields of ${type.name}, a class that each process imports by itself`,
        `Give ${type.name} a [Symbol.for('plait.reduce')]() method, or registerReducer(${type.name}, …)`,
      )
  let read: Fields | undefined
  let next = 0
  return classes.map((type) => {
    if (revivedClass(type) !== undefined) return { type, fields: privatesOf(type, instance) ?? [] }
    if (finder.inspection === null)
      throw cannotSend(
        'it has #private fields, which cannot be read here (no inspector)',
        `Use registerReducer(${type.name}, …)`,
      )
    read ??= finder.inspection.privates(instance).map(({ name, value }) => [name, value] as const)
    const fields: (readonly [string, unknown])[] = []
    for (const name of privateShape(type)?.fields ?? []) {
      const at = read.findIndex((field, index) => index >= next && field[0] === name)
      if (at < 0) continue
      next = at + 1
      fields.push(read[at] as readonly [string, unknown])
    }
    return { type, fields }
  })
}

/** The static private fields of a class. */
export function staticFields(type: Function, finder: Finder): Fields {
  if (revivedClass(type) !== undefined) return staticsOf(type)
  const names = privateShape(type)?.statics ?? []
  if (names.length === 0) return []
  const read = finder.inspection?.privates(type) ?? []
  return read.filter(({ name }) => names.includes(name)).map(({ name, value }) => [name, value] as const)
}

/** Those of an instance's classes that declare something private for it, topmost first. */
export function brandedClasses(instance: object): Function[] {
  const found: Function[] = []
  for (
    let one = Object.getPrototypeOf(instance) as object | null;
    one !== null;
    one = Object.getPrototypeOf(one) as object | null
  ) {
    const type = constructorOf(one)
    if (type !== undefined && isBranded(type)) found.unshift(type)
  }
  return found
}

function isBranded(type: Function): boolean {
  return revivedClass(type)?.data.branded ?? privateShape(type)?.brand !== undefined
}
