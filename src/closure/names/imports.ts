/**
 * What the text of an ES module says: which of its names are imports, and what it exports. Read once for each
 * script. Asked by modules and the finder; follows a name through the modules that hand it on, and imports
 * none.
 */
import type * as Acorn from 'acorn'
import type * as Lexer from 'es-module-lexer'
import type { Inspection } from '../walk/inspector.ts'
import { loadedModules, locate } from './locate.ts'
import { loadAcorn, loadLexer } from '../text/parse.ts'
import type { ScriptInfo } from '../walk/scripts.ts'

/** What one local name of a module stands for. */
export interface Import {
  readonly specifier: string
  /** The export's name; '*' for the namespace. */
  readonly name: string
  readonly attributes: Readonly<Record<string, string>> | null
}

/** A module-level variable, by the module that declares it. */
export interface Declared {
  readonly info: ScriptInfo
  readonly name: string
}

export interface Tables {
  readonly imports: ReadonlyMap<string, Import>
  /** What is exported of other modules: by name, and all that they export. */
  readonly handedOn: ReadonlyMap<string, { readonly from: string; readonly name: string }>
  readonly stars: readonly string[]
  /** Local name → exported name. */
  readonly exports: ReadonlyMap<string, string>
  /** Where the text of an anonymous default export begins at the earliest; -1 where there is none. */
  readonly anonymous: number
  /** All names that are exported; null where an `export *` hides some. */
  readonly names: ReadonlySet<string> | null
}

/** What a module-level name of an ES module is imported from. */
export function findImport(info: ScriptInfo, name: string, inspection: Inspection): Import | undefined {
  return readTables(info, inspection).imports.get(name)
}

/**
 * Which variable of a module that was loaded an import means, however many modules hand it on; undefined
 * where it means none.
 */
export function findDeclared(
  info: ScriptInfo,
  name: string,
  inspection: Inspection,
  seen = new Set<ScriptInfo>(),
): Declared | undefined {
  const found = info.isModule ? findImport(info, name, inspection) : undefined
  return found === undefined || found.name === '*'
    ? undefined
    : declaredAs(found.specifier, found.name, info, inspection, seen)
}

/** What the module that is called `specifier` in the one of `info` exports under a name. */
function declaredAs(
  specifier: string,
  name: string,
  info: ScriptInfo,
  inspection: Inspection,
  seen: Set<ScriptInfo>,
): Declared | undefined {
  const module = loadedModules().get(locate(specifier, info.url) ?? '')
  if (module === undefined || seen.has(module)) return undefined
  seen.add(module)
  const { exports, handedOn, stars } = readTables(module, inspection)
  for (const [local, exported] of exports)
    if (exported === name)
      return findDeclared(module, local, inspection, seen) ?? { info: module, name: local }
  const next = handedOn.get(name)
  if (next !== undefined) return declaredAs(next.from, next.name, module, inspection, seen)
  for (const star of stars) {
    const found = declaredAs(star, name, module, inspection, seen)
    if (found !== undefined) return found
  }
  return undefined
}

/** Whether a module exports these names and no others. */
export function exportsExactly(info: ScriptInfo, keys: readonly string[], inspection: Inspection): boolean {
  const { names } = readTables(info, inspection)
  return names?.size === keys.length && keys.every((key) => names.has(key))
}

const tables = new WeakMap<ScriptInfo, Tables>()

export function readTables(info: ScriptInfo, inspection: Inspection): Tables {
  let found = tables.get(info)
  if (found === undefined) tables.set(info, (found = info.isModule ? lex(inspection.source(info)) : noTables))
  return found
}

const noTables: Tables = {
  imports: new Map(),
  handedOn: new Map(),
  stars: [],
  exports: new Map(),
  anonymous: -1,
  names: null,
}

function lex(source: string): Tables {
  const imports = new Map<string, Import>()
  const exports = new Map<string, string>()
  const handedOn = new Map<string, { from: string; name: string }>()
  const stars: string[] = []
  let names: Set<string> | null = new Set()
  let anonymous = -1
  const [importList, exportList] = loadLexer().parse(source)
  for (const one of importList)
    if (one.type === 'static' && !one.typeOnly)
      readImport(source.slice(one.importStart, one.importEnd), one, imports)
  for (const one of exportList) {
    if (one.typeOnly) continue
    if (one.type === 'reexport-all') {
      names = null
      stars.push(one.from)
    } else names?.add(one.name)
    if (one.type === 'reexport' && one.importName !== null)
      handedOn.set(one.name, { from: one.from, name: one.importName })
    if (one.type !== 'direct') continue
    if (one.localName !== undefined) exports.set(one.localName, one.name)
    else if (one.name === 'default') anonymous = one.end
  }
  return { imports, handedOn, stars, exports, anonymous, names }
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
