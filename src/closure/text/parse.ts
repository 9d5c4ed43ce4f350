/**
 * What a function's text alone tells: its form, the names it does not bind, and what of the method around it
 * an arrow uses. Called by capture for each new text, and by layout for what was revived; answers are kept by
 * text. Loads acorn at the first call, never at import. Knows no values: whether a free name is captured is
 * capture's business.
 */
import { createRequire } from 'node:module'
import type * as Acorn from 'acorn'
import type * as Lexer from 'es-module-lexer'
import { SerializationError } from '../../core/errors.ts'
import { resolveNames } from './scope.ts'
import type { Analysis } from '../unit.ts'

type Form = Analysis['form']

let acorn: typeof Acorn | undefined
let lexer: typeof Lexer | undefined

/** acorn, loaded once, synchronously. */
export function loadAcorn(): typeof Acorn {
  acorn ??= createRequire(import.meta.url)('acorn') as typeof Acorn
  return acorn
}

/** es-module-lexer, loaded once, synchronously. */
export function loadLexer(): typeof Lexer {
  // With --jitless there is no WebAssembly.
  const build = 'WebAssembly' in globalThis ? 'es-module-lexer' : 'es-module-lexer/js'
  lexer ??= createRequire(import.meta.url)(build) as typeof Lexer
  return lexer
}

/** The one function or class of a program; undefined where the text turned out to be something else. */
type Pick = (expression: Acorn.Expression) => Definition | undefined

interface Definition {
  readonly node: Acorn.Function | Acorn.Class
  readonly member: Acorn.Property | Acorn.MethodDefinition | undefined
}

/** How a text that is a slice of its script becomes a program of its own, in the order of likelihood. */
const wrappings: readonly (readonly [form: Form, before: string, after: string, pick: Pick])[] = [
  ['expression', '(', '\n)', pickExpression],
  ['method', '({', '\n})', pickProperty],
  ['class', '(class{', '\n})', pickMember],
  ['static', '(class{static ', '\n})', pickMember],
  // An arrow that uses the new.target of what is around it.
  ['expression', '(function(){(', '\n)})', pickInner],
]

/** Analyses by text, of strict and of sloppy code. Bounded: the oldest half goes when it is full. */
const known = { strict: new Map<string, Analysis>(), sloppy: new Map<string, Analysis>() }
const mostKnown = 5_000

/** Analyses the text of one function or class, a slice of a script that is `strict` as a whole or not. */
export function analyse(text: string, strict = true): Analysis {
  const table = strict ? known.strict : known.sloppy
  let analysis = table.get(text)
  if (analysis === undefined) {
    analysis = analyseAnew(text, strict)
    if (table.size >= mostKnown) dropOldest(table)
    table.set(text, analysis)
  }
  return analysis
}

function dropOldest(table: Map<string, Analysis>): void {
  let surplus = mostKnown >> 1
  for (const text of table.keys()) {
    table.delete(text)
    if (--surplus === 0) break
  }
}

function analyseAnew(text: string, strict: boolean): Analysis {
  // A parser that is not there is no fault of the text.
  loadAcorn()
  let firstError: unknown
  for (const [form, before, after, pick] of wrappings) {
    try {
      const program = parseScript(before + text + after, strict)
      const statement = program.body.length === 1 ? program.body[0] : undefined
      const found = statement?.type === 'ExpressionStatement' ? pick(statement.expression) : undefined
      if (found !== undefined) return resolveNames({ ...found, form, shift: -before.length, strict })
    } catch (error) {
      firstError ??= error
    }
  }
  throw new SerializationError(`the text of a function cannot be parsed: ${text.slice(0, 80)}`, {
    hint: 'plait reads ECMAScript 2026; decorators and other proposals have to be compiled first',
    cause: firstError,
  })
}

/** A whole script, or a text made one; an ES module too. */
export function parseScript(text: string, strict: boolean): Acorn.Program {
  return loadAcorn().parse(text, {
    ecmaVersion: 'latest',
    sourceType: 'script',
    strict,
    checkPrivateFields: false,
    allowSuperOutsideMethod: true,
    allowImportExportEverywhere: true,
    allowAwaitOutsideFunction: true,
    allowReserved: true,
  })
}

function pickExpression(expression: Acorn.Expression): Definition | undefined {
  switch (expression.type) {
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
    case 'ClassExpression':
      return { node: expression, member: undefined }
    default:
      return undefined
  }
}

function pickProperty(expression: Acorn.Expression): Definition | undefined {
  if (expression.type !== 'ObjectExpression' || expression.properties.length !== 1) return undefined
  const member = expression.properties[0]
  if (member?.type !== 'Property' || member.value.type !== 'FunctionExpression') return undefined
  return member.method || member.kind !== 'init' ? { node: member.value, member } : undefined
}

function pickMember(expression: Acorn.Expression): Definition | undefined {
  if (expression.type !== 'ClassExpression' || expression.body.body.length !== 1) return undefined
  const member = expression.body.body[0]
  return member?.type === 'MethodDefinition' ? { node: member.value, member } : undefined
}

function pickInner(expression: Acorn.Expression): Definition | undefined {
  if (expression.type !== 'FunctionExpression') return undefined
  const statement = expression.body.body[0]
  return statement?.type === 'ExpressionStatement' ? pickExpression(statement.expression) : undefined
}
