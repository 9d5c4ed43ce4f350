/**
 * The wire form of a payload: constants and shapes shared by capture, which writes them, and revive, which
 * reads them. Holds no logic. A change here is a change of the format: both ends are always of one version of
 * plait.
 *
 *     plain    : byte 0, then one codec value     captured : byte 1, body length (u32 little endian), body,
 * prelude
 *
 * The prelude is one plain codec value, a `Prelude`. It is read first: it says what has to be imported, which
 * templates to instantiate and how classes hang together; after it every unit exists. The body is one codec
 * value whose root is an extension value of kind `root`: the captured value itself, then records up to `end`.
 * Every extension value begins with its kind (writeUint).
 */

/** The first byte of a payload. */
export const form = { plain: 0, captured: 1 } as const

/** Kinds of extension values in a body, and what follows each. `value` is anything the codec writes. */
export const node = {
  /** value, then records. Once, as the outermost. */
  root: 0,
  /** uint: index into Prelude.references. */
  reference: 1,
  /** uint: payload-wide number of the unit. */
  unit: 2,
  /** value target, value this, uint n, n values: a bound function. */
  bound: 3,
  /** value constructor, native part: an instance whose prototype is constructor.prototype. */
  instance: 4,
  /** value prototype, native part: an object whose prototype is no constructor's. */
  object: 5,
  /** value constructor: that constructor's `prototype` object. */
  prototype: 6,
  /** records: for units that a reducer's function, which is called next, may need. */
  ready: 7,
} as const

/** Kinds of records after the root value (writeUint), and what follows each. */
export const record = {
  end: 0,
  /** uint cell, value. Cells that the prelude has set are not here. */
  cell: 1,
  /** uint unit, properties: own properties of a function or class that its text does not make. */
  own: 2,
  /** uint unit, properties: the same of its `prototype`. */
  prototype: 3,
  /**
   * uint unit, value: [[Prototype]] of a function's `prototype` where it is not Object.prototype (never for a
   * class).
   */
  parent: 4,
  /**
   * value instance, value class, uint n, n times (string '#name', value): private fields that class declares.
   */
  privates: 5,
  /** uint unit, uint n, n times (string '#name', value): static private fields of a class. */
  statics: 6,
  /** uint unit, value: [[Prototype]] of the function itself where its text does not give it. */
  kind: 7,
  /** uint unit, value home: the object whose [[Prototype]] is `super` in a method. */
  home: 8,
  /**
   * value class, value reduce, value revive: the reducer registered for it. Where these cannot travel: value
   * class, the reason as a string, null.
   */
  reducer: 9,
} as const

/*
 * properties: uint n, n times (value key: a string or symbol; uint flags; value, or value get and value set).
 */

/** Flags of one property. */
export const flag = { enumerable: 1, configurable: 2, writable: 4, accessor: 8 } as const

/** Kinds of references, see Reference. */
export const reference = {
  module: 0,
  commonjs: 1,
  builtin: 2,
  global: 3,
  intrinsic: 4,
  require: 5,
  symbol: 6,
  class: 7,
  metaResolve: 8,
} as const

/**
 * Steps from one object to the next: property names, well-known symbols, and for an accessor's halves ['key',
 * 'get'] as one step.
 */
export type Path = readonly (string | symbol | readonly [key: string | symbol, half: 'get' | 'set'])[]

/** What the worker has of its own, by name. */
export type Reference =
  /**
   * Import `specifier` as the script at `from` would; name '*' is the namespace, else the export's name; then
   * the path from there.
   */
  | readonly [
      kind: 0,
      from: string,
      specifier: string,
      attributes: Readonly<Record<string, string>> | null,
      name: string,
      path: Path,
    ]
  /** require(file), then the path from module.exports. */
  | readonly [kind: 1, file: string, path: Path]
  /** process.getBuiltinModule(id), or its namespace object where `namespace`, then the path from there. */
  | readonly [kind: 2, id: string, namespace: boolean, path: Path]
  /** The path from globalThis; [] is globalThis itself. */
  | readonly [kind: 3, path: Path]
  /**
   * What the language has and no global names, see wellknown's list: '%AsyncFunction%', then the path from
   * there.
   */
  | readonly [kind: 4, name: string, path: Path]
  /** createRequire(url), then the path from there: `require`, `require.resolve`. */
  | readonly [kind: 5, url: string, path: Path]
  /** A symbol that is neither registered nor well-known: one per id in each process. */
  | readonly [kind: 6, id: string, description: string | null]
  /** A class that the receiver has under this id already (its own, or its copy). */
  | readonly [kind: 7, id: string]
  /** import.meta.resolve of the module at url. */
  | readonly [kind: 8, url: string]

/** A value that exists before the body is decoded. */
export type Early =
  | readonly [kind: 'value', value: string | number | bigint | boolean | null | undefined | symbol]
  | readonly [kind: 'reference', index: number]
  | readonly [kind: 'unit', unit: number]

/** One instance of a template. */
export interface GroupEntry {
  readonly template: string
  /** Payload-wide numbers of the units, in the order of the template's makers. */
  readonly units: readonly number[]
  /**
   * Payload-wide numbers of the cells, in the order of the template's cells. One cell may be in several
   * groups.
   */
  readonly cells: readonly number[]
}

/** What a class needs to be made. */
export interface ClassEntry {
  readonly unit: number
  /** The tracker's id. */
  readonly id: string
  /** undefined where the text has no heritage; ['value', null] for `extends null`. */
  readonly parent: Early | undefined
  /**
   * For each member whose key is computed (static fields and blocks left out), in the order of the text, its
   * key; null where it could not be told (an instance field): its expression is evaluated over early cells.
   */
  readonly keys: readonly (Early | null)[]
}

/** What has to happen before the body can be decoded. */
export interface Prelude {
  readonly references: readonly Reference[]
  readonly groups: readonly GroupEntry[]
  /** Superclasses before their subclasses. */
  readonly classes: readonly ClassEntry[]
  /** Cells whose values need no body; all of them are set before the first class is made. */
  readonly early: readonly (readonly [cell: number, value: Early])[]
  /**
   * Owned variables of an initializer with their first value's cell: set where the worker has none under this
   * key.
   */
  readonly owned: readonly (readonly [key: string, cell: number])[]
  /** How many units there are. */
  readonly units: number
}
