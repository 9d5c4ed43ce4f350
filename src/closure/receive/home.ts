/**
 * Instances with #private state that come home. Their class is the original, whose text has none of the
 * hooks that copies have: so an instance is made by the class's own constructor, where that would go
 * unnoticed, and its #fields are set by the inspector, which may name them from outside. Loaded with the
 * sending side: a class is only known elsewhere because it was captured here. Registered with instances.ts
 * at the first such class.
 */
import { createRequire } from 'node:module'
import type * as Inspector from 'node:inspector'
import vm from 'node:vm'
import { SerializationError } from '../../core/errors.ts'
import { classShape } from '../layout/classes.ts'
import { readMaking, type Making } from '../text/inert.ts'
import { setHome, type HomePrivates } from './instances.ts'
import type { Unit } from '../unit.ts'

const classes = new WeakMap<Function, Making>()

/** A class of this process leaves by value: instances of it may come home. */
export function rememberHome({ value, analysis, cells }: Unit): void {
  if (classShape(analysis).brand === undefined || classes.has(value)) return
  // Compilers give a class a second name to use inside itself.
  const names = [...cells.values()]
    .filter((cell) => cell.owned === undefined && cell.value === value)
    .map(({ name }) => name)
  classes.set(value, readMaking(analysis, names))
  setHome({ has: (one) => classes.has(one), make, setPrivates, finish })
}

/** Runs the constructor with arguments that mean nothing, after making sure that nobody notices. */
function make(type: Function, newTarget: Function): object {
  const { effect, members, statics } = classes.get(type) as Making
  if (effect !== undefined || [...members].some((name) => hasAccessor(type, name)))
    throw cannotMake(type, 'its constructor does more than set fields')
  if (statics.size > 0 && !saved.has(type)) saved.set(type, saveStatics(type, statics))
  for (const argument of candidates) {
    try {
      return Reflect.construct(type, Array<unknown>(32).fill(argument), newTarget) as object
    } catch {
      // It checks its arguments: another kind may please it. Nothing has happened.
    }
  }
  throw cannotMake(type, 'its constructor refuses to run without real arguments')
}

function cannotMake(type: Function, why: string): SerializationError {
  return new SerializationError(
    `an instance of ${type.name} came back, and cannot be made here with its #private fields: ${why}`,
    {
      hint: `Give ${type.name} a [Symbol.for('plait.reduce')]() method, or registerReducer(${type.name}, …)`,
    },
  )
}

/** Patterns find all that they look for in it, calls and conversions succeed. */
const hollow: unknown = new Proxy(function () {}, {
  get(_target, key) {
    if (key === Symbol.iterator) return () => Array<unknown>(32).fill(hollow)[Symbol.iterator]()
    return key === Symbol.toPrimitive ? () => '' : hollow
  },
  apply: () => hollow,
})
const candidates: readonly unknown[] = [hollow, 1, 'x', true, [], {}, undefined]

function hasAccessor(type: Function, name: string): boolean {
  let one = type.prototype as object | null
  for (; one !== null; one = Object.getPrototypeOf(one) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(one, name)
    if (descriptor !== undefined) return !('value' in descriptor)
  }
  return false
}

// ── static members that a constructor counts in ──

type Saved = readonly (readonly [name: string, value: unknown])[]

/** Once per payload, since the private ones are reached through the inspector. */
const saved = new Map<Function, Saved>()

/** Called when a payload has been read, or has failed. */
function finish(): void {
  for (const [type, values] of saved) restoreStatics(type, values)
  saved.clear()
}

function saveStatics(type: Function, names: ReadonlySet<string>): Saved {
  return [...names].map((name) => {
    if (!name.startsWith('#')) return [name, Object.getOwnPropertyDescriptor(type, name)]
    const slots: unknown[] = [type, undefined]
    evaluateTop(`${hook}.values[1]=${hook}.values[0].${name}`, slots)
    return [name, slots[1]]
  })
}

function restoreStatics(type: Function, values: Saved): void {
  for (const [name, value] of values) {
    if (name.startsWith('#')) evaluateTop(`${hook}.values[0].${name}=${hook}.values[1]`, [type, value])
    else if (value === undefined) Reflect.deleteProperty(type, name)
    else Object.defineProperty(type, name, value as PropertyDescriptor)
  }
}

// ── fields ──

/** One statement per field: names from outside are allowed at the top level alone. So many make one text. */
const mostStatements = 2_000

function setPrivates(all: readonly HomePrivates[]): void {
  let text = ''
  let values: unknown[] = []
  let statements = 0
  const flush = (): void => {
    if (statements > 0 && !evaluateTop(text, values)) throw ambiguous(all)
    text = ''
    values = []
    statements = 0
  }
  for (const { instance, fields } of all) {
    const at = values.push(instance) - 1
    for (const [name, value] of fields)
      text += `${hook}.values[${at}].${name}=${hook}.values[${values.push(value) - 1}];`
    statements += fields.length
    if (statements >= mostStatements) flush()
  }
  flush()
}

function ambiguous(all: readonly HomePrivates[]): SerializationError {
  const names = [...new Set(all.map(({ type }) => type.name))].join(', ')
  return new SerializationError(
    `instances of ${names} came back, and their #private fields cannot be set here`,
    {
      hint: 'A class and its superclass must not use the same #name; or use registerReducer',
    },
  )
}

/** The name under which values reach the text; on the global object only meanwhile. */
const hook = '$plait_home'

/**
 * Runs statements as a console would, where a #name may be used from outside its class. False where one
 * failed: the text itself says when it is done, since a console's answer comes through a promise. That
 * promise must not settle while the session is open: V8 12 brings the process down if a garbage collection
 * comes before the answer. So the text ends in a wait for what never happens, which is held until the
 * session is closed.
 */
function evaluateTop(text: string, values: unknown[]): boolean {
  const { Session } = createRequire(import.meta.url)('node:inspector') as typeof Inspector
  const mainGlobal = vm.runInThisContext('globalThis') as Record<string, unknown>
  const session = new Session()
  const held = { values, done: false, never: new Promise(() => {}) }
  const expression = `${text};${hook}.done=true;await ${hook}.never`
  session.connect()
  Object.defineProperty(mainGlobal, hook, { value: held, configurable: true })
  try {
    session.post('Runtime.evaluate', { expression, replMode: true, silent: true }, () => {})
  } finally {
    Reflect.deleteProperty(mainGlobal, hook)
    session.disconnect()
  }
  return held.done
}
