/**
 * The project's own source files as the house's tests see them: text, syntax tree, and what each one imports.
 * Called by floors.ts and tidy.ts; it judges nothing.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from '@babel/parser'

/** The root of the checkout, seen from build/tools/. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Any node of the syntax tree; only what is used here is typed. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly loc: { readonly start: { readonly line: number }; readonly end: { readonly line: number } }
  readonly [key: string]: unknown
}

/** One source file; `path` is relative to the root, with forward slashes. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** One import, of whatever form, types included. */
export interface Import {
  readonly specifier: string
  readonly line: number
  readonly form: 'import' | 'import type' | 'export from' | 'export type from' | 'import()' | 'type import()'
}

/**
 * All files below `folders` whose names end as said, sorted; fixtures are programs of their own and left out.
 */
export function readSources(folders: readonly string[], endings: readonly string[] = ['.ts']): Source[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (file) => `${folder}/${file.replaceAll('\\', '/')}`,
      ),
    )
    .filter((path) => endings.some((ending) => path.endsWith(ending)) && !path.includes('/fixtures/'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** The syntax tree of a TypeScript or JavaScript module. */
export function parseSource(source: Source): Node {
  try {
    return parse(source.text, {
      sourceType: 'module',
      plugins: ['typescript', 'explicitResourceManagement'],
      errorRecovery: false,
      createImportExpressions: true,
    }) as unknown as Node
  } catch (error) {
    throw new Error(`${source.path} cannot be parsed: ${(error as Error).message}`, { cause: error })
  }
}

/** Calls `visit` for every node below `node`, parents first. */
export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node)
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) {
      for (const each of value) if (isNode(each)) walk(each, visit)
    } else if (isNode(value)) walk(value, visit)
  }
}

/** Everything that `source` imports, in the order of its text. */
export function importsOf(source: Source): Import[] {
  const found: Import[] = []
  walk(parseSource(source), (node) => {
    const form = formOf(node)
    if (form === undefined) return
    const from = (node['source'] ?? node['argument']) as Node | null | undefined
    if (from === null || from === undefined) return
    const literal = from.type === 'TSLiteralType' ? (from['literal'] as Node) : from
    // `import(url)` of a computed place is data, not an arrow.
    if (typeof literal['value'] !== 'string') return
    found.push({ specifier: literal['value'], line: node.loc.start.line, form })
  })
  return found
}

function formOf(node: Node): Import['form'] | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
      return node['importKind'] === 'type' ? 'import type' : 'import'
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return node['exportKind'] === 'type' ? 'export type from' : 'export from'
    case 'ImportExpression':
      return 'import()'
    case 'TSImportType':
      return 'type import()'
    default:
      return undefined
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}
