/**
 * Which variables a function and its arguments have in common. They are two payloads (one image of the
 * function serves many tasks), so each would bring a variable of its own; where the receiver could tell, they
 * travel as one. Asked by capture; compares what two walks have found, and captures nothing itself.
 */
import type { Cell } from '../unit.ts'
import type { Walk } from './walk.ts'

/** One captured variable, as seen by another payload. */
interface Shared {
  readonly cell: Cell
  /** Its value is an object that travels by value: whoever has it can change it. */
  readonly object: boolean
  /** Classes that use it: in the receiver each is one, and its variables with it. */
  readonly classes: Set<Function>
}

/** By scope and name; of what was revived, by cell. */
export type SharedVariables = ReadonlyMap<string | Cell, Shared>

const none: SharedVariables = new Map()

/** The variables of which the receiver gets a copy. */
export function sharedVariables({ units, finder, table }: Walk): SharedVariables {
  if (units.length === 0) return none
  const keys = new Map<Cell, string>()
  for (const { key, cells } of finder.book.scopes())
    for (const cell of cells.values()) keys.set(cell, placeOf(cell.declared ?? { key, name: cell.name }))
  const found = new Map<string | Cell, Shared>()
  for (const { fn, unit } of units)
    for (const cell of unit?.cells.values() ?? []) {
      if (cell.owned !== undefined || table.isNamed(cell)) continue
      const key = keys.get(cell) ?? cell
      let shared = found.get(key)
      if (shared === undefined) {
        const object = typeof cell.value === 'object' && cell.value !== null
        found.set(key, (shared = { cell, object, classes: new Set() }))
      }
      if (unit?.kind === 'class') shared.classes.add(fn)
    }
  return found
}

function placeOf({ key, name }: { readonly key: string; readonly name: string }): string {
  return `${key}\n${name}`
}

/** A variable that is in both and that one of them can change; undefined where there is none. */
export function commonVariable(one: SharedVariables, other: SharedVariables): Cell | undefined {
  for (const [key, { cell, object, classes }] of other) {
    const here = one.get(key)
    if (here === undefined) continue
    if (object || here.object) return cell
    if (!cell.assigned && !here.cell.assigned) continue
    // A class that uses it in both is the same class there, and so is the variable.
    if (![...classes].some((type) => here.classes.has(type))) return cell
  }
  return undefined
}
