/**
 * From a function to a Unit: reads where it stands and what surrounds it, and finds for each free name the
 * cell that holds it. One `Finder` serves one capture, so that a module's variables are read once, and that
 * functions which share a variable share its cell. Called by the walk; writes nothing.
 */
import { cannotSend } from '../../codec/path.ts'
import { lookUp, ScopeBook, type ScopeCells, type Variable } from './cells.ts'
import { explainCycle } from '../names/cycle.ts'
import { isSwallowed, refuseSwallowed } from '../names/entry.ts'
import { inVariable, placeOf, refuseText, refuseThis, subjectOf, type Holder } from './errors.ts'
import { Inspection, type Location, type Scope } from './inspector.ts'
import { unknownKeyNames } from './members.ts'
import { findDeclared } from '../names/imports.ts'
import { importReference, refuseImports } from '../names/modules.ts'
import type { OwnedVariables } from './owned.ts'
import { findByText } from './fallback.ts'
import { analyse } from '../text/parse.ts'
import { describeScript, offsetOf, scripts, textStart, type ScriptInfo } from './scripts.ts'
import {
  enclosing,
  isSurelyDefined,
  mayBeAssigned,
  topLevelOf,
  type Enclosing,
  type TopLevel,
} from '../text/surroundings.ts'
import type { Analysis, Cell, FreeName, Script, Unit } from '../unit.ts'
import { viteParameter } from '../names/vite.ts'
import { globalNames } from '../names/wellknown.ts'

/** What surrounds one function. */
interface Around {
  readonly fn: Function
  readonly holder: Holder
  readonly info: ScriptInfo
  readonly location: Location
  readonly script: Script
  /** Innermost first, down to the global one; read when the first name asks. */
  readonly scopes: () => readonly ScopeCells[]
}

const globalKey = 'global'
/** Functions that see nothing but module-level variables: their scopes need no look of their own. */
const flat = new WeakSet<Function>()
const positions = new WeakMap<Location, { line: number; column: number }>()

export class Finder {
  readonly book = new ScopeBook()
  readonly #owned: OwnedVariables | undefined
  #inspection: Inspection | null | undefined

  readonly #ownerOf: (fn: Function) => object | undefined
  readonly #thisCells = new Map<object | undefined, Cell>()

  /** `ownerOf` finds the object that holds a function as one of its own properties. */
  constructor(
    owned: OwnedVariables | undefined,
    ownerOf: (fn: Function) => object | undefined = () => undefined,
  ) {
    this.#owned = owned
    this.#ownerOf = ownerOf
  }

  /** The session of this capture; null where there is no inspector. */
  get inspection(): Inspection | null {
    this.#inspection ??= Inspection.open(scripts)
    return this.#inspection
  }

  close(): void {
    this.#inspection?.close()
  }

  /** Where a function was written; undefined for native functions, and where there is no inspector. */
  place(fn: Function): { readonly info: ScriptInfo; readonly location: Location } | undefined {
    const location = this.inspection?.locate(fn)
    const info = location === undefined ? undefined : this.inspection?.script(location.scriptId)
    return location === undefined || info === undefined ? undefined : { info, location }
  }

  /** What else can be done where a function cannot travel: without a cycle it would have gone by name. */
  advice(fn: Function): string | undefined {
    const url = this.place(fn)?.info.url
    return url === undefined ? undefined : explainCycle(url)
  }

