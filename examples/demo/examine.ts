/**
 * What the demo wants to know about one source file: a parse, a walk over the tree, a gzip. Plain code that
 * knows nothing of workers; main.ts calls it from a closure in the pool, and once more in its own process to
 * compare.
 */
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { parse, type ParserPlugin } from '@babel/parser'
import jsTokens from 'js-tokens'

/** What was found in one file. */
export interface Findings {
  readonly bytes: number
  readonly gzipped: number
  readonly tokens: number
  readonly functions: number
  readonly longest: { readonly name: string; readonly line: number; readonly lines: number }
}

/**
 * What was found, or why nothing could be: one file that cannot be read or parsed must not stop the others.
 */
export type Outcome = Findings | Problem
export interface Problem {
  readonly problem: 'unreadable' | 'too large' | 'unparsable'
  readonly message: string
}

/** The tree of a larger file would not fit into a process of ordinary size. */
const mostBytes = 32e6

/** Reads, parses and measures one file. */
export function examine(path: string): Outcome {
  let source: Buffer
  try {
    source = readFileSync(path)
  } catch (error) {
    return { problem: 'unreadable', message: (error as Error).message }
  }
  if (source.length > mostBytes) return { problem: 'too large', message: `${source.length} bytes` }
  try {
    return { bytes: source.length, gzipped: gzipSync(source).length, ...measure(path, source.toString()) }
  } catch (error) {
    return { problem: 'unparsable', message: (error as Error).message }
  }
}

function measure(path: string, text: string): Pick<Findings, 'tokens' | 'functions' | 'longest'> {
  const tree = parse(text, {
    sourceType: 'unambiguous',
    plugins: pluginsFor(path),
    attachComment: false,
    allowReturnOutsideFunction: true,
    allowUndeclaredExports: true,
  })
  let functions = 0
  let longest: Findings['longest'] = { name: '', line: 0, lines: 0 }
  visit(tree.program, '', (node, name) => {
    functions++
    const { start, end } = node.loc
    const lines = end.line - start.line + 1
    if (lines > longest.lines) longest = { name: name || '(anonymous)', line: start.line, lines }
  })
  return { tokens: countTokens(path, text), functions, longest }
}

/** Counted one by one: the parser would keep the tokens of a large file in memory all at once. */
function countTokens(path: string, text: string): number {
  let count = 0
  for (const { type } of jsTokens(text, { jsx: path.endsWith('x') }))
    if (type !== 'WhiteSpace' && type !== 'LineTerminatorSequence' && !type.endsWith('Comment')) count++
  return count
}

/** TypeScript where the name says so; JSX wherever it cannot be mistaken for a type. */
function pluginsFor(path: string): ParserPlugin[] {
  if (/\.d\.[cm]?ts$/.test(path)) return [['typescript', { dts: true }]]
  if (/\.[cm]?ts$/.test(path)) return ['typescript', 'decorators']
  return path.endsWith('.tsx') ? ['typescript', 'jsx', 'decorators'] : ['jsx', 'decorators']
}

interface Node {
  readonly type: string
  readonly loc: { readonly start: { readonly line: number }; readonly end: { readonly line: number } }
  readonly id?: { readonly name?: string } | null
  readonly key?: { readonly name?: string }
}

/** Calls `found` for each function below `node`, with the name it has or is given. */
function visit(node: object, name: string, found: (node: Node, name: string) => void): void {
  const { type, id, key } = node as Node
  const own = id?.name ?? key?.name ?? name
  if (/Function|Method$/.test(type)) found(node as Node, own)
  for (const value of Object.values(node)) {
    if (typeof value !== 'object' || value === null) continue
    if (Array.isArray(value)) {
      for (const each of value) if (isNode(each)) visit(each, '', found)
    } else if (isNode(value)) visit(value, own, found)
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}
