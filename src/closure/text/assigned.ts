/**
 * The names that a script ever assigns to, wherever: a variable whose name is not among them keeps its first
 * value. Asked by stable, once per script; by name alone, which errs on the safe side.
 */
import type * as Acorn from 'acorn'
import { declarePattern } from './declare.ts'
import { parseScript } from './parse.ts'
import type { ScriptInfo } from '../walk/scripts.ts'

const known = new WeakMap<ScriptInfo, ReadonlySet<string> | null>()
/** Reading more than this costs longer than many captures. */
const longestSource = 2_000_000

/** Undefined where it cannot be known. */
export function assignedNames(info: ScriptInfo): ReadonlySet<string> | undefined {
  let names = known.get(info)
  if (names === undefined) known.set(info, (names = readNames(info.source ?? '')))
  return names ?? undefined
}

function readNames(source: string): ReadonlySet<string> | null {
  if (source === '' || source.length > longestSource || /\beval\s*\(/.test(source)) return null
  const names = new Set<string>()
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit)
    if (typeof value !== 'object' || value === null || typeof (value as Acorn.Node).type !== 'string') return
    const one = value as Acorn.AnyNode
    const target = targetOf(one)
    if (target !== undefined) declarePattern(target, names)
    Object.values(one).forEach(visit)
  }
  try {
    visit(parseScript(source, true))
    return names
  } catch {
    return null
  }
}

/** What a node assigns to; a `var` with a value may run twice. */
function targetOf(node: Acorn.AnyNode): Acorn.Pattern | undefined {
  switch (node.type) {
    case 'AssignmentExpression':
      return node.left
    case 'UpdateExpression':
      return node.argument as Acorn.Pattern
    case 'ForInStatement':
    case 'ForOfStatement':
      return node.left.type === 'VariableDeclaration' ? varOf(node.left) : node.left
    case 'VariableDeclaration':
      return node.declarations.some(({ init }) => init != null) ? varOf(node) : undefined
    default:
      return undefined
  }
}

function varOf({ kind, declarations }: Acorn.VariableDeclaration): Acorn.Pattern | undefined {
  if (kind !== 'var') return undefined
  return { type: 'ArrayPattern', elements: declarations.map(({ id }) => id), start: 0, end: 0 }
}
