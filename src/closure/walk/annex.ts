/**
 * What hangs on a function or class beyond its text and its variables: own properties, statics, private
 * statics, patched prototypes, the superclass and computed keys. Called by the walk for each unit, after its
 * variables.
 */
import type { Class } from 'acorn'
import type { Encoder } from '../../codec/encode.ts'
import { keySegment, prependPath } from '../../codec/path.ts'
import type { Finder } from './find.ts'
import { rememberHome } from '../receive/home.ts'
import { revivedClass } from '../receive/instances.ts'
import {
  computedKeys,
  constructorOf,
  ownProperties,
  prototypeOf,
  prototypeProperties,
  unknownKeyNames,
  type OwnProperty,
} from './members.ts'
import { staticFields, type Fields } from './privates.ts'
import type { Table } from './table.ts'
import { idOf } from '../tracker.ts'
import type { Unit } from '../unit.ts'
import { isNative } from '../names/wellknown.ts'
import { flag, record, type Early } from '../wire.ts'
import { depsOf } from '../with-deps.ts'

/** Stands for the `prototype` of a function, which the codec would take for plain data. */
export class PrototypeOf {
  readonly type: Function
  constructor(type: Function) {
    this.type = type
  }
}

/** Whether a function has more on its `prototype` than it was born with, as classes of the old style have. */
export function isConstructor({ value, text, analysis }: Unit): boolean {
  if (prototypeProperties(value, text, analysis).length > 0) return true
  const prototype = prototypeOf(value)
  if (prototype === undefined || constructorOf(prototype) !== value) return false
  const parent = Object.getPrototypeOf(prototype) as object | null
  return parent === null || !Object.hasOwn(parent, 'hasOwnProperty')
}

export class Annex {
  readonly #encoder: Encoder
  readonly #table: Table
  readonly #finder: Finder
  readonly #early: (value: unknown) => Early

  constructor(encoder: Encoder, table: Table, finder: Finder, early: (value: unknown) => Early) {
    this.#encoder = encoder
    this.#table = table
    this.#finder = finder
    this.#early = early
  }

  /**
   * Tells the prelude how the class is made. Before its cells are written: what they hold may derive from it.
   */
  addClass(unit: Unit, index: number): void {
    const { value, text, analysis, cells } = unit
    if (revivedClass(value) === undefined) rememberHome(unit)
    const keys = computedKeys(value, text, analysis)
    const parent = Object.getPrototypeOf(value) as unknown
    this.#table.classes.push({
      unit: index,
      id: idOf(value),
      parent: !isDerived(unit)
        ? undefined
        : parent === Function.prototype
          ? ['value', null]
          : this.#early(parent),
      keys: keys.map((key) => (key === null ? null : this.#early(key))),
    })
    if (!keys.includes(null)) return
    for (const { name } of unknownKeyNames(value, text, analysis)) {
      const cell = cells.get(name)
      if (cell === undefined || cell.reference !== undefined) continue
      this.#table.setEarly(this.#table.cell(cell), this.#early(cell.value))
    }
  }

  /** Writes the records of a unit; `home` is what its `super` starts from. */
  write(fn: Function, unit: Unit, index: number, home: object | undefined): void {
    const { text, analysis, kind } = unit
    if (depsOf(fn) === undefined) this.#properties(record.own, index, ownProperties(fn, text, analysis))
    this.#properties(record.prototype, index, prototypeProperties(fn, text, analysis))
    this.#inheritance(fn, index, unit)
    if (kind === 'class') this.#fields(record.statics, index, staticFields(fn, this.#finder))
    if (home === undefined) return
    this.#begin(record.home, index)
    this.#prototype(home)
  }

  #begin(kind: number, index: number): void {
    this.#encoder.writeUint(kind)
    this.#encoder.writeUint(index)
  }

  #properties(kind: number, index: number, properties: readonly OwnProperty[]): void {
    if (properties.length === 0) return
    const encoder = this.#encoder
    this.#begin(kind, index)
    encoder.writeUint(properties.length)
    for (const { key, descriptor } of properties) {
      encoder.write(key)
      encoder.writeUint(flagsOf(descriptor))
      try {
        for (const value of 'value' in descriptor
          ? [descriptor.value as unknown]
          : [descriptor.get, descriptor.set])
          encoder.write(value)
      } catch (error) {
        throw prependPath(error, keySegment(key))
      }
    }
  }

  /** Prototypes that someone set by hand. */
  #inheritance(fn: Function, index: number, unit: Unit): void {
    const kind = Object.getPrototypeOf(fn) as object | null
    if (!(unit.kind === 'class' && isDerived(unit)) && !isFunctionPrototype(kind)) {
      this.#begin(record.kind, index)
      this.#prototype(kind)
    }
    const prototype = unit.kind === 'class' ? undefined : prototypeOf(fn)
    if (prototype === undefined || constructorOf(prototype) === undefined) return
    const parent = Object.getPrototypeOf(prototype) as object | null
    if (parent !== null && Object.hasOwn(parent, 'hasOwnProperty')) return
    this.#begin(record.parent, index)
    this.#prototype(parent)
  }

  /** A prototype, as such where it is some constructor's. */
  #prototype(value: object | null): void {
    const type = value === null ? undefined : constructorOf(value)
    this.#encoder.write(type === undefined ? value : new PrototypeOf(type))
  }

  #fields(kind: number, index: number, fields: Fields): void {
    if (fields.length === 0) return
    this.#begin(kind, index)
    writeFields(fields, this.#encoder)
  }
}

/** Private fields, as records have them. */
export function writeFields(fields: Fields, encoder: Encoder): void {
  encoder.writeUint(fields.length)
  for (const [name, value] of fields) {
    encoder.writeString(name)
    try {
      encoder.write(value)
    } catch (error) {
      throw prependPath(error, name)
    }
  }
}

function flagsOf({ enumerable, configurable, writable, get, set }: PropertyDescriptor): number {
  return (
    (enumerable === true ? flag.enumerable : 0) |
    (configurable === true ? flag.configurable : 0) |
    (writable === true ? flag.writable : 0) |
    (get !== undefined || set !== undefined ? flag.accessor : 0)
  )
}

function isDerived({ analysis }: Unit): boolean {
  return (analysis.node as Class).superClass != null
}

/** One of the prototypes that functions of any kind are born with, of any realm. */
function isFunctionPrototype(value: object | null): boolean {
  if (typeof value === 'function')
    return isNative(Function.prototype.toString.call(value)) && value.name === ''
  return value !== null && Object.hasOwn(value, Symbol.toStringTag) && Object.hasOwn(value, 'constructor')
}
