/**
 * Which modules lead back to the program's entry: those that import it, or import one that does. A worker
 * that imported such a module would run the entry, so its functions, classes and variables travel by value,
 * like the entry's own. Asked by modules and names before anything travels by name. Looks at the program's
 * own files only, from the module that is asked for; imports nothing.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type * as Acorn from 'acorn'
import { isCommonjs } from './commonjs.ts'
import { isEntryUrl, require } from './entry.ts'
import type { Inspection } from '../walk/inspector.ts'
import { bare, isOwn, loadedModules, locate } from './locate.ts'
import { loadLexer, parseScript } from '../text/parse.ts'

/** From a module to the entry, both ends included. */
type Chain = readonly string[]

const chains = new Map<string, Chain>()
/** Modules that do not lead there: what a file imports does not change while its program runs. */
const clean = new Set<string>()

/** Whether a worker that imports the module at `url` would run the entry. */
export function leadsToEntry(url: string, inspection: Inspection | null): boolean {
  const start = bare(url)
  if (chains.has(start)) return true
  if (clean.has(start) || !isOwn(start)) return false
  // Files tell quickly that there is no way. That there is one only what was loaded tells: types are erased.
  const chain = search(start, roughImports) && search(start, (module) => exactImports(module, inspection))
  if (chain !== undefined) chains.set(start, chain)
  return chain !== undefined
}

/** Why a module that leads to the entry cannot travel by name, and what to do; undefined for every other. */
export function explainCycle(url: string): string | undefined {
  const chain = chains.get(bare(url))
  if (chain === undefined || chain.length < 2) return undefined
  const names = [chain.at(-1) as string, ...chain].map((one) => one.slice(one.lastIndexOf('/') + 1))
  return (
    `A worker that imports ${names[1]} would run the program again (${names.join(' → ')}): ` +
    'move what both need into a module of its own'
  )
}

/** What a module imports, as far as that can be known before it is loaded. */
interface Imports {
  readonly urls: readonly string[]
  readonly final: boolean
}
type ImportsOf = (url: string) => Imports

/** The shortest way to the entry. */
function search(start: string, importsOf: ImportsOf): Chain | undefined {
  let final = true
  const cameFrom = new Map<string, string | undefined>([[start, undefined]])
  for (const module of cameFrom.keys()) {
    if (isEntryUrl(module)) return wayTo(module, cameFrom)
    const imports = importsOf(module)
    final &&= imports.final
    for (const next of imports.urls) if (!clean.has(next) && !cameFrom.has(next)) cameFrom.set(next, module)
  }
  if (final) for (const module of cameFrom.keys()) clean.add(module)
  return undefined
}

function wayTo(end: string, cameFrom: ReadonlyMap<string, string | undefined>): Chain {
  const way = [end]
  for (let at = cameFrom.get(end); at !== undefined; at = cameFrom.get(at)) way.unshift(at)
  return way
}

// ── what a module imports ──

const rough = new Map<string, Imports>()
const exact = new Map<string, Imports>()

const comment = String.raw`\/\*(?:[^*]|\*(?!\/))*\*\/|\/\/[^\n]*\n`
/** All that may be an import in a text, if only in a comment. */
const mayImport = new RegExp(
  String.raw`\b(?:from|import|require)(?:[\s(]|${comment})*(['"\`])([^'"\`\n]+)\1`,
  'g',
)

function roughImports(url: string): Imports {
  const read = (): string[] => Array.from(textOf(url).matchAll(mayImport), (match) => match[2] as string)
  return keep(rough, url, true, read)
}

function exactImports(url: string, inspection: Inspection | null): Imports {
  const info = inspection === null ? undefined : loadedModules().get(url)
  if (info !== undefined && inspection !== null)
    return keep(exact, url, true, () => readImports(inspection.source(info), isCommonjs(url)))
  // Which imports of TypeScript are types, and what kind of module another is, is seen when it is loaded.
  return keep(exact, url, isNoCode(url), () => (isTypeScript(url) ? [] : readImports(textOf(url), true)))
}

function keep(
  known: Map<string, Imports>,
  url: string,
  final: boolean,
  read: () => readonly string[],
): Imports {
  const found = known.get(url)
  if (found !== undefined) return found
  const all = [...read().flatMap((specifier) => locate(specifier, url) ?? []), ...required(url)]
  const imports = { urls: all.filter(isOwn), final }
  if (final) known.set(url, imports)
  return imports
}

/** Also those of `import()` and `require` that say plainly what: they would run the entry later. */
function readImports(text: string, mayRequire: boolean): readonly string[] {
  try {
    const [imports] = loadLexer().parse(text)
    const specifiers = imports.flatMap((one) =>
      'typeOnly' in one && one.typeOnly ? [] : (one.specifier ?? []),
    )
    return mayRequire ? [...specifiers, ...readRequires(text)] : specifiers
  } catch {
    return []
  }
}

function readRequires(text: string): readonly string[] {
  const specifiers: string[] = []
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit)
    if (typeof value !== 'object' || value === null || typeof (value as Acorn.Node).type !== 'string') return
    const one = value as Acorn.AnyNode
    if (one.type === 'CallExpression' && one.callee.type === 'Identifier' && one.callee.name === 'require') {
      const [specifier] = one.arguments
      if (specifier?.type === 'Literal' && typeof specifier.value === 'string')
        specifiers.push(specifier.value)
    }
    Object.values(one).forEach(visit)
  }
  visit(parseScript(text, false))
  return specifiers
}

/** What a CommonJS module has required so far. */
function required(url: string): readonly string[] {
  const module = isCommonjs(url) ? require().cache[fileURLToPath(url)] : undefined
  // Node keeps JSON that was imported there too, and of that no more than its value.
  const children: readonly NodeJS.Module[] = (module as Partial<NodeJS.Module> | undefined)?.children ?? []
  return children.map(({ filename }) => pathToFileURL(filename).href)
}

function isTypeScript(url: string): boolean {
  return /\.[cm]?tsx?$/.test(url)
}

function isNoCode(url: string): boolean {
  return /\.(?:json|node|wasm)$/.test(url)
}

function textOf(url: string): string {
  if (isNoCode(url)) return ''
  try {
    return readFileSync(fileURLToPath(url), 'utf8')
  } catch {
    return ''
  }
}
