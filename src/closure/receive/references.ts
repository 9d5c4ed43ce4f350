/**
 * The worker's own for what travels by name: modules, builtins, globals, `require`, unique symbols. Called
 * by revive alone. Importing is the one step that may be asynchronous, and it goes through a script that
 * stands where the original file stands, so that resolution and loader hooks are those of that file.
 */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import vm from 'node:vm'
import { findTracked, symbolOf } from '../tracker.ts'
import { reference as kind, type Path, type Reference } from '../wire.ts'

/** `import()` as a script at some url sees it. */
export type Importer = (specifier: unknown, options?: ImportCallOptions) => Promise<object>

// ── modules ──

const importers = new Map<string, Importer>()

/** The importer of a script; one per url. */
export function importerOf(url: string): Importer {
  let importer = importers.get(url)
  if (importer === undefined) {
    const native = new vm.Script('(specifier, options) => import(specifier, options)', {
      filename: url,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    }).runInThisContext() as Importer
    importer = (specifier, options) => quietly(() => native(specifier, options))
    importers.set(url, importer)
  }
  return importer
}

/**
 * Node 20 calls the constant above experimental, once per process, at the first import: not the user's
 * business.
 */
function quietly<R>(fn: () => R): R {
  const { emitWarning } = process
  process.emitWarning = ((...args: Parameters<typeof emitWarning>) => {
    if (!String(args[0]).includes('vm.USE_MAIN_CONTEXT_DEFAULT_LOADER'))
      Reflect.apply(emitWarning, process, args)
  }) as typeof emitWarning
  try {
    return fn()
  } finally {
    process.emitWarning = emitWarning
  }
}

/** Namespaces by where and what was imported; a promise while that goes on. */
const modules = new Map<string, object | Promise<void>>()

/**
 * Imports what a reference needs; undefined where it is here already. Rejects with the module's own error.
 */
export function load(ref: Reference): Promise<void> | undefined {
  const imported = importOf(ref)
  if (imported === undefined) return undefined
  const key = JSON.stringify(imported)
  const known = modules.get(key)
  if (known instanceof Promise) return known
  if (known !== undefined) return undefined
  const [from, specifier, attributes] = imported
  const loading = importerOf(from)(specifier, attributes === null ? undefined : { with: attributes }).then(
    (namespace) => void modules.set(key, namespace),
    (error: unknown) => {
      modules.delete(key)
      throw error
    },
  )
  modules.set(key, loading)
  return loading
}

type Import = readonly [from: string, specifier: string, attributes: Readonly<Record<string, string>> | null]

/** What has to be imported for a reference; undefined where nothing has. */
function importOf(ref: Reference): Import | undefined {
  if (ref[0] === kind.module) return [ref[1], ref[2], ref[3]]
  return ref[0] === kind.builtin && ref[2] ? ['', ref[1], null] : undefined
}

function namespaceOf(ref: Reference): Record<string, unknown> {
  return modules.get(JSON.stringify(importOf(ref))) as Record<string, unknown>
}

/** `import()` of a module that vite's runner evaluated: paths count from vite's root. */
export function importAt(url: string, root: string, specifier: unknown): Promise<object> {
  const path = String(specifier)
  if (!path.startsWith('/')) return importerOf(url)(specifier)
  return importerOf(url)(pathToFileURL(path.startsWith('/@fs/') ? path.slice(4) : root + path).href)
}

/** A CommonJS module as vite's runner shows it: members of the default export count as exports. */
function interoperate(namespace: Record<string, unknown>): object {
  let exports = namespace
  let main = namespace['default']
  if (typeof main === 'object' && main !== null && '__esModule' in main) {
    exports = main
    if ('default' in main) main = main.default
  }
  return new Proxy(exports, {
    get: (_, key) =>
      key === 'default'
        ? main
        : (Reflect.get(exports, key) ?? (main as Record<PropertyKey, unknown> | null)?.[key]),
  })
}

// ── all references ──

