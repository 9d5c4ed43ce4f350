/**
 * Modules as vite's module runner has them, vitest's among them: no module for Node, but one async function
 * that is handed its imports. Tells capture what the names in such a function stand for. Asked by modules and
 * surroundings.
 */
import { isBuiltin } from 'node:module'
import { pathToFileURL } from 'node:url'
import { types } from 'node:util'
import type * as Acorn from 'acorn'
import { isOwnFile } from './commonjs.ts'
import { declareLexical, declarePattern, declareVariables } from '../text/declare.ts'
import type { Inspection } from '../walk/inspector.ts'
import { parseScript } from '../text/parse.ts'
import { importAt } from '../receive/references.ts'
import { scripts, type ScriptInfo } from '../walk/scripts.ts'
import type { Script } from '../unit.ts'
import { reference, type Reference } from '../wire.ts'

export interface ViteModule {
  /**
   * What the function's own scope may hold: what the runner hands in, and `var`s, which leave the block
   * around the module.
   */
  readonly wrapper: ReadonlySet<string>
  /** These and all else that is declared at the module's top level. */
  readonly names: ReadonlySet<string>
  /** Local name → what was asked of the runner: `node:x`, `/@fs/path`, or a path below vite's root. */
  readonly imports: ReadonlyMap<string, string>
}

const isModule = /^.{0,60}\b__vite_ssr_/s
const modules = new WeakMap<ScriptInfo, ViteModule | null>()

/**
 * Whether stacks show the script by its source map, though Node itself was not told to: the runner sees to
 * that.
 */
export function isMappedByVite(script: Script): boolean {
  return isModule.test(scripts.get(script.id)?.source ?? '')
}

/** Undefined for every other script. */
export function viteModule(info: ScriptInfo, inspection: Inspection): ViteModule | undefined {
  let found = modules.get(info)
  if (found === undefined) {
    const source = info.isModule ? '' : inspection.source(info)
    found = isModule.test(source) ? readModule(source) : null
    modules.set(info, found)
  }
  return found ?? undefined
}

function readModule(source: string): ViteModule | null {
  try {
    const statement = parseScript(source, true).body.at(-1)
    const fn = statement?.type === 'ExpressionStatement' ? statement.expression : undefined
    if (fn?.type !== 'ArrowFunctionExpression' && fn?.type !== 'FunctionExpression') return null
    const wrapper = new Set<string>()
    for (const parameter of fn.params) declarePattern(parameter, wrapper)
    const body = statementsOf(fn.body)
    declareVariables(body, wrapper, true)
    const names = new Set(wrapper)
    declareLexical(body, names)
    return { wrapper, names, imports: new Map(body.flatMap(importsOf)) }
  } catch {
    return null
  }
}

/** vitest puts the module into a block of its own. */
function statementsOf(body: Acorn.BlockStatement | Acorn.Expression): Acorn.Statement[] {
  if (body.type !== 'BlockStatement') return []
  const [first] = body.body
  return body.body.length === 1 && first?.type === 'BlockStatement' ? first.body : body.body
}

/** `const a = await __vite_ssr_import__('specifier', …)`. */
function importsOf(statement: Acorn.Statement): [string, string][] {
  if (statement.type !== 'VariableDeclaration') return []
  return statement.declarations.flatMap(({ id, init }): [string, string][] => {
    const call = init?.type === 'AwaitExpression' ? init.argument : undefined
    if (id.type !== 'Identifier' || call?.type !== 'CallExpression') return []
    const [specifier] = call.arguments
    if (call.callee.type !== 'Identifier' || call.callee.name !== '__vite_ssr_import__') return []
    return specifier?.type === 'Literal' && typeof specifier.value === 'string'
      ? [[id.name, specifier.value]]
      : []
  })
}

/**
 * How a worker gets what the runner imported; undefined for modules that it evaluated itself, or that a test
 * replaced.
 */
export function viteImport(info: ScriptInfo, specifier: string, value: unknown): Reference | undefined {
  const isNamespace = types.isModuleNamespaceObject(value)
  const isExternal = isNamespace || types.isProxy(value)
  if (isExternal && isBuiltin(specifier))
    return [reference.builtin, `node:${specifier.replace(/^node:/, '')}`, true, []]
  const path = specifier.replace(/\?.*$/, '')
  if (!path.startsWith('/')) return undefined
  const url = pathToFileURL(path.startsWith('/@fs/') ? path.slice(4) : root() + path).href
  // Of plait itself workers have the real files, also where the runner evaluated them here.
  if (!isExternal && !isOwnFile(url)) return undefined
  return [reference.module, info.url, url, null, isNamespace || !isExternal ? '*' : '**', []]
}

/**
 * An export of plait's own, where vite's runner evaluated plait too (a linked package): workers have the real
 * one.
 */
export function findOwnExport(fn: Function, info: ScriptInfo, inspection: Inspection): Reference | undefined {
  if (!isOwnFile(info.url) || viteModule(info, inspection) === undefined) return undefined
  if (!inspection.source(info).includes(`__vite_ssr_exportName__("${fn.name}"`)) return undefined
  return [reference.module, info.url, info.url, null, fn.name, []]
}

/** What a worker gets in place of what the runner hands in: `import.meta` and `import()`. */
export function viteParameter(info: ScriptInfo, name: string, value: unknown): unknown {
  if (name === '__vite_ssr_dynamic_import__') return importAt.bind(undefined, info.url, root())
  if (name !== '__vite_ssr_import_meta__') return value
  const { dirname, filename, url } = value as ImportMeta
  return { dirname, filename, url, env: process.env }
}

/** vite's root folder, as vitest tells it. */
function root(): string {
  const { __vitest_worker__: worker } = globalThis as { __vitest_worker__?: { config?: { root?: string } } }
  return worker?.config?.root ?? process.cwd()
}