  /**
   * Everything about a function that travels by value. Throws where its text or its variables forbid that.
   */
  find(fn: Function, holder: Holder, deps: ReadonlyMap<string, unknown> | undefined): Unit {
    const { inspection } = this
    if (isSwallowed()) throw refuseSwallowed()
    if (inspection === null) return findByText(fn, holder, deps)
    const found = this.place(fn)
    if (found === undefined) throw cannotSend(`${subjectOf(holder)} cannot be looked into`)
    const { info, location } = found
    if (isSwallowed(info.url)) throw refuseSwallowed()
    const script = describeScript(info, inspection)
    const text = Function.prototype.toString.call(fn)
    const start = this.#start(info, location, text, inspection)
    holder.place = placeOf(info.url, start.line, start.column)
    const analysis = analyse(text, script.strict)
    const refusal = refuseText(analysis, subjectOf(holder))
    if (refusal !== undefined) throw refusal
    refuseImports(text, analysis, info, inspection, subjectOf(holder))
    let scopes: readonly ScopeCells[] | undefined
    const around: Around = {
      fn,
      holder,
      info,
      location,
      script,
      scopes: () => (scopes ??= this.#scopes(fn, info, script, location, inspection)),
    }
    const cells = new Map<string, Cell>()
    for (const free of namesOf(fn, text, analysis)) {
      const cell =
        deps?.has(free.name) === true
          ? { name: free.name, assigned: false, owned: undefined, value: deps.get(free.name) }
          : this.#cell(free, around)
      if (cell === undefined && analysis.keyNames.get(free.name) === free && !globalNames.has(free.name))
        throw cannotSend(
          `${subjectOf(holder)} computes a field's key from \`${free.name}\`, which cannot be read later`,
          'Set that field in the constructor',
        )
      if (cell === undefined) continue
      if (free.assigned) cell.assigned = true
      if (analysis.kind === 'class' && mayBeAssigned(info, cell, inspection)) cell.boxed = true
      cells.set(free.name, cell)
    }
    return { value: fn, kind: analysis.kind, text, analysis, script, ...start, cells, home: undefined }
  }

  #start(
    info: ScriptInfo,
    location: Location,
    text: string,
    inspection: Inspection,
  ): { line: number; column: number } {
    let start = positions.get(location)
    if (start === undefined) {
      const { line, column } = textStart(info, location, text, inspection)
      positions.set(location, (start = { line, column }))
    }
    return start
  }

  // ── scopes ──

  /** The variables of the ES module that a function stands in, as this capture saw them first. */
  moduleVariables(fn: Function, info: ScriptInfo): object {
    const known = this.book.known(moduleKey(info))
    if (known !== undefined) return known.variables
    const scope = this.inspection?.scopes(fn).find(({ kind }) => kind === 'module')
    return scope === undefined ? {} : this.book.single(moduleKey(info), scope.variables).variables
  }