/** The value that a reference names here. Modules have to be loaded before. */
export function resolve(ref: Reference): unknown {
  switch (ref[0]) {
    case kind.module: {
      const namespace = namespaceOf(ref)
      const [, from, specifier, , name, path] = ref
      if (name === '*') return follow(namespace, path, specifier)
      if (name === '**') return follow(interoperate(namespace), path, specifier)
      if (!(name in namespace))
        throw new Error(`${specifier} (imported by ${from}) has no export '${name}' here`)
      return follow(namespace[name], path, `${specifier} ${name}`)
    }
    case kind.commonjs:
      return follow(createRequire(ref[1])(ref[1]), ref[2], ref[1])
    case kind.builtin:
      return follow(ref[2] ? namespaceOf(ref) : builtinOf(ref[1]), ref[3], ref[1])
    case kind.global:
      return follow(globalThis, ref[1], 'globalThis')
    case kind.intrinsic:
      return follow(intrinsic(ref[1]), ref[2], ref[1])
    case kind.require:
      return follow(requireOf(ref[1]), ref[2], 'require')
    case kind.symbol:
      return symbolOf(ref[1], ref[2])
    case kind.class: {
      const type = findTracked(ref[1])
      if (type === undefined)
        throw new Error(`a class that this process is said to have (${ref[1]}) is not here any more`)
      return type
    }
    case kind.metaResolve:
      return metaOf(ref[1]).resolve
  }
}

function follow(from: unknown, path: Path, what: string): unknown {
  let value = from
  for (const step of path) {
    const [key, half] = Array.isArray(step)
      ? (step as [string | symbol, 'get' | 'set'])
      : [step as string | symbol, undefined]
    if (value === undefined || value === null) break
    value = half === undefined ? Reflect.get(Object(value), key, value) : descriptorOf(value, key)?.[half]
  }
  if (value === undefined && path.length > 0)
    throw new Error(`${[what, ...path.map(String)].join('.')} is not there in this process`)
  return value
}

function descriptorOf(object: object, key: string | symbol): PropertyDescriptor | undefined {
  return Object.getOwnPropertyDescriptor(object, key)
}

function builtinOf(id: string): object {
  const found: object | undefined = process.getBuiltinModule(id)
  if (found === undefined)
    throw new Error(`${id} is no module of Node ${process.version}, which this process runs`)
  return found
}

function requireOf(url: string): NodeJS.Require {
  return createRequire(/^(?:file:|\/|[A-Za-z]:[\\/])/.test(url) ? url : pathToFileURL(`${process.cwd()}/`))
}

const intrinsics = new Map<string, unknown>()

/** What the language has and no global names: the expression that finds it is its name, see wellknown.ts. */
function intrinsic(expression: string): unknown {
  if (!intrinsics.has(expression)) intrinsics.set(expression, vm.runInThisContext(expression))
  return intrinsics.get(expression)
}

// ── import.meta ──

/** `import.meta` of a module, as far as a url tells. */
export interface Meta {
  readonly url: string
  readonly dirname?: string
  readonly filename?: string
  resolve(specifier: string): string
}

const metas = new Map<string, Meta>()

/** One object per url. */
export function metaOf(url: string): Meta {
  let meta = metas.get(url)
  if (meta === undefined) {
    const resolve = (specifier: string): string => resolveFrom(url, specifier)
    const filename = url.startsWith('file:') ? fileURLToPath(url) : undefined
    const place = filename === undefined ? {} : { dirname: dirname(filename), filename }
    meta = Object.assign(Object.create(null) as object, place, { url, resolve })
    metas.set(url, meta)
  }
  return meta
}

/** Relative and absolute specifiers as URLs, the rest by the package rules of `require`. */
function resolveFrom(url: string, specifier: string): string {
  if (/^\.{0,2}\//.test(specifier)) return new URL(specifier, url).href
  if (/^[a-z][a-z\d+.-]+:/i.test(specifier)) return specifier
  const found = requireOf(url).resolve(specifier)
  return found === specifier ? `node:${specifier.replace(/^node:/, '')}` : pathToFileURL(found).href
}
