/**
 * The examples of the documentation as programs: every ```ts block of a Markdown file or of a TSDoc
 * `@example`. A trailing `// => value` becomes an assertion, and `// throws Name` too; names of plait that an
 * example uses without importing them are imported. test/house/docs.test.ts runs what comes out.
 */
import { parseSource, walk, type Node, type Source } from './sources.ts'

/** One example, where it stands, and its text as written. */
export interface Example {
  readonly place: string
  readonly text: string
}

/** Every ```ts block in a Markdown file, or in the TSDoc of a TypeScript file. */
export function examplesIn(source: Source): Example[] {
  const found: Example[] = []
  const lines = source.text.split('\n')
  const strip = source.path.endsWith('.md') ? /^/ : /^ *\* ?/
  let open: { line: number; text: string[] } | undefined
  for (const [index, whole] of lines.entries()) {
    const line = whole.replace(strip, '')
    if (open === undefined) {
      if (/^ *```ts\b/.test(line)) open = { line: index + 1, text: [] }
    } else if (/^ *```/.test(line)) {
      found.push({ place: `${source.path}:${open.line}`, text: open.text.join('\n') })
      open = undefined
    } else open.text.push(line)
  }
  if (open !== undefined) throw new Error(`${source.path}:${open.line}: the example has no closing fence`)
  return found
}

/** The example as a TypeScript module; `names` are what plait exports. */
export function programOf(example: Example, names: readonly string[]): string {
  const tree = parseSource({ path: example.place, text: example.text })
  const edits = notesOf(tree).map((note) => assertion(example, tree, note))
  let text = example.text
  for (const { start, end, by } of edits.toSorted((a, b) => b.start - a.start))
    text = text.slice(0, start) + by + text.slice(end)
  const missing = missingNames(tree, names)
  return [
    `import { deepStrictEqual as $is, rejects as $throws } from 'node:assert/strict'`,
    ...(missing.length > 0 ? [`import { ${missing.join(', ')} } from 'plait'`] : []),
    text,
    'export {}',
    '',
  ].join('\n')
}

/** A trailing comment that claims something. */
interface Note {
  readonly start: number
  readonly line: number
  readonly claim: 'is' | 'throws'
  readonly value: string
}

function notesOf(tree: Node): Note[] {
  const comments = tree['comments'] as (Node & { value: string })[]
  return comments.flatMap(({ type, value, start, loc }) => {
    const match = type === 'CommentLine' ? /^ *(=>|throws) +(.+?) *$/.exec(value) : null
    if (match === null) return []
    const claim = match[1] === '=>' ? 'is' : 'throws'
    return [{ start, line: loc.start.line, claim, value: match[2] }]
  })
}

/** The edit that makes a note true or fails: it replaces the statement that ends on the note's line. */
function assertion(example: Example, tree: Node, note: Note): { start: number; end: number; by: string } {
  let statement: Node | undefined
  walk(tree, (node) => {
    const fits =
      /^(ExpressionStatement|VariableDeclaration)$/.test(node.type) && node.loc.end.line === note.line
    // Children come after their parents: the last one that fits is the innermost.
    if (fits && node.end <= note.start) statement = node
  })
  if (statement === undefined)
    throw new Error(`${example.place}: no statement ends where "// => ${note.value}" stands`)
  const { start, end } = statement
  if (statement.type === 'VariableDeclaration') {
    const [declared] = statement['declarations'] as Node[]
    const id = declared?.['id'] as Node & { name?: string }
    if (id.name === undefined || note.claim !== 'is')
      throw new Error(`${example.place}: "// => ${note.value}" needs one plain variable, or an expression`)
    return { start: end, end, by: `; $is(${id.name}, ${note.value})` }
  }
  const value = valueOf(example, statement)
  if (note.claim === 'throws') {
    const check = `$throws(async () => await (${value}), { name: ${JSON.stringify(note.value)} })`
    return { start, end, by: `await ${check}` }
  }
  return { start, end, by: `$is(${value}, ${note.value})` }
}

/** What a statement's note speaks of: the expression itself, or what console.log is given. */
function valueOf(example: Example, statement: Node): string {
  const expression = statement['expression'] as Node
  const logged = expression.type === 'CallExpression' ? (expression['arguments'] as Node[]) : []
  const text = example.text.slice(expression.start, expression.end)
  const [only] = logged
  return text.startsWith('console.log(') && only !== undefined && logged.length === 1
    ? example.text.slice(only.start, only.end)
    : text
}

/** Names of plait that the example uses and does not bind. */
function missingNames(tree: Node, names: readonly string[]): string[] {
  const used = new Set<string>()
  const bound = new Set<string>()
  walk(tree, (node) => {
    if (node.type === 'Identifier') used.add(node['name'] as string)
    const binder = /^(Import.*Specifier|VariableDeclarator|ClassDeclaration|FunctionDeclaration)$/.test(
      node.type,
    )
    const id = (node['local'] ?? node['id']) as { name?: string } | null | undefined
    if (binder && id?.name !== undefined) bound.add(id.name)
  })
  return names.filter((name) => used.has(name) && !bound.has(name))
}
