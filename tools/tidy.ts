/**
 * The house style as far as a machine can hold it: how files open, how long they, their functions and their
 * lines may be, and what must not be left behind. Called by test/house/tidy.test.ts; what the formatter and
 * the linter see is not repeated here.
 */
import { parseSource, walk, type Source } from './sources.ts'

const mostFileLines = 400
const mostFunctionLines = 70
const mostColumns = 110

/**
 * Shorter than this, the opening comment does not say what the file is, who calls it and what it never does.
 */
const leastOpening = 60

/** Rules that one file may break, each with its reason: 'path': { rule: reason }. */
export const exceptions: Readonly<Record<string, Readonly<Partial<Record<Rule, string>>>>> = {
  'src/memory/atomics.ts': { atomics: 'it is where they are' },
  'src/subprocess/run-sync.ts': { atomics: 'a floor below memory/, and it only sleeps: no word is shared' },
  'src/closure/names/wellknown.ts': { atomics: 'it lists the names that Node has' },
  'tools/tidy.ts': { leftover: 'it has to name what it looks for' },
  'test/house/tidy.test.ts': { leftover: 'it has to show what is looked for' },
}

type Rule = 'opening' | 'file length' | 'function length' | 'line length' | 'leftover' | 'atomics'

interface Finding {
  readonly rule: Rule
  readonly line: number
  readonly says: string
}

/** What is untidy, each as one sentence that says what to do instead. */
export function tidyViolations(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    findings(source)
      .filter(({ rule }) => exceptions[source.path]?.[rule] === undefined)
      .map(({ line, says }) => `${source.path}:${line}: ${says}`),
  )
}

/** Exceptions that no file needs any more: a list that only grows hides what it once explained. */
export function idleExceptions(sources: readonly Source[]): string[] {
  const found = new Set(
    sources.flatMap((source) => findings(source).map(({ rule }) => `${source.path}: ${rule}`)),
  )
  return Object.entries(exceptions)
    .flatMap(([path, rules]) => Object.keys(rules).map((rule) => `${path}: ${rule}`))
    .filter((each) => !found.has(each))
}

function findings(source: Source): Finding[] {
  const lines = source.text.trimEnd().split('\n')
  return [
    ...opening(source),
    ...lengths(lines),
    ...functionLengths(source),
    ...leftovers(source.path, lines),
    ...atomics(source.path, lines),
  ]
}

function opening({ text }: Source): Finding[] {
  const comment =
    /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//
      .exec(text)?.[1]
      ?.replace(/\s*\n\s*\*\s*/g, ' ')
      .trim() ?? ''
  if (comment.length >= leastOpening) return []
  const says = 'open the file with a /** paragraph */: what it is, who calls it, what it never does'
  return [{ rule: 'opening', line: 1, says }]
}

function lengths(lines: readonly string[]): Finding[] {
  const found: Finding[] = []
  if (lines.length > mostFileLines)
    found.push({
      rule: 'file length',
      line: mostFileLines,
      says: `${lines.length} lines: split it, ${mostFileLines} is the most (aim at 250)`,
    })
  for (const [index, line] of lines.entries())
    if (line.length > mostColumns)
      found.push({
        rule: 'line length',
        line: index + 1,
        says: `${line.length} columns: break it, ${mostColumns} is the most`,
      })
  return found
}

/** In tests and benchmarks a long table of cases may stand in one function. */
function functionLengths(source: Source): Finding[] {
  if (/^(test|bench)\//.test(source.path)) return []
  const found: Finding[] = []
  walk(parseSource(source), (node) => {
    if (!/Function|^(Object|Class|ClassPrivate)Method$/.test(node.type) || node.loc === undefined) return
    const length = node.loc.end.line - node.loc.start.line + 1
    if (length > mostFunctionLines)
      found.push({
        rule: 'function length',
        line: node.loc.start.line,
        says: `a function of ${length} lines: name its steps, ${mostFunctionLines} is the most`,
      })
  })
  return found
}

function leftovers(path: string, lines: readonly string[]): Finding[] {
  const found: Finding[] = []
  const look = (pattern: RegExp, advice: string): void => {
    for (const [index, line] of lines.entries()) {
      const what = pattern.exec(line)?.[0]
      if (what !== undefined)
        found.push({ rule: 'leftover', line: index + 1, says: `${what.trim()}: ${advice}` })
    }
  }
  look(/\b(TODO|FIXME|XXX|HACK)\b/, 'do it now, or open an issue and say here what is so')
  look(/@ts-(ignore|nocheck)\b/, 'use @ts-expect-error with a reason, or mend the type')
  look(/^\s*debugger\b/, 'take it out')
  if (path.startsWith('test/'))
    look(/\b(test|it|describe)\.(only|skip|todo)\b/, 'run it, mend it, or remove it')
  return found
}

/** The model checker sees what goes through one file, and nothing else. */
function atomics(path: string, lines: readonly string[]): Finding[] {
  const says = 'Atomics: call those of src/memory/atomics.ts, which the model checker sees'
  if (!path.startsWith('src/')) return []
  return lines.flatMap((line, index) =>
    /\bAtomics\b/.test(line) ? [{ rule: 'atomics' as const, line: index + 1, says }] : [],
  )
}
