/**
 * The words of capture's refusals: what cannot travel, which variable of which function holds it, where that
 * function stands, and what to do instead. Called by the walk; the data path comes from the codec.
 */
import { cannotSend, prependPath } from '../../codec/path.ts'
import { SerializationError } from '../../core/errors.ts'
import type { Analysis } from '../unit.ts'

/** One function on the way from the root to the value that cannot travel. */
export interface Holder {
  readonly fn: Function
  /** 'app.ts:12:3', counted from 1; undefined where it is not known. */
  place: string | undefined
  /** Which function's variable it was found in; undefined where it hangs on the root itself. */
  readonly via: { readonly holder: Holder; readonly name: string } | undefined
}

/** So many functions are named in one message. */
const maxLinks = 3

/** Errors that say already who holds the value. */
const told = new WeakSet<Error>()

/**
 * An error met in `name`, a variable of `holder`: names both, once. Returns the error, to be thrown again.
 */
export function inVariable(error: unknown, holder: Holder, name: string): unknown {
  if (!(error instanceof SerializationError) || told.has(error)) return error
  prependPath(error, name)
  told.add(error)
  return retell(error, `\`: `, `\` (${chain(holder)}): `)
}

/** An error about `holder` itself. */
export function aboutFunction(error: unknown, holder: Holder, what: string): unknown {
  if (!(error instanceof SerializationError) || told.has(error)) return error
  if (holder.via !== undefined) return inVariable(error, holder.via.holder, holder.via.name)
  told.add(error)
  const hangsOn = error.path !== ''
  if (hangsOn) prependPath(error, nameOf(holder.fn))
  retell(
    error,
    hangsOn ? '`: ' : 'the value: ',
    hangsOn ? `\` of ${what}${placed(holder)}: ` : `${what} (\`${nameOf(holder.fn)}\`${placed(holder)}): `,
  )
  return hangsOn ? error : prependPath(error, nameOf(holder.fn))
}

/** An error with one more thing that can be done about it, where there is one. */
export function addAdvice(error: unknown, advice: string | undefined): unknown {
  if (!(error instanceof SerializationError) || advice === undefined || error.message.includes(advice))
    return error
  ;(error as { hint: string }).hint = error.hint === '' ? advice : `${error.hint}. ${advice}`
  const old = error.message
  error.message = `${old}. ${advice}`
  if (typeof error.stack === 'string') error.stack = error.stack.replace(old, () => error.message)
  return error
}

/** How a refusal calls the function that it is about: the root is named at its beginning already. */
export function subjectOf(holder: Holder): string {
  return holder.via === undefined ? 'it' : `${quoteName(holder.fn)}${placed(holder)}`
}

/** An error in the root's own data. */
export function inRoot(error: unknown, what: string): unknown {
  if (!(error instanceof SerializationError) || told.has(error)) return error
  told.add(error)
  return error.path === ''
    ? retell(error, 'the value: ', `${what}: `)
    : retell(error, '`: ', `\` of ${what}: `)
}

/** What of its surroundings the text uses that cannot be taken along; undefined where there is nothing. */
export function refuseText({ form, outer }: Analysis, name: string): SerializationError | undefined {
  if (outer.directEval)
    return cannotSend(
      `${name} calls eval directly, so its variables cannot be known`,
      'Write (0, eval)(…) or new Function(…)',
    )
  if (outer.with)
    return cannotSend(`${name} uses a with statement, so its variables cannot be known`, 'Name the object')
  if (outer.super)
    return cannotSend(
      `${name} uses \`super\` of the method around it`,
      'Call a method of the same object instead',
    )
  if (outer.arguments)
    return cannotSend(
      `${name} uses \`arguments\` of the function around it`,
      'Write `const args = arguments` first, or use (...args)',
    )
  if (outer.newTarget)
    return cannotSend(
      `${name} uses \`new.target\` of the function around it`,
      'Write `const target = new.target` first',
    )
  const [secret] = outer.privateNames
  if (secret === undefined) return undefined
  if (form === 'expression')
    return cannotSend(
      `${name} uses #${secret} of the class that it was written in`,
      'Read it into a variable first, or call a method of that class',
    )
  return cannotSend(
    `${name} is a method that uses #${secret} of its class, and was taken off it (by a decorator, a spy)`,
    'Put it back before sending, or change what it does in a subclass',
  )
}

/** What an arrow's `this` is, when nobody knows. */
export function refuseThis(name: string): SerializationError {
  return cannotSend(
    `${name} uses \`this\` of the method around it`,
    'Write `const self = this` first, or pass a bound method',
  )
}

/** A name as messages show it: `` `handler` `` or `the function`. */
export function quoteName(fn: Function): string {
  const name = Object.getOwnPropertyDescriptor(fn, 'name')?.value as unknown
  return typeof name === 'string' && name !== '' ? `\`${name}\`` : 'the function'
}

/** 'app.ts:12:3' for people: short, and counted from 1. */
export function placeOf(url: string, line: number, column: number): string {
  return `${url.slice(url.lastIndexOf('/') + 1) || url}:${line + 1}:${column + 1}`
}

function nameOf(fn: Function): string {
  const name = Object.getOwnPropertyDescriptor(fn, 'name')?.value as unknown
  return typeof name === 'string' && name !== '' ? name : '(anonymous)'
}

function placed({ place }: Holder): string {
  return place === undefined ? '' : ` at ${place}`
}

function chain(holder: Holder): string {
  const links: string[] = []
  for (
    let one: Holder | undefined = holder;
    one !== undefined && links.length < maxLinks;
    one = one.via?.holder
  )
    links.push(`captured by \`${nameOf(one.fn)}\`${placed(one)}`)
  return links.join(', itself ')
}

/** Replaces the first occurrence of `from` in message and stack alike. */
function retell(error: SerializationError, from: string, to: string): SerializationError {
  const old = error.message
  const at = old.indexOf(from)
  if (at < 0) return error
  error.message = old.slice(0, at) + to + old.slice(at + from.length)
  if (typeof error.stack === 'string') error.stack = error.stack.replace(old, () => error.message)
  return error
}
