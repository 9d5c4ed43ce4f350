/**
 * What a template's bytes hold: written by layout, read by revive, both ends of one version. Types only.
 */

/** One function or class of a template. */
export interface UnitData {
  readonly kind: 'function' | 'method' | 'class'
  /** Which maker makes it; and where that makes several, which of them it is. */
  readonly maker: number
  readonly item: number
  /** What `name` is where nothing was changed by hand; undefined where it is no string. */
  readonly name: string | undefined
  /** Where the text begins in its script: both from 0. */
  readonly line: number
  readonly column: number
  /** Where it stands in the factory text, edited. */
  readonly start: number
  readonly end: number
  /** The text as it was, where edits changed it. */
  readonly original: string | undefined
  /** Captured names, and which cell of the template each is. */
  readonly cells: readonly (readonly [name: string, cell: number])[]
  /** Of a class with #private instance members or static #fields. */
  readonly fields: readonly string[]
  readonly statics: readonly string[]
  readonly branded: boolean
}

/** One captured variable of a template. */
export interface CellData {
  readonly name: string
  /** See Cell.boxed. */
  readonly boxed: boolean
  readonly assigned: boolean
  readonly owned: string | undefined
}

/** A source map of the factory text, as it stands in the factory. */
export interface MapData {
  readonly sources: readonly string[]
  readonly names: readonly string[]
  readonly mappings: string
}

/** A map of some lines of a script, the first of which is `line`. */
export interface ScriptMapData extends MapData {
  readonly line: number
}

/** A template. */
export interface TemplateData {
  readonly id: string
  readonly url: string
  readonly kind: 'module' | 'commonjs' | 'other'
  readonly strict: boolean
  /** The factory: an expression, see layout. */
  readonly text: string
  /**
   * Where the factory's text begins, so that the first unit stands where it stood; the column may be
   * negative.
   */
  readonly line: number
  readonly column: number
  readonly cells: readonly CellData[]
  readonly units: readonly UnitData[]
  readonly map: MapData | undefined
  /** The same of the script, as far as these units reach: for those who capture them again. */
  readonly scriptMap: ScriptMapData | undefined
  /** Some text uses `import()` or import.meta. */
  readonly imports: boolean
  readonly metas: boolean
}

/** What a factory is: evaluated once per process, called once per payload. */
export type Factory = (
  /** Variables of the initializer, by key. */
  owned: Record<string, unknown>,
  load: ((specifier: unknown, options?: ImportCallOptions) => Promise<unknown>) | undefined,
  meta: object | undefined,
) => FactoryParts

/** Cells as one accessor each, makers, and the switch that stops construction. */
export type FactoryParts = readonly [
  accessors: readonly CellAccessor[],
  makers: readonly Maker[],
  stop: (restore: ((instance: object) => never) | undefined) => void,
]

/** Where the value of a boxed cell is. */
export interface Box {
  v: unknown
}

/** Reads; or with `write`, writes. Of a boxed cell, with null: gives its box; with a box: uses that one. */
export type CellAccessor = (write?: boolean, value?: unknown, box?: Box | null) => unknown

/**
 * Makes a list of functions; or, given what it needs, a class. Each as it is, or as the one member of an
 * object.
 */
export type Maker = (parent?: unknown, keys?: readonly unknown[], hooks?: ClassHooks) => object

/** Filled by a class's own code, see classes.ts. */
export interface ClassHooks {
  has?: (instance: object) => boolean
  get?: (instance: object) => unknown[]
  set?: (instance: object, values: readonly unknown[]) => void
  getStatic?: () => unknown[]
  setStatic?: (values: readonly unknown[]) => void
}
