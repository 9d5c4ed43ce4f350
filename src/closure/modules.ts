/**
 * Which functions travel by name, and which names of a script are imports. Asked by capture. Knows the import
 * and export tables of scripts; of the entry, whose code never runs in a worker, nothing travels by name.
 * Imports no module and reads no file.
 */
import { isBuiltin } from 'node:module'
import { fileURLToPath } from 'node:url'
import type * as Acorn from 'acorn'
import type * as Lexer from 'es-module-lexer'
import { lookUp, type ScopeCells } from './cells.ts'
import { findCommonjsExport } from './commonjs.ts'
import { isEntryUrl, require } from './entry.ts'
import type { Inspection } from './inspector.ts'
import { loadAcorn } from './parse.ts'
import type { ScriptInfo } from './scripts.ts'
import { findOwnExport, viteImport, viteModule } from './vite.ts'
import { reference, type Reference } from './wire.ts'

/** What one local name of a module stands for. */
export interface Import {
  readonly specifier: string
  /** The export's name; '*' for the namespace. */
  readonly name: string
  readonly attributes: Readonly<Record<string, string>> | null
}

interface Tables {
  readonly imports: ReadonlyMap<string, Import>
  /** Local name → exported name. */
  readonly exports: ReadonlyMap<string, string>
  /** Where the text of an anonymous default export begins at the earliest; -1 where there is none. */
  readonly anonymous: number
  /** All names that are exported; null where an `export *` hides some. */
  readonly names: ReadonlySet<string> | null
}

const tables = new WeakMap<ScriptInfo, Tables>()
const exported = new WeakMap<Function, Reference>()
let lexer: typeof Lexer | undefined

/** es-module-lexer, loaded once, synchronously. */
export function loadLexer(): typeof Lexer {
  // With --jitless there is no WebAssembly.
  const build = 'WebAssembly' in globalThis ? 'es-module-lexer' : 'es-module-lexer/js'
  lexer ??= require()(build) as typeof Lexer
  return lexer
}

/** What a module-level name of an ES module is imported from. */
export function findImport(info: ScriptInfo, name: string, inspection: Inspection): Import | undefined {
  return readTables(info, inspection).imports.get(name)
}

/**
 * How a worker gets what a module-level name is imported from; undefined where the name is no import, or one
 * of the entry.
 */
export function importReference(
  info: ScriptInfo,
  name: string,
  scope: ScopeCells,
  inspection: Inspection,
): Reference | undefined {
  const asked = viteModule(info, inspection)?.imports.get(name)
  if (asked !== undefined) return viteImport(info, asked, lookUp(scope.variables, name)?.value)
  const found = info.isModule ? findImport(info, name, inspection) : undefined
  if (found === undefined) return undefined
  const { specifier, attributes } = found
  if (isBuiltin(specifier)) {
    const id = specifier.startsWith('node:') ? specifier : `node:${specifier}`
    if (found.name === '*') return [reference.builtin, id, true, []]
    return [reference.builtin, id, false, found.name === 'default' ? [] : [found.name]]
  }
  // A module that imports the entry back: the entry must not run in a worker, so the value itself travels.
  if (/^(?:\.|\/|file:)/.test(specifier) && isEntryUrl(new URL(specifier, info.url).href)) return undefined
  return [reference.module, info.url, specifier, attributes, found.name, []]
}

/** Whether a module exports these names and no others. */
export function exportsExactly(info: ScriptInfo, keys: readonly string[], inspection: Inspection): boolean {
  const { names } = readTables(info, inspection)
  return names?.size === keys.length && keys.every((key) => names.has(key))
}

/**
 * The reference to a function that a module other than the entry exports; undefined where it travels by
 * value.
 */
export function findExport(
  fn: Function,
  info: ScriptInfo,
  inspection: Inspection,
  variables: () => object,
): Reference | undefined {
  const known = exported.get(fn)
  if (known !== undefined) return known
  if (!info.url.startsWith('file:') || isEntryUrl(info.url)) return undefined
  const found = info.isModule
    ? findModuleExport(fn, info, inspection, variables)
    : (findCommonjsExport(fn, fileURLToPath(info.url)) ?? findOwnExport(fn, info, inspection))
  if (found !== undefined) exported.set(fn, found)
  return found
}

function findModuleExport(
  fn: Function,
  info: ScriptInfo,
  inspection: Inspection,
  variables: () => object,
): Reference | undefined {
  const { exports, anonymous } = readTables(info, inspection)
  if (exports.size > 0) {
    const all = variables()
    for (const [local, name] of exports) {
      if (lookUp(all, local)?.value === fn) return [reference.module, info.url, info.url, null, name, []]
    }
  }
  if (anonymous < 0 || fn.name !== 'default') return undefined
  const source = inspection.source(info)
  const text = Function.prototype.toString.call(fn)
  const begins = source.indexOf(text, anonymous)
  const between = begins < 0 ? 'x' : source.slice(anonymous, begins)
  return /^[\s(]*$/.test(between) ? [reference.module, info.url, info.url, null, 'default', []] : undefined
}

function readTables(info: ScriptInfo, inspection: Inspection): Tables {
  let found = tables.get(info)
  if (found === undefined) tables.set(info, (found = info.isModule ? lex(inspection.source(info)) : noTables))
  return found
}

const noTables: Tables = { imports: new Map(), exports: new Map(), anonymous: -1, names: null }

function lex(source: string): Tables {
  const imports = new Map<string, Import>()
  const exports = new Map<string, string>()
  let names: Set<string> | null = new Set()
  let anonymous = -1
  const [importList, exportList] = loadLexer().parse(source)
  for (const one of importList)
    if (one.type === 'static' && !one.typeOnly)
      readImport(source.slice(one.importStart, one.importEnd), one, imports)
  for (const one of exportList) {
    if (one.typeOnly) continue
    if (one.type === 'reexport-all') names = null
    else names?.add(one.name)
    if (one.type !== 'direct') continue
    if (one.localName !== undefined) exports.set(one.localName, one.name)
    else if (one.name === 'default') anonymous = one.end
  }
  return { imports, exports, anonymous, names }
}

function readImport(
  text: string,
  { specifier, attributes }: Lexer.StaticImport,
  imports: Map<string, Import>,
): void {
  const program = loadAcorn().parse(text, { ecmaVersion: 'latest', sourceType: 'module' })
  const statement = program.body[0]
  // The lexer lists `export … from` as well, which binds no name.
  if (statement?.type !== 'ImportDeclaration') return
  for (const one of statement.specifiers) {
    imports.set(one.local.name, {
      specifier,
      name: importedName(one),
      attributes: attributes === null ? null : Object.fromEntries(attributes),
    })
  }
}

function importedName(specifier: Acorn.ImportDeclaration['specifiers'][number]): string {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default'
  if (specifier.type === 'ImportNamespaceSpecifier') return '*'
  return specifier.imported.type === 'Identifier' ? specifier.imported.name : String(specifier.imported.value)
}
