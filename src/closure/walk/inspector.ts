/**
 * What only V8 knows about a function: where it was written, the variables around it, what a bound function
 * binds, and #private fields. One `Inspection` is one short inspector session, opened and closed by one
 * capture: a session left connected would keep every console argument alive, and a Debugger domain left on
 * makes each await 6–8 times slower. Never runs code of the user's: scopes and fields are read, getters are
 * not called.
 */
import { createRequire } from 'node:module'
import type * as Inspector from 'node:inspector'
import { runInThisContext } from 'node:vm'
import type { ScriptInfo } from './scripts.ts'

/** Where a function begins: at its parameters, or at `class`. Lines and columns from 0. */
export interface Location {
  readonly scriptId: string
  readonly line: number
  readonly column: number
}

/** One scope around a function, with a copy of its variables. */
export interface Scope {
  readonly kind: 'function' | 'module' | 'script' | 'global' | 'other'
  /** V8's description: 'Closure (name)', 'Module', … */
  readonly name: string
  /** A snapshot with the real values; the global object itself where it is the global scope. */
  readonly variables: Readonly<Record<string, unknown>>
}

export interface Bound {
  readonly target: Function
  readonly self: unknown
  readonly args: readonly unknown[]
}

export interface PrivateField {
  readonly name: string
  readonly value: unknown
}

type RemoteObject = Inspector.Runtime.RemoteObject
/** As V8 answers; what is #private is missing from the published types. */
interface Properties extends Inspector.Runtime.GetPropertiesReturnType {
  privateProperties?: readonly { readonly name: string; readonly value?: RemoteObject }[]
}

/**
 * The key of the accessor through which values pass between here and the session; on the global object only
 * meanwhile.
 */
const hookKey = Symbol.for('plait.inspection')
const hookText = 'globalThis[Symbol.for("plait.inspection")]'
/**
 * The global of the main context, also where plait was loaded into another one (Jest, vitest): sessions speak
 * of the main one.
 */
const mainGlobal = runInThisContext('globalThis') as Record<symbol, unknown>

const locations = new WeakMap<Function, Location>()
let api: typeof Inspector | null | undefined
let answersAtOnce: boolean | undefined

/** The inspector, or null where this runtime has none that answers at once. */
function loadInspector(): typeof Inspector | null {
  if (api !== undefined) return api
  try {
    const missing = process.versions['bun'] !== undefined || process.versions['deno'] !== undefined
    api = missing ? null : (createRequire(import.meta.url)('node:inspector') as typeof Inspector)
  } catch {
    api = null
  }
  return api
}

export class Inspection {
  readonly #session: Inspector.Session
  readonly #scripts: Map<string, ScriptInfo>
  #debugging = false
  #hook: unknown
  /** Of a capture within which this one is made, as reducers do. */
  readonly #outer = Object.getOwnPropertyDescriptor(mainGlobal, hookKey)

  /**
   * Opens a session; null where that is impossible (no inspector, forbidden by permissions, a frozen global
   * object).
   */
  static open(scripts: Map<string, ScriptInfo>): Inspection | null {
    const inspector = loadInspector()
    if (inspector === null) return null
    try {
      return new Inspection(inspector, scripts)
    } catch {
      api = null
      return null
    }
  }