  #scopes(
    fn: Function,
    info: ScriptInfo,
    script: Script,
    location: Location,
    inspection: Inspection,
  ): ScopeCells[] {
    const module = this.book.known(moduleKey(info))
    const global = this.book.known(globalKey)
    if (flat.has(fn) && module !== undefined && global !== undefined) return [module, global]
    const scopes = inspection.scopes(fn)
    const code = `${location.line}:${location.column}`
    const found = scopes.map((scope, index) =>
      this.#recognise(scope, index, scopes, fn, info, script, code, inspection),
    )
    if (found.length === 2 && found[0]?.key === moduleKey(info) && found[1]?.key === globalKey) flat.add(fn)
    return found
  }

  #recognise(
    scope: Scope,
    index: number,
    scopes: readonly Scope[],
    fn: Function,
    info: ScriptInfo,
    script: Script,
    code: string,
    inspection: Inspection,
  ): ScopeCells {
    switch (scope.kind) {
      case 'global':
        return this.book.single(globalKey, scope.variables)
      case 'script':
        return this.book.single('script', scope.variables)
      case 'module':
        return this.book.single(moduleKey(info), scope.variables)
      default: {
        const level = ({ kind, variables }: Scope): TopLevel | undefined =>
          kind === 'function' || kind === 'other'
            ? topLevelOf(info, Object.keys(variables), inspection)
            : 'wrapper'
        const own = script.kind === 'module' ? undefined : level(scope)
        if (own !== undefined && scopes.slice(index + 1).every((one) => level(one) === 'wrapper'))
          return this.book.single(own === 'module' ? moduleKey(info) : wrapperKey(info), scope.variables)
        return this.book.nested(scope, info.id, fn, code)
      }
    }
  }

  // ── names ──

  /** The cell that a name means; undefined where it is left alone. */
  #cell(free: FreeName, around: Around): Cell | undefined {
    const { name } = free
    if (name === 'this') return this.#thisCell(around)
    for (const scope of around.scopes()) {
      if (scope.key === globalKey) return this.#globalCell(free, scope, around)
      if (!Object.hasOwn(scope.variables, name)) continue
      return scope.cells.get(name) ?? this.#makeCell(name, scope, around)
    }
    return this.#globalCell(free, this.book.single(globalKey, globalThis), around)
  }

  #makeCell(name: string, scope: ScopeCells, around: Around): Cell {
    const { info } = around
    const inspection = this.inspection as Inspection
    const imported =
      scope.key === moduleKey(info) ? importReference(info, name, scope, inspection) : undefined
    const declared =
      scope.key === moduleKey(info) && imported === undefined ? this.#declared(info, name) : undefined
    const owned = this.#owned?.keyOf(declared?.key ?? scope.key, declared?.name ?? name)
    let value =
      imported === undefined
        ? readVariable(scope, name, around, owned !== undefined)
        : lookUp(scope.variables, name)?.value
    if (scope.key === wrapperKey(info) || scope.key === moduleKey(info))
      value = viteParameter(info, name, value)
    const cell: Cell = { name, assigned: false, owned, value, reference: imported, declared }
    scope.cells.set(name, cell)
    return cell
  }

  /** The variable that an import means. */
  #declared(info: ScriptInfo, name: string): Cell['declared'] {
    const found = findDeclared(info, name, this.inspection as Inspection)
    return found && { key: moduleKey(found.info), name: found.name }
  }

  /** A name that no scope but the global object can have. */
  #globalCell(free: FreeName, scope: ScopeCells, around: Around): Cell | undefined {
    const { name } = free
    if (globalNames.has(name) || this.#owned?.globals.has(name) === true) return undefined
    const descriptor = findDescriptor(scope.variables, name)
    if (descriptor === undefined) return undefined
    const known = scope.cells.get(name)
    if (known !== undefined) return known
    if (!('value' in descriptor)) {
      const error = cannotSend(
        'it is a global with a getter, which workers do not have',
        'Read it first, and use what it gave',
      )
      throw inVariable(error, around.holder, name)
    }
    const cell: Cell = { name, assigned: false, owned: undefined, value: descriptor.value, volatile: true }
    scope.cells.set(name, cell)
    return cell
  }

  /**
   * The `this` around an arrow: known for module-level ones, and for those in a field of an object that is
   * here.
   */
  #thisCell({ fn, holder, info, location, script }: Around): Cell {
    let place = enclosings.get(location)
    if (place === undefined) {
      const source = (this.inspection as Inspection).source(info)
      enclosings.set(location, (place = enclosing(source, offsetOf(info, location, source))))
    }
    const owner = place === 'field' || place === 'static' ? this.#ownerOf(fn) : undefined
    if (owner === undefined && !(place === 'module' && script.kind === 'module'))
      throw refuseThis(subjectOf(holder))
    let cell = this.#thisCells.get(owner)
    if (cell === undefined) {
      cell = { name: 'this', assigned: false, owned: undefined, value: owner }
      this.#thisCells.set(owner, cell)
    }
    return cell
  }
}

const enclosings = new WeakMap<Location, Enclosing>()

function moduleKey(info: ScriptInfo): string {
  return `module ${info.id}`
}

function wrapperKey(info: ScriptInfo): string {
  return `wrapper ${info.id}`
}

/** The names of a text that may be variables of its surroundings. */
function namesOf(fn: Function, text: string, analysis: Analysis): readonly FreeName[] {
  const { free, self } = analysis
  return [
    ...free.values(),
    ...(self?.assigned === true ? [self] : []),
    ...unknownKeyNames(fn, text, analysis),
  ]
}

function readVariable(scope: ScopeCells, name: string, { holder, info }: Around, optional: boolean): unknown {
  const { value, ready } = lookUp(scope.variables, name) as Variable
  if (optional || (ready && (value !== undefined || !isSurelyDefined(info, name)))) return value
  const error = cannotSend('it is not initialised yet', `Submit after the line that declares \`${name}\``)
  throw inVariable(error, holder, name)
}

function findDescriptor(object: object, name: string): PropertyDescriptor | undefined {
  for (let one: object | null = object; one !== null; one = Object.getPrototypeOf(one) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(one, name)
    if (descriptor !== undefined) return descriptor
  }
  return undefined
}
