/**
 * What travels by name: decides for each function, symbol and unusual object whether the receiver has it
 * already, and how it is called there. One per capture, asked by the walk; the tables behind it are
 * wellknown's and modules'.
 */
import { pathToFileURL } from 'node:url'
import { types } from 'node:util'
import { cannotSend } from '../../codec/path.ts'
import { findCommonjsObject } from './commonjs.ts'
import { explainCycle, leadsToEntry } from './cycle.ts'
import { quoteName } from '../walk/errors.ts'
import type { Finder } from '../walk/find.ts'
import { exportsExactly } from './imports.ts'
import { findExport } from './modules.ts'
import { idOf, isHomeOf, knownId } from '../tracker.ts'
import { findWellknown, isNative } from './wellknown.ts'
import { reference, type Reference } from '../wire.ts'

/** Functions of modules that were looked for among the exports, and are not there. */
const unexported = new WeakSet<Function>()

export class Names {
  readonly #finder: Finder
  readonly #receiver: string | undefined
  readonly #symbols = new Map<symbol, Reference>()

  constructor(finder: Finder, receiver: string | undefined) {
    this.#finder = finder
    this.#receiver = receiver
  }

  /** Undefined where the function travels by value, or is bound. */
  ofFunction(fn: Function): Reference | undefined {
    const id = knownId(fn)
    if (id !== undefined && this.#receiver !== undefined && isHomeOf(id, this.#receiver))
      return [reference.class, id]
    if (isNative(Function.prototype.toString.call(fn))) return this.#ofNative(fn)
    const place = this.#finder.place(fn)
    if (place === undefined) return findWellknown(fn)
    const { info } = place
    if (info.url.startsWith('node:') || info.url === '') {
      const found = findWellknown(fn) ?? this.#madeForFile(fn)
      if (found === undefined && info.url !== '')
        throw cannotSend(
          `${quoteName(fn)} is a function inside Node that has no public name`,
          'Call it inside a function of your own',
        )
      if (found !== undefined) return found
    }
    if (unexported.has(fn) || this.#finder.inspection === null) return undefined
    const found = findExport(fn, info, this.#finder.inspection, () => this.#finder.moduleVariables(fn, info))
    if (found === undefined && info.isModule) unexported.add(fn)
    return found
  }

  /** Whether each process has a class of its own for this one, by name; not where one has the original. */
  isShared(type: Function): boolean {
    try {
      const found = this.ofFunction(type)
      return found !== undefined && found[0] !== reference.class
    } catch {
      // Inside Node, without a name.
      return false
    }
  }

  /** Objects that each process has of its own; undefined for data. */
  ofObject(value: object): Reference | undefined {
    const found = findWellknown(value)
    if (found !== undefined) return found
    if (types.isModuleNamespaceObject(value)) return this.#ofCommonjs(value) ?? this.#ofNamespace(value)
    return Object.getPrototypeOf(value) === Object.prototype ? this.#ofCommonjs(value) : undefined
  }

  /** What a module exports as a whole; not of one that leads to the entry. */
  #ofCommonjs(value: object): Reference | undefined {
    const found = findCommonjsObject(value)
    if (found === undefined) return undefined
    const url = found[0] === reference.module ? found[1] : pathToFileURL(found[1] as string).href
    return leadsToEntry(url, this.#finder.inspection) ? undefined : found
  }

  ofSymbol(symbol: symbol): Reference {
    let found = this.#symbols.get(symbol)
    if (found === undefined) {
      found = [reference.symbol, idOf(symbol), symbol.description ?? null]
      this.#symbols.set(symbol, found)
    }
    return found
  }

  #ofNative(fn: Function): Reference | undefined {
    const found = findWellknown(fn)
    if (found !== undefined || this.#finder.inspection?.bound(fn) !== undefined) return found
    throw cannotSend(
      `${quoteName(fn)} is a native function not reachable by name`,
      'Call it inside a function of your own',
    )
  }

  /** `require` and import.meta.resolve are made for each file; their variables say for which. */
  #madeForFile(fn: Function): Reference | undefined {
    if (fn.name !== 'require' && fn.name !== 'resolve') return undefined
    for (const { variables } of this.#finder.inspection?.scopes(fn) ?? []) {
      const { mod, defaultParentURL, moduleURL } = variables as Record<string, unknown>
      const file = (mod as { filename?: unknown } | undefined)?.filename
      if (typeof file === 'string') return [reference.require, file, fn.name === 'require' ? [] : ['resolve']]
      const url = defaultParentURL ?? moduleURL
      if (typeof url === 'string') return [reference.metaResolve, url]
    }
    return undefined
  }

  /**
   * The namespace of a module, by one of the functions that it exports: it may have come from another module.
   */
  #ofNamespace(namespace: object): Reference {
    const keys = Object.keys(namespace)
    let cycle: string | undefined
    for (const key of keys) {
      const value = readExport(namespace, key)
      const found = typeof value === 'function' ? this.ofFunction(value) : undefined
      const inspection = this.#finder.inspection
      const place = typeof value === 'function' ? this.#finder.place(value) : undefined
      cycle ??= place && explainCycle(place.info.url)
      if (found?.[0] !== reference.module) continue
      if (inspection === null || place === undefined || !exportsExactly(place.info, keys, inspection))
        continue
      const [, from, specifier, attributes] = found
      return [reference.module, from, specifier, attributes, '*', []]
    }
    throw cannotSend(
      'it is the namespace of a module',
      cycle === undefined
        ? 'Import it where the function is, and use its names there'
        : `Import its names one by one. ${cycle}`,
    )
  }
}

/** Exports are no getters, but reading one that is not initialised yet throws. */
export function readExport(namespace: object, key: string | symbol): unknown {
  try {
    return (namespace as Record<PropertyKey, unknown>)[key]
  } catch {
    return undefined
  }
}