  private constructor(inspector: typeof Inspector, scripts: Map<string, ScriptInfo>) {
    this.#scripts = scripts
    this.#session = new inspector.Session()
    this.#session.connect()
    try {
      Object.defineProperty(mainGlobal, hookKey, {
        configurable: true,
        get: () => this.#hook,
        set: (value: unknown) => {
          this.#hook = value
        },
      })
      answersAtOnce ??= this.#post('Runtime.evaluate', { expression: '1' }) !== undefined
      if (!answersAtOnce) throw new Error('the inspector does not answer at once')
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Ends the session, and with it whatever V8 kept for it. What was found stays valid. */
  close(): void {
    this.#hook = undefined
    if (this.#outer === undefined) Reflect.deleteProperty(mainGlobal, hookKey)
    else Object.defineProperty(mainGlobal, hookKey, this.#outer)
    if (this.#debugging) this.#post('Debugger.disable')
    this.#session.disconnect()
  }

  /** Where a function was written; undefined for native and bound functions. */
  locate(fn: Function): Location | undefined {
    return locations.get(fn) ?? this.#locate(fn, this.#look(fn))
  }

  /** Where a function was written, and its scopes, innermost first. */
  scopes(fn: Function): readonly Scope[] {
    const properties = this.#look(fn)
    this.#locate(fn, properties)
    const id = internal(properties, '[[Scopes]]')?.objectId
    if (id === undefined) return []
    const list = this.#value(id) as {
      length: number
      [index: number]: { description: string; object: object }
    }
    const scopes: Scope[] = []
    for (let i = 0; i < list.length; i++) {
      const { description, object } = list[i] as { description: string; object: object }
      scopes.push({
        kind: scopeKind(description),
        name: description,
        variables: object as Scope['variables'],
      })
    }
    return scopes
  }

  /** What a bound function binds; undefined for any other function. */
  bound(fn: Function): Bound | undefined {
    const properties = this.#look(fn)
    const target = internal(properties, '[[TargetFunction]]')
    const self = internal(properties, '[[BoundThis]]')
    const args = internal(properties, '[[BoundArgs]]')
    if (target?.objectId === undefined || self === undefined || args === undefined) return undefined
    const values = this.#values([target, self, args])
    return { target: values[0] as Function, self: values[1], args: values[2] as unknown[] }
  }

  /** #private fields, in the order in which they were defined; accessors and methods are not among them. */
  privates(object: object): readonly PrivateField[] {
    const fields = (this.#look(object).privateProperties ?? []).filter((field) => field.value !== undefined)
    if (fields.length === 0) return []
    const values = this.#values(fields.map((field) => field.value as RemoteObject))
    return fields.map((field, i) => ({ name: field.name, value: values[i] }))
  }

  /** Whether `object` carries anything #private: fields, methods or accessors. */
  hasPrivates(object: object): boolean {
    return (this.#look(object).privateProperties ?? []).length > 0
  }

  /** What a Proxy stands before. */
  proxyTarget(proxy: object): unknown {
    const target = internal(this.#look(proxy), '[[Target]]')
    return target?.objectId === undefined ? undefined : this.#value(target.objectId)
  }

  /** What V8 knows of a script. */
  script(id: string): ScriptInfo | undefined {
    if (!this.#scripts.has(id)) this.#debug()
    return this.#scripts.get(id)
  }

  /** A script's source text. */
  source(info: ScriptInfo): string {
    if (info.source === undefined) {
      this.#debug()
      const answer = this.#post<{ scriptSource: string }>('Debugger.getScriptSource', { scriptId: info.id })
      info.source = answer?.scriptSource ?? ''
    }
    return info.source
  }

  /** Turns the Debugger domain on until close(): it lists every script at once. */
  #debug(): void {
    if (this.#debugging) return
    this.#debugging = true
    this.#session.on('Debugger.scriptParsed', ({ params }) => {
      if (this.#scripts.has(params.scriptId)) return
      this.#scripts.set(params.scriptId, {
        id: params.scriptId,
        url: params.url,
        isModule: params.isModule === true,
        sourceMapURL: params.sourceMapURL === '' ? undefined : params.sourceMapURL,
        startLine: params.startLine,
        startColumn: params.startColumn,
        source: undefined,
      })
    })
    this.#post('Debugger.enable')
  }

  #locate(fn: Function, properties: Properties): Location | undefined {
    const found = internal(properties, '[[FunctionLocation]]')?.value as
      | { scriptId: string; lineNumber: number; columnNumber: number }
      | undefined
    if (found === undefined) return undefined
    const location = { scriptId: found.scriptId, line: found.lineNumber, column: found.columnNumber }
    locations.set(fn, location)
    return location
  }

  #look(object: object): Properties {
    this.#hook = object
    const answer = this.#post<{ result: RemoteObject }>('Runtime.evaluate', { expression: hookText })
    const objectId = answer?.result.objectId
    if (objectId === undefined) return { result: [] }
    return (
      this.#post<Properties>('Runtime.getProperties', { objectId, ownProperties: true }) ?? { result: [] }
    )
  }

  /** The real value behind an object id. */
  #value(objectId: string): unknown {
    this.#hook = undefined
    this.#post('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration: `function(){${hookText} = this}`,
      silent: true,
    })
    return this.#hook
  }

  /** The real values behind descriptions; primitives included. */
  #values(objects: readonly RemoteObject[]): unknown[] {
    const objectId = objects.find((object) => object.objectId !== undefined)?.objectId
    if (objectId === undefined) return objects.map(primitive)
    this.#post('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration: `function(...values){${hookText} = values}`,
      arguments: objects.map((object) =>
        object.objectId === undefined ? {} : { objectId: object.objectId },
      ),
      silent: true,
    })
    const values = this.#hook as unknown[]
    return objects.map((object, i) => (object.objectId === undefined ? primitive(object) : values[i]))
  }

  #post<T>(method: string, params?: object): T | undefined {
    let answer: T | undefined
    this.#session.post(method, params, (_error: unknown, result?: unknown) => {
      answer = result as T
    })
    return answer
  }
}

function internal(properties: Properties, name: string): RemoteObject | undefined {
  return properties.internalProperties?.find((property) => property.name === name)?.value
}

function scopeKind(description: string): Scope['kind'] {
  if (description.startsWith('Closure') || description.startsWith('Local')) return 'function'
  if (description === 'Module') return 'module'
  if (description === 'Script') return 'script'
  return description === 'Global' ? 'global' : 'other'
}

/** Of numbers that JSON cannot say and of bigints, V8 gives the source text. */
function primitive({ value, unserializableValue }: RemoteObject): unknown {
  if (unserializableValue === undefined) return value as unknown
  if (unserializableValue.endsWith('n')) return BigInt(unserializableValue.slice(0, -1))
  return Number(unserializableValue)
}
