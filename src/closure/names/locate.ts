/**
 * Which of the program's own files a specifier means. Its own are the files of the package that its entry
 * belongs to: packages in node_modules do not import the programs that use them. Asked by cycle and modules;
 * reads nothing of a file but whether it is there.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { entryFiles, isEntryUrl } from './entry.ts'
import { scripts, type ScriptInfo } from '../walk/scripts.ts'

/** The program's own file that `specifier` means in the module at `from`; undefined for all else. */
export function locate(specifier: string, from: string): string | undefined {
  if (isBuiltin(specifier)) return undefined
  try {
    if (/^(?:\.{0,2}\/|\.{1,2}$|file:)/.test(specifier)) return findFile(bare(new URL(specifier, from).href))
    if (!specifier.startsWith('#') && !namesOwnPackage(specifier)) return undefined
    return pathToFileURL(createRequire(from).resolve(specifier)).href
  } catch {
    return undefined
  }
}

/** A module's url without what is not its file's: `?version=2`. */
export function bare(url: string): string {
  const end = url.search(/[?#]/)
  return end < 0 ? url : url.slice(0, end)
}

// ── what is the program's own ──

let packages: ReadonlySet<string> | undefined

/** Whether a file belongs to the package of the entry; where there is no entry, none does. */
export function isOwn(url: string): boolean {
  if (!url.startsWith('file:')) return false
  packages ??= new Set(entryFiles().map((file) => packageOf(pathToFileURL(file).href)))
  return packages.has(packageOf(url))
}

/** Where in node_modules it lies; '' outside. */
function packageOf(url: string): string {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+\//.exec(url)?.[0] ?? ''
}

let ownNames: readonly string[] | undefined

/** A package can import itself by its name. */
function namesOwnPackage(specifier: string): boolean {
  ownNames ??= entryFiles().flatMap((file) => nameAround(dirname(file)) ?? [])
  return ownNames.some((name) => specifier === name || specifier.startsWith(`${name}/`))
}

function nameAround(folder: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: string }).name
  } catch {
    return dirname(folder) === folder ? undefined : nameAround(dirname(folder))
  }
}

// ── files ──

/** Loaders find TypeScript under the name of what is compiled from it, and files without their endings. */
const endings: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\.js$/, ['.ts', '.tsx']],
  [/\.jsx$/, ['.tsx']],
  [/\.mjs$/, ['.mts']],
  [/\.cjs$/, ['.cts']],
  [/\/?$/, ['.ts', '.tsx', '.js', '.jsx', '/index.ts', '/index.tsx', '/index.js']],
]

function findFile(href: string): string | undefined {
  const found = findExact(href)
  if (found !== undefined) return found
  for (const [ending, others] of endings) {
    if (!ending.test(href)) continue
    for (const other of others) {
      const file = findExact(href.replace(ending, other))
      if (file !== undefined) return file
    }
  }
  return undefined
}

function findExact(href: string): string | undefined {
  if (loadedModules().has(href) || isEntryUrl(href)) return href
  const path = fileURLToPath(href)
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
    ? pathToFileURL(realpathSync(path)).href
    : undefined
}

let byUrl: ReadonlyMap<string, ScriptInfo> = new Map()
let scriptsSeen = 0

/** Scripts that are files, by url. */
export function loadedModules(): ReadonlyMap<string, ScriptInfo> {
  if (scripts.size !== scriptsSeen) {
    scriptsSeen = scripts.size
    // What is revived of a file, and what imports in its name, has its url too, and came after it.
    const files = [...scripts.values()].filter(({ url }) => url.startsWith('file:'))
    files.sort((a, b) => Number(b.id) - Number(a.id))
    byUrl = new Map(files.map((info) => [bare(info.url), info]))
  }
  return byUrl
}
