/**
 * Templates on the receiving side: kept by id, compiled at first use, called once per payload. Called by
 * revive alone; knows nothing of payloads. A template's text is never forgotten, since its sender sends it
 * once; what was compiled of it may be.
 */
import { isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import vm from 'node:vm'
import { decode } from '../../codec/decode.ts'
import { identity } from '../../core/context.ts'
import { importerOf, metaOf } from './references.ts'
import type { Reference } from '../wire.ts'
import type {
  Box,
  CellAccessor,
  ClassHooks,
  Factory,
  FactoryParts,
  Maker,
  TemplateData,
  UnitData,
} from '../template.ts'

const templates = new Map<string, TemplateData>()
/** Most recently used last. */
const factories = new Map<string, Factory>()
const mostFactories = 2_000

/** The variables of initializers, by key; this process's own. */
export const owned: Record<string, unknown> = Object.create(null) as Record<string, unknown>

/** Takes a template in; one that is here already is ignored. */
export function addTemplate(bytes: Buffer): void {
  const data = decode(bytes, 0, bytes.length) as TemplateData
  if (!templates.has(data.id)) templates.set(data.id, data)
}

/** A template that has arrived. */
export function templateOf(id: string): TemplateData {
  const data = templates.get(id)
  if (data === undefined)
    throw new Error(`the code of a function (template ${id}) has not arrived in this process`)
  return data
}

/** Where a revived function or class comes from. */
export interface Origin {
  readonly instance: Instance
  readonly index: number
}

const origins = new WeakMap<Function, Origin>()

/** Undefined for what was not revived here. */
export function originIn(value: Function): Origin | undefined {
  return origins.get(value)
}

/** One call of a factory: variables of its own, and the units made so far. */
export class Instance {
  readonly data: TemplateData
  readonly #parts: FactoryParts
  readonly #functions: Function[] = []
  /** Around a method: the object whose prototype is `super`; and what that object stands for. */
  readonly #around: object[] = []
  readonly #homes: object[] = []
  readonly #references: (readonly [value: unknown, reference: Reference] | undefined)[] = []

  constructor(id: string) {
    this.data = templateOf(id)
    const { url, imports, metas } = this.data
    this.#parts = factoryOf(this.data)(
      owned,
      imports ? importerOf(url) : undefined,
      metas ? metaOf(url) : undefined,
    )
  }

  // ── cells ──

  getCell(index: number): unknown {
    return (this.#parts[0][index] as CellAccessor)()
  }

  setCell(index: number, value: unknown, reference?: Reference): void {
    ;(this.#parts[0][index] as CellAccessor)(true, value)
    this.#references[index] = reference === undefined ? undefined : [value, reference]
  }

  /** The box that a cell's value is in; undefined where it has none. */
  boxOf(index: number): Box | undefined {
    const boxed = this.data.cells[index]?.boxed === true
    return boxed ? ((this.#parts[0][index] as CellAccessor)(false, undefined, null) as Box) : undefined
  }

  /** From now on a boxed cell is the variable that `box` holds. */
  setBox(index: number, box: Box): void {
    if (this.data.cells[index]?.boxed === true) (this.#parts[0][index] as CellAccessor)(false, undefined, box)
  }

  /** The reference by which a cell's present value came. */
  referenceOf(index: number): Reference | undefined {
    const came = this.#references[index]
    return came !== undefined && Object.is(came[0], this.getCell(index)) ? came[1] : undefined
  }

  // ── units ──

  /** The function of this number; made with its neighbours at the first call. */
  functionOf(index: number): Function {
    if (this.#functions[index] === undefined) this.#makeFunctions((this.data.units[index] as UnitData).maker)
    return this.#functions[index] as Function
  }

  #makeFunctions(maker: number): void {
    const made = (this.#parts[1][maker] as Maker)() as object[]
    for (const [index, unit] of this.data.units.entries()) {
      if (unit.maker !== maker) continue
      const item = made[unit.item] as object
      if (unit.kind === 'method') this.#around[index] = item
      this.#functions[index] = this.#finish(unit.kind === 'method' ? memberOf(item) : unwrap(item), index)
    }
  }

  /** A class; called once for each. */
  makeClass(index: number, parent: unknown, keys: readonly unknown[], hooks: ClassHooks): Function {
    const { maker } = this.data.units[index] as UnitData
    return this.#finish(unwrap((this.#parts[1][maker] as Maker)(parent, keys, hooks)), index)
  }

  #finish(made: Function, index: number): Function {
    const { name } = this.data.units[index] as UnitData
    if (name !== undefined && Object.getOwnPropertyDescriptor(made, 'name')?.value !== name)
      Object.defineProperty(made, 'name', { value: name, configurable: true })
    origins.set(made, { instance: this, index })
    return made
  }

  /** From now on `super` in a method means what it means in `home`. */
  setHome(index: number, home: object): void {
    const around = this.#around[index]
    if (around !== undefined) Object.setPrototypeOf(around, Object.getPrototypeOf(home) as object | null)
    this.#homes[index] = home
  }

  homeOf(index: number): object | undefined {
    return this.#homes[index]
  }

  /**
   * While `fn` runs, an instance of this template's classes is handed to `restore` before its constructor
   * runs.
   */
  withStop(restore: (instance: object) => never, fn: () => void): void {
    this.#parts[2](restore)
    try {
      fn()
    } finally {
      this.#parts[2](undefined)
    }
  }
}

function factoryOf(data: TemplateData): Factory {
  let factory = factories.get(data.id)
  if (factory === undefined) {
    factory = compile(data)
    if (factories.size >= mostFactories) factories.delete(factories.keys().next().value as string)
  } else factories.delete(data.id)
  factories.set(data.id, factory)
  return factory
}

/**
 * A vm.Script can say where its text begins, but never heeds a source map; an eval heeds one, and cannot
 * say where it begins. Both run at the same speed.
 */
function compile({ id, url, kind, text, map, line, column }: TemplateData): Factory {
  // Stacks name CommonJS files by path, whatever the inspector calls them.
  const filename = kind === 'commonjs' && url.startsWith('file:') ? fileURLToPath(url) : url
  // A map is sent where the sender shows mapped stacks; a worker does as its parent does.
  if (map !== undefined && identity.parent !== null) process.setSourceMapsEnabled(true)
  if (map !== undefined && process.sourceMapsEnabled) {
    const content = Buffer.from(JSON.stringify({ version: 3, ...map })).toString('base64')
    // Node keeps one map per url: the script itself may be here too, and other templates of it.
    const name = isAbsolute(filename)
      ? pathToFileURL(filename).href
      : filename.replace(/\s/g, encodeURIComponent)
    const data = `data:application/json;base64,${content}`
    const comments = `\n//# sourceURL=${name}#${id}\n//# sourceMappingURL=${data}`
    const indirectEval = eval
    try {
      return indirectEval(text + comments) as Factory
    } catch (error) {
      // Where eval is forbidden, stacks show the script's own positions.
      if (!(error instanceof EvalError)) throw error
    }
  }
  const place = { filename, lineOffset: line, columnOffset: column }
  return new vm.Script(text, place).runInThisContext() as Factory
}

function unwrap(made: object): Function {
  return typeof made === 'function' ? made : memberOf(made)
}

/** The one function of the object or class that was made around it. */
function memberOf(home: object): Function {
  for (const key of Reflect.ownKeys(home)) {
    if (typeof home === 'function' && (key === 'length' || key === 'name' || key === 'prototype')) continue
    const { value, get, set } = Object.getOwnPropertyDescriptor(home, key) as PropertyDescriptor
    const found: unknown = value ?? get ?? set
    if (typeof found === 'function') return found
  }
  return (home as { _: Function })._
}
