/**
 * The text of a class, made ready to be made again elsewhere: the superclass is handed in, static values
 * and blocks are dropped (their results travel as data), and hooks in a `static {}` block reach #private
 * state. Called by layout for the edits and by capture for what the hooks will expect; pure, and knows no
 * values.
 *
 * Restoring an instance never runs a constructor of the user's. A class with #private instance members gets
 * a last private field whose initialiser, while an instance is being restored, throws: by then every
 * #member before it is on the instance, and nothing after it runs. A derived class puts its members on
 * whatever super() returns, so there the restorer stands in for the superclass and hands out the instance.
 */
import type * as Acorn from 'acorn'
import { blank } from './edits.ts'
import type { Analysis, Edit } from '../unit.ts'

/** What a class's text has that needs care; offsets are of the text. */
export interface ClassShape {
  /** It says `extends`. */
  readonly derived: boolean
  /**
   * #names of instance fields, with the '#', in the order of the text. Methods and accessors are not among
   * them.
   */
  readonly fields: readonly string[]
  /** The same of static fields. */
  readonly statics: readonly string[]
  /**
   * The first thing private that instances carry, with the '#': field, method or accessor; undefined where
   * nothing.
   */
  readonly brand: string | undefined
  /** How many members that stay in the text have a computed key (static fields do not stay). */
  readonly keys: number
}

/** Names of our own in the text; all absent from it. */
export interface ClassGlue {
  /** The superclass. */
  readonly parent: string
  /** Computed keys; null where the expression has to be evaluated. */
  readonly keys: string
  /** The object that takes the hooks. */
  readonly hooks: string
  /** Called by the last private field while an instance is restored; undefined at all other times. */
  readonly stop: string
}

type Member = Acorn.ClassBody['body'][number]
type Field = Acorn.PropertyDefinition

const shapes = new WeakMap<Analysis, ClassShape>()

/** The shape of a class. */
export function classShape(analysis: Analysis): ClassShape {
  let shape = shapes.get(analysis)
  if (shape === undefined) shapes.set(analysis, (shape = readShape(analysis.node as Acorn.Class)))
  return shape
}

function readShape(node: Acorn.Class): ClassShape {
  const fields: string[] = []
  const statics: string[] = []
  let brand: string | undefined
  let keys = 0
  for (const member of node.body.body) {
    if (member.type === 'StaticBlock') continue
    if (member.computed && !isStaticField(member)) keys++
    if (member.key.type !== 'PrivateIdentifier') continue
    if (!member.static) brand ??= `#${member.key.name}`
    if (isField(member)) (member.static ? statics : fields).push(`#${member.key.name}`)
  }
  return { derived: node.superClass != null, fields, statics, brand, keys }
}

/** Every edit that the class's text needs. */
export function classEdits(text: string, analysis: Analysis, glue: ClassGlue): Edit[] {
  const node = analysis.node as Acorn.Class
  const { shift } = analysis
  const shape = classShape(analysis)
  const edits: Edit[] = []
  const replace = (start: number, end: number, by: string): void => {
    edits.push({ start: start + shift, end: end + shift, text: by })
  }
  // A member may have ended the field before it, which has no semicolon of its own then.
  const blankOut = (start: number, end: number): void =>
    replace(start, end, blank(text.slice(start + shift, end + shift)).replace(/^ ?/, ';'))

  if (node.superClass != null) replaceHeritage(text, node, shift, glue.parent, edits)
  let key = 0
  for (const member of node.body.body) {
    if (member.type === 'StaticBlock') blankOut(member.start, member.end)
    else if (isStaticField(member)) {
      const { end } = member.key
      if (member.key.type !== 'PrivateIdentifier') blankOut(member.start, member.end)
      else if (member.value != null) blankOut(end, member.end)
    } else {
      if (member.computed) {
        replace(member.key.start, member.key.start, `${glue.keys}[${key++}]??(`)
        replace(member.key.end, member.key.end, ')')
      }
      if (shape.brand === undefined) continue
      if (isField(member) && member.value != null && hasEffects(member.value))
        replace(member.value.start, member.value.start, `${glue.stop}?void 0:`)
      if (shape.derived && isConstructor(member)) {
        const body = (member.value as Acorn.FunctionExpression).body.start + 1
        replace(body, body, `if(${glue.stop})super();`)
      }
    }
  }
  const end = node.body.end - 1
  const hooks = hookText(shape, glue)
  if (hooks !== '') replace(end, end, hooks)
  return edits
}

/** All between `extends` and the body, comments included, becomes the handed-in superclass. */
function replaceHeritage(
  text: string,
  node: Acorn.Class,
  shift: number,
  parent: string,
  edits: Edit[],
): void {
  // Parentheses around the expression are not part of its node: start behind the keyword, end at the brace.
  const from = (node.id?.end ?? node.start + 'class'.length) + shift
  const until = node.body.start + shift
  const keyword = /^(?:\s|\/\*[^]*?\*\/|\/\/[^\n\r\u2028\u2029]*)*extends/.exec(text.slice(from, until))
  const start = from + (keyword?.[0].length ?? 0)
  const room = blank(text.slice(start, until))
  const name = ` ${parent} `
  edits.push({
    start,
    end: until,
    text: room.startsWith(' '.repeat(name.length)) ? name + room.slice(name.length) : name + room,
  })
}

/** A reader and a writer of a list of fields. */
function accessors(hooks: string, kind: string, reads: string, writes: string, fields: string): string {
  return `${hooks}.get${kind}=(${reads})=>[${fields}];${hooks}.set${kind}=(${writes})=>{[${fields}]=v};`
}

function hookText(shape: ClassShape, glue: ClassGlue): string {
  const { hooks, stop } = glue
  const list = (names: readonly string[], of: string): string => names.map((name) => `${of}.${name}`).join()
  let body = ''
  if (shape.brand !== undefined) body += `${hooks}.has=o=>${shape.brand} in o;`
  if (shape.fields.length > 0) body += accessors(hooks, '', 'o', 'o,v', list(shape.fields, 'o'))
  if (shape.statics.length > 0) body += accessors(hooks, 'Static', '', 'v', list(shape.statics, 'this'))
  if (body === '') return ''
  return `;${shape.brand === undefined ? '' : `#${stop}=${stop}&&${stop}(this);`}static{${body}}`
}

function isField(member: Member): member is Field {
  return member.type === 'PropertyDefinition'
}

function isStaticField(member: Member): boolean {
  return isField(member) && member.static
}

function isConstructor(member: Member): boolean {
  return member.type === 'MethodDefinition' && member.kind === 'constructor'
}

/** Whether evaluating a field's value while an instance is restored could be noticed. */
function hasEffects(value: Acorn.Expression): boolean {
  switch (value.type) {
    case 'Literal':
    case 'Identifier':
    case 'ThisExpression':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return false
    case 'ArrayExpression':
      return value.elements.length > 0
    case 'ObjectExpression':
      return value.properties.length > 0
    case 'UnaryExpression':
      return value.argument.type !== 'Literal'
    default:
      return true
  }
}
