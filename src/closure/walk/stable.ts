/**
 * Captures that need not be made again: functions of which nothing captured can change, by identity;
 * functions without free names, by text, so that an arrow written in a loop is captured once. Asked by
 * capture before anything else; a hit costs a lookup and a few comparisons.
 */
import { reducerChanges } from '../../codec/reducers.ts'
import type { CaptureOptions, Payload } from '../capture.ts'
import { assignedNames } from '../text/assigned.ts'
import { ownProperties, prototypeOf } from './members.ts'
import { originOf } from './origins.ts'
import type { OwnedVariables } from './owned.ts'
import { scripts } from './scripts.ts'
import type { Cell, Unit } from '../unit.ts'
import type { Walk } from './walk.ts'

interface Kept {
  readonly payload: Payload
  /** Of a pool that may be long gone: it would keep all that its initializer's scope holds. */
  readonly owned: WeakRef<OwnedVariables> | undefined
  /** What hung on the function itself, and on the others that it led to. */
  readonly load: number
  readonly loads: readonly (readonly [fn: Function, load: number, prototype: unknown])[]
  /** When the load was counted last, as a turn of the event loop, and how many keys were enumerable then. */
  turn: number
  enumerable: number
  /** What was registered then: a class that travels by name brings its reducer along. */
  readonly reducers: number
}

const byFunction = new WeakMap<Function, Kept>()
const byText = new Map<string, Kept>()
const mostTexts = 1_000
const longestText = 2_000
const captures = new WeakMap<Function, number>()
const toText = Function.prototype.toString

/** The payload of an earlier capture that is still right. */
export function stablePayload(fn: Function, options: CaptureOptions): Payload | undefined {
  const known = byFunction.get(fn)
  const kept = known ?? (byText.size > 0 ? byText.get(textKey(fn)) : undefined)
  if (kept === undefined || !isFor(kept, options.owned)) return undefined
  if (kept.reducers !== reducerChanges()) return undefined
  if (known === undefined ? kept.load !== loadOf(fn) : !isLoadedAsBefore(fn, known)) return undefined
  if (kept.loads.length > 0 && !kept.loads.every(isAsBefore)) return undefined
  return kept.payload
}

function isFor({ owned }: Kept, now: OwnedVariables | undefined): boolean {
  return now === undefined ? owned === undefined : owned?.deref() === now
}

function isAsBefore([fn, load, prototype]: Kept['loads'][number]): boolean {
  return load === loadOf(fn) && prototype === prototypeOf(fn)
}

/**
 * Counting all properties costs more than a small task: that is done once in each turn, and in between only
 * what an assignment adds is looked for. (A hidden property can only be defined.) Where there is a
 * `prototype` all is counted every time.
 */
function isLoadedAsBefore(fn: Function, kept: Kept): boolean {
  const now = thisTurn()
  const enumerable = countEnumerable(fn)
  if (kept.turn === now && kept.enumerable === enumerable) return true
  if (kept.load !== loadOf(fn)) return false
  if (kept.load >= aMember) return true
  kept.turn = now
  kept.enumerable = enumerable
  return true
}

function countEnumerable(fn: Function): number {
  let count = 0
  for (const _ in fn) count++
  return count
}

let turn = 0
let isTurnKnown = false
const soon = Promise.resolve()
const endTurn = (): void => {
  isTurnKnown = false
  turn++
}

/** A number for this turn: for what runs until our next microtask. */
function thisTurn(): number {
  if (!isTurnKnown) {
    isTurnKnown = true
    void soon.then(endTurn)
  }
  return turn
}

/** What each member of the `prototype` counts. */
const aMember = 2 ** 20

/** How many properties a function and its `prototype` have, as one number: one more, and it is another. */
function loadOf(fn: Function): number {
  const prototype = prototypeOf(fn)
  const members = prototype === undefined ? 0 : Reflect.ownKeys(prototype).length
  return Reflect.ownKeys(fn).length + members * aMember
}

/** Whether capturing `fn` again would give the same bytes whatever the program does. */
export function isStable(fn: Function, walk: Walk): boolean {
  if (walk.mutable) return false
  const count = (captures.get(fn) ?? 0) + 1
  captures.set(fn, count)
  // Whether a variable is ever assigned takes a look at the whole script: not for what is captured once.
  return walk.units.every(({ unit }) => unit !== undefined && isStableUnit(unit, count > 1))
}

/** Remembers a stable payload. */
export function keepStable(fn: Function, payload: Payload, { owned }: CaptureOptions, walk: Walk): void {
  const others = walk.units.map((captured) => captured.fn).filter((one) => one !== fn)
  const loads = others.map((one) => [one, loadOf(one), prototypeOf(one)] as const)
  const [load, reducers] = [loadOf(fn), reducerChanges()]
  const of = owned && new WeakRef(owned)
  const kept: Kept = { payload, owned: of, load, loads, turn: -1, enumerable: 0, reducers }
  byFunction.set(fn, kept)
  const unit = walk.units.length === 1 ? walk.units[0]?.unit : undefined
  if (unit === undefined || !standsAlone(unit)) return
  if (byText.size >= mostTexts) byText.clear()
  byText.set(textKey(fn), kept)
}

function textKey(fn: Function): string {
  return `${fn.name}\n${toText.call(fn)}`
}

/** Nothing around the text means anything to it, not even its place: no error of its own is thrown there. */
function standsAlone({ value, text, analysis }: Unit): boolean {
  const { free, self, metas, imports, member } = analysis
  if (free.size > 0 || self !== undefined || metas.length > 0 || imports.length > 0 || member !== undefined)
    return false
  return text.length <= longestText && originOf(value) === undefined && !/\bthrow\b/.test(text)
}

function isStableUnit(unit: Unit, prove: boolean): boolean {
  const { value, kind, text, analysis, home } = unit
  if (kind === 'class' || home !== undefined || ownProperties(value, text, analysis).length > 0) return false
  const revived = originOf(value) !== undefined
  for (const cell of unit.cells.values()) {
    if (cell.owned !== undefined || cell.reference !== undefined) continue
    if (cell.assigned || !isConstantValue(cell)) return false
    if (!revived && !(prove && isNeverAssigned(cell, unit))) return false
  }
  return true
}

/**
 * What an undefined variable is, it may not be for long: Node 20 shows so those that are not initialised yet.
 */
function isConstantValue({ value, volatile }: Cell): boolean {
  if (volatile === true || value === undefined || value === null) return value === null && volatile !== true
  return typeof value !== 'object'
}

function isNeverAssigned({ name }: Cell, { script }: Unit): boolean {
  const info = scripts.get(script.id)
  return info !== undefined && assignedNames(info)?.has(name) === false
}
