/**
 * Reads a pool's initializer for the variables that its workers will own. Called once per pool, before
 * anything is captured for it; sends nothing.
 */
import { SerializationError } from '../core/errors.ts'
import type { Holder } from './walk/errors.ts'
import { Finder } from './walk/find.ts'
import { Names } from './names/names.ts'
import { originOf } from './walk/origins.ts'
import { assignedGlobals, OwnedVariables } from './walk/owned.ts'
import { touchedCells } from './text/touched.ts'
import type { Cell, Unit } from './unit.ts'
import { depsOf } from './with-deps.ts'

/**
 * The variables and globals that `initializer` (and by-value functions that it reaches) assigns, and those
 * whose objects it changes; null where none.
 */
export function ownedVariables(
  initializer: Function,
  _options?: { readonly what?: string },
): OwnedVariables | null {
  const finder = new Finder(undefined)
  try {
    const units = reach(initializer, finder)
    const owned = new OwnedVariables(
      initializer,
      new Set(units.flatMap(({ analysis }) => assignedGlobals(analysis))),
    )
    const touched = new Set(units.flatMap((unit) => [...touchedCells(unit)]))
    for (const { key, cells } of finder.book.scopes())
      for (const cell of cells.values())
        if (cell.assigned || touched.has(cell)) {
          const at = cell.declared ?? { key, name: cell.name }
          owned.add(at.key, at.name, !cell.assigned)
        }
    for (const cell of assignedByRevived(units)) owned.addRevived(cell, false)
    for (const unit of units)
      if (originOf(unit.value) !== undefined)
        for (const cell of unit.cells.values())
          if (touched.has(cell) && owned.keyOfRevived(cell) === undefined) owned.addRevived(cell, true)
    return owned.size === 0 ? null : owned
  } finally {
    finder.close()
  }
}

/** The initializer and the functions that its variables hold, as far as they travel by value. */
function reach(initializer: Function, finder: Finder): Unit[] {
  const names = new Names(finder, undefined)
  const seen = new Set<unknown>([initializer])
  const units: Unit[] = []
  for (const fn of seen) {
    const unit = typeof fn === 'function' ? look(fn, finder, names) : undefined
    if (unit === undefined) continue
    units.push(unit)
    for (const { value, reference } of unit.cells.values())
      if (reference === undefined) for (const one of functionsIn(value)) seen.add(one)
  }
  return units
}

/** Undefined for what travels by name; what cannot travel is capture's to refuse. */
function look(fn: Function, finder: Finder, names: Names): Unit | undefined {
  const holder: Holder = { fn, place: undefined, via: undefined }
  const deps = depsOf(fn)
  try {
    if (deps === undefined && names.ofFunction(fn) !== undefined) return undefined
    return originOf(fn) ?? finder.find(deps?.fn ?? fn, holder, deps?.values)
  } catch (error) {
    if (error instanceof SerializationError) return undefined
    throw error
  }
}

function functionsIn(value: unknown): readonly unknown[] {
  if (typeof value === 'function') return [value]
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return []
  return Object.values(Object.getOwnPropertyDescriptors(value))
    .map((descriptor) => descriptor.value as unknown)
    .filter((one) => typeof one === 'function')
}

function assignedByRevived(units: readonly Unit[]): Iterable<Cell> {
  const cells = new Set<Cell>()
  for (const { value, analysis, cells: captured } of units)
    if (originOf(value) !== undefined)
      for (const free of analysis.free.values()) {
        const cell = free.assigned ? captured.get(free.name) : undefined
        if (cell !== undefined) cells.add(cell)
      }
  return cells
}
