/**
 * What hangs on a function or class beyond what its text makes: own properties, statics, a patched prototype.
 * And the other way round: which key the text computed for a member. Asked by the walk; reads descriptors,
 * calls nothing.
 */
import type * as Acorn from 'acorn'
import type { Analysis, FreeName } from '../unit.ts'

/** One property that has to be sent. */
export interface OwnProperty {
  readonly key: string | symbol
  readonly descriptor: PropertyDescriptor
}

const nothing: readonly OwnProperty[] = []
const toText = Function.prototype.toString

/** Own properties of `fn` that evaluating its text does not make. */
export function ownProperties(fn: Function, text: string, analysis: Analysis): readonly OwnProperty[] {
  const keys = Reflect.ownKeys(fn)
  // length, name; prototype; of sloppy functions arguments and caller.
  if (keys.length <= 2) return nothing
  const made = analysis.kind === 'class' ? memberTexts(text, analysis, true) : undefined
  const given = (key: string | symbol): boolean =>
    isGiven(fn, key) && !(key === 'prototype' && isReplaced(fn, analysis))
  return keys.filter((key) => !given(key)).flatMap((key) => changed(fn, key, made))
}

/** Whether the `prototype` is not the one that the function was born with: `Type.prototype = { … }`. */
export function isReplaced(fn: Function, { kind, form, node }: Analysis): boolean {
  if (kind === 'class' || form !== 'expression' || ('generator' in node && node.generator)) return false
  const prototype = prototypeOf(fn)
  return prototype !== undefined && constructorOf(prototype) !== fn
}

/** The same of its `prototype`; `constructor` is left out where it points back. */
export function prototypeProperties(fn: Function, text: string, analysis: Analysis): readonly OwnProperty[] {
  const prototype = prototypeOf(fn)
  if (prototype === undefined || isReplaced(fn, analysis)) return nothing
  const keys = Reflect.ownKeys(prototype)
  if (keys.length === 0 || (keys.length === 1 && keys[0] === 'constructor')) return nothing
  const made = analysis.kind === 'class' ? memberTexts(text, analysis, false) : undefined
  return keys
    .filter((key) => key !== 'constructor' || descriptorOf(prototype, key).value !== fn)
    .flatMap((key) => changed(prototype, key, made))
}

/** A function's `prototype` object, where it has one. */
export function prototypeOf(fn: Function): object | undefined {
  const value = Object.getOwnPropertyDescriptor(fn, 'prototype')?.value as unknown
  return typeof value === 'object' && value !== null ? value : undefined
}

/** The constructor whose `prototype` this is; undefined where it is none's. */
export function constructorOf(prototype: object): Function | undefined {
  const value = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value as unknown
  return typeof value === 'function' && prototypeOf(value) === prototype ? value : undefined
}

/**
 * For each member whose key is computed (static fields left out), the key that it got; null where no one can
 * tell.
 */
export function computedKeys(
  type: Function,
  text: string,
  analysis: Analysis,
): readonly (string | symbol | null)[] {
  const members = (analysis.node as Acorn.Class).body.body.filter(isComputed)
  const taken = new Set<string>()
  return members.map((member) => {
    const owner = member.static ? type : prototypeOf(type)
    if (member.type === 'PropertyDefinition' || owner === undefined) return null
    const wanted = memberText(text, member, analysis.shift)
    for (const key of Reflect.ownKeys(owner)) {
      const mark = `${member.static ? 's' : 'p'}${member.kind} ${String(key)}`
      if (taken.has(mark) || textOf(descriptorOf(owner, key), member.kind) !== wanted) continue
      taken.add(mark)
      return key
    }
    return null
  })
}

/** Names in those computed keys that no one can tell. */
export function unknownKeyNames(type: Function, text: string, analysis: Analysis): readonly FreeName[] {
  if (analysis.kind !== 'class' || analysis.keyNames.size === 0) return []
  const keys = computedKeys(type, text, analysis)
  const unknown = (analysis.node as Acorn.Class).body.body
    .filter(isComputed)
    .filter((_, index) => keys[index] === null)
  const { shift } = analysis
  return [...analysis.keyNames.values()].filter(({ uses }) =>
    uses.some(({ start }) =>
      unknown.some(({ key }) => key.start + shift <= start && start < key.end + shift),
    ),
  )
}

function isComputed(
  member: Acorn.ClassBody['body'][number],
): member is Acorn.MethodDefinition | Acorn.PropertyDefinition {
  return (
    member.type !== 'StaticBlock' &&
    member.computed &&
    !(member.type === 'PropertyDefinition' && member.static)
  )
}

/** The texts of a class's methods and accessors, as their functions show them. */
function memberTexts(text: string, analysis: Analysis, ofStatics: boolean): ReadonlySet<string> {
  const texts = new Set<string>()
  for (const member of (analysis.node as Acorn.Class).body.body)
    if (member.type === 'MethodDefinition' && member.static === ofStatics)
      texts.add(memberText(text, member, analysis.shift))
  return texts
}

function memberText(text: string, member: Acorn.Node & { static: boolean }, shift: number): string {
  const whole = text.slice(member.start + shift, member.end + shift)
  return member.static ? whole.replace(/^static(?:\s|\/\*[\s\S]*?\*\/|\/\/[^\n]*\n)*/, '') : whole
}

function textOf(descriptor: PropertyDescriptor, kind: Acorn.MethodDefinition['kind']): string | undefined {
  const fn = (kind === 'get' ? descriptor.get : kind === 'set' ? descriptor.set : descriptor.value) as unknown
  return typeof fn === 'function' ? toText.call(fn) : undefined
}

/** What every function has without anyone's doing. */
function isGiven(fn: Function, key: string | symbol): boolean {
  if (key === 'prototype') return true
  const { enumerable, writable, value } = descriptorOf(fn, key)
  if (key === 'length') return enumerable === false && writable === false
  if (key === 'name') return enumerable === false && writable === false && typeof value === 'string'
  return (key === 'arguments' || key === 'caller') && value === null && enumerable === false
}

function changed(owner: object, key: string | symbol, made: ReadonlySet<string> | undefined): OwnProperty[] {
  const descriptor = descriptorOf(owner, key)
  return made !== undefined && isMade(descriptor, made) ? [] : [{ key, descriptor }]
}

function isMade(
  { value, get, set, enumerable, configurable, writable }: PropertyDescriptor,
  made: ReadonlySet<string>,
): boolean {
  if (enumerable === true || configurable !== true || writable === false) return false
  const parts = [value as unknown, get, set].filter((part) => part !== undefined)
  return parts.length > 0 && parts.every((part) => typeof part === 'function' && made.has(toText.call(part)))
}

function descriptorOf(object: object, key: string | symbol): PropertyDescriptor {
  return Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor
}
