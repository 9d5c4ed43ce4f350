/**
 * What the text of a whole script tells about the place of one function in it. Asked by the finder where V8's
 * scopes leave a question open; parses a script once, and only then.
 */
import type * as Acorn from 'acorn'
import { declareLexical, declarePattern, declareVariables } from './declare.ts'
import type { Inspection } from '../walk/inspector.ts'
import { parseScript } from './parse.ts'
import type { ScriptInfo } from '../walk/scripts.ts'
import type { Cell } from '../unit.ts'
import { viteModule } from '../names/vite.ts'

/** The parameters that Node gives to a CommonJS module. */
const wrapperNames = ['exports', 'require', 'module', '__filename', '__dirname']

/** Names that the top level of a script has, and names around it. */
interface TopLevelNames {
  readonly wrapper: ReadonlySet<string>
  readonly names: ReadonlySet<string>
}

const topLevels = new WeakMap<ScriptInfo, TopLevelNames>()

/** The top level of a script that is not an ES module, or around it what hands something in. */
export type TopLevel = 'module' | 'wrapper'

/** Which of them a scope with these variables can be. */
export function topLevelOf(
  info: ScriptInfo,
  names: readonly string[],
  inspection: Inspection,
): TopLevel | undefined {
  let known: TopLevelNames | undefined = viteModule(info, inspection) ?? topLevels.get(info)
  if (known === undefined) topLevels.set(info, (known = topLevelNames(inspection.source(info))))
  const { wrapper, names: all } = known
  if (names.every((name) => wrapper.has(name))) return 'wrapper'
  return names.every((name) => all.has(name)) ? 'module' : undefined
}

function topLevelNames(source: string): TopLevelNames {
  const around = new Set(wrapperNames)
  const names = new Set(wrapperNames)
  try {
    const { body } = parseScript(source, false)
    const inner = onlyFunction(body)
    if (inner === undefined) around.clear()
    declareAll(body, inner === undefined ? names : around)
    for (const name of around) names.add(name)
    if (inner !== undefined) declareAll(inner, names)
  } catch {
    // A script that V8 took and acorn does not: its scopes are told apart by their values, as nested ones
    // are.
    around.clear()
    names.clear()
  }
  return { wrapper: around, names }
}

function declareAll(body: readonly Acorn.AnyNode[], names: Set<string>): void {
  declareVariables(body, names, true)
  declareLexical(body, names)
}

/** The body of the function that a script is, called at once, as tools write it: `(() => { … })()`. */
function onlyFunction(
  body: readonly (Acorn.Statement | Acorn.ModuleDeclaration)[],
): Acorn.Statement[] | undefined {
  const calls = body.flatMap((one) =>
    one.type === 'ExpressionStatement' && one.expression.type === 'CallExpression' ? [one.expression] : [],
  )
  const callee = calls.length === 1 ? calls[0]?.callee : undefined
  if (callee?.type !== 'ArrowFunctionExpression' && callee?.type !== 'FunctionExpression') return undefined
  return callee.params.length === 0 && callee.body.type === 'BlockStatement' ? callee.body.body : undefined
}

/**
 * What `this` is around an arrow: the module's, that of an object or class in a field, or some function's.
 */
export type Enclosing = 'module' | 'field' | 'static' | 'function'

/** What stands around the function at this offset of the script's source. */
export function enclosing(source: string, offset: number): Enclosing {
  let found: Enclosing = 'module'
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit)
    if (typeof value !== 'object' || value === null || typeof (value as Acorn.Node).type !== 'string') return
    const one = value as Acorn.AnyNode
    if (one.start > offset || one.end <= offset) return
    if (one.type === 'PropertyDefinition' && one.value != null && one.value.start <= offset)
      found = one.static ? 'static' : 'field'
    else if (one.type === 'StaticBlock') found = 'static'
    else if (one.type === 'FunctionExpression' || one.type === 'FunctionDeclaration') found = 'function'
    Object.values(one).forEach(visit)
  }
  try {
    visit(parseScript(source, true))
    return found
  } catch {
    return 'function'
  }
}

/**
 * Whether a variable of this name, which shows as undefined, is rather one whose declaration was not reached
 * yet: every declaration of it gives it something that is never undefined. Node 20 shows no difference.
 */
export function isSurelyDefined(info: ScriptInfo, name: string): boolean {
  let names = sureNames.get(info)
  if (names === undefined) sureNames.set(info, (names = new Map()))
  let sure = names.get(name)
  if (sure === undefined) names.set(name, (sure = readSurely(info.source ?? '', name)))
  return sure
}

const sureNames = new WeakMap<ScriptInfo, Map<string, boolean>>()

function readSurely(source: string, name: string): boolean {
  let sure = 0
  let unsure = 0
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit)
    if (typeof value !== 'object' || value === null || typeof (value as Acorn.Node).type !== 'string') return
    const one = value as Acorn.AnyNode
    if (one.type === 'ClassDeclaration' && one.id?.name === name) sure++
    else if (one.type === 'VariableDeclaration')
      for (const { id, init } of one.declarations) {
        const names = new Set<string>()
        declarePattern(id, names)
        if (!names.has(name)) continue
        if (one.kind === 'const' && id.type === 'Identifier' && init != null && isNeverUndefined(init)) sure++
        else unsure++
      }
    else if ('params' in one) {
      const names = new Set<string>()
      for (const parameter of one.params) declarePattern(parameter, names)
      if (names.has(name)) unsure++
    }
    Object.values(one).forEach(visit)
  }
  try {
    visit(parseScript(source, true))
    return sure > 0 && unsure === 0
  } catch {
    return false
  }
}

/**
 * Whether some text of the script looks as if it assigned to a variable of this name. Only looks: where it is
 * wrong, a variable is kept in a box for nothing, or a class and functions that arrive later do not share it.
 */
export function mayBeAssigned(info: ScriptInfo, cell: Cell, inspection: Inspection): boolean {
  const { name, assigned, owned, reference, volatile } = cell
  if (owned !== undefined || reference !== undefined || volatile === true || name === 'this') return false
  if (assigned) return true
  let names = assignments.get(info)
  if (names === undefined) assignments.set(info, (names = new Map()))
  let found = names.get(name)
  if (found === undefined) {
    const word = name.replace(/\$/g, '\\$&')
    const operator = String.raw`(?:\+\+|--|(?:[-+*/%&|^]|\*\*|<<|>>>?|&&|\|\||\?\?)?=(?![=>]))`
    const assignment = String.raw`(?<!(?:const|let|var)\s+|[\w$.])${word}\s*${operator}`
    const update = String.raw`(?:\+\+|--)${word}(?![\w$])`
    found = new RegExp(`${assignment}|${update}`).test(inspection.source(info))
    names.set(name, found)
  }
  return found
}

const assignments = new WeakMap<ScriptInfo, Map<string, boolean>>()

const neverUndefined =
  /^(?:Literal|TemplateLiteral|(?:Array|Object|Function|ArrowFunction|Class|New|Binary|Update)Expression)$/

function isNeverUndefined({ type }: Acorn.Expression): boolean {
  return neverUndefined.test(type)
}
