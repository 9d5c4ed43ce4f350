/**
 * Which functions and imports travel by name, as exports of modules. Asked by capture. Of the entry, whose
 * code never runs in a worker, and of modules that lead to it nothing does. Imports no module.
 */
import { isBuiltin } from 'node:module'
import { fileURLToPath } from 'node:url'
import { cannotSend } from '../../codec/path.ts'
import { lookUp, type ScopeCells } from '../walk/cells.ts'
import { findCommonjsExport } from './commonjs.ts'
import { explainCycle, leadsToEntry } from './cycle.ts'
import { isEntryUrl } from './entry.ts'
import { findImport, readTables } from './imports.ts'
import type { Inspection } from '../walk/inspector.ts'
import { locate } from './locate.ts'
import type { ScriptInfo } from '../walk/scripts.ts'
import { findOwnExport, viteImport, viteModule } from './vite.ts'
import type { Analysis } from '../unit.ts'
import { reference, type Reference } from '../wire.ts'

const exported = new WeakMap<Function, Reference>()

/**
 * How a worker gets what a module-level name is imported from; undefined where the name is no import, or one
 * from the entry or a module that leads to it.
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
  // What would come that way travels itself.
  const module = locate(specifier, info.url)
  if (module !== undefined && leadsToEntry(module, inspection)) return undefined
  return [reference.module, info.url, specifier, attributes, found.name, []]
}

/**
 * Refuses a function whose text imports, in plain words, a module that leads to the entry: a worker that
 * calls it would run the program again.
 */
export function refuseImports(
  text: string,
  { imports, free }: Analysis,
  info: ScriptInfo,
  inspection: Inspection,
  subject: string,
): void {
  const requires = info.isModule ? [] : (free.get('require')?.uses ?? [])
  for (const { start } of [...imports, ...requires]) {
    const specifier = /^\w+\s*\(\s*(['"`])([^'"`$\n]+)\1/.exec(text.slice(start))?.[2]
    const module = specifier === undefined ? undefined : locate(specifier, info.url)
    if (module === undefined || !leadsToEntry(module, inspection)) continue
    throw cannotSend(
      `${subject} imports ${specifier}, which would run the program again in the worker`,
      explainCycle(module) ?? explainCycle(info.url) ?? 'Move what both need into a module of its own',
    )
  }
}

/**
 * The reference to a function that a module exports; undefined where it travels by value.
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
  if (found === undefined || leadsToEntry(info.url, inspection)) return undefined
  exported.set(fn, found)
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
