/**
 * The numbers of one payload: references, cells, classes, early values, owned variables; and the prelude that
 * is made of them. Filled by the walk, read when it has ended.
 */
import type { Names } from '../names/names.ts'
import type { OwnedVariables } from './owned.ts'
import type { Cell, Unit } from '../unit.ts'
import {
  reference,
  type ClassEntry,
  type Early,
  type GroupEntry,
  type Prelude,
  type Reference,
} from '../wire.ts'

export class Table {
  readonly classes: ClassEntry[] = []
  readonly #references: Reference[] = []
  readonly #numbers = new Map<object | symbol, number | undefined>()
  readonly #cells = new Map<Cell, number>()
  readonly #early = new Map<number, Early>()
  readonly #owned: (readonly [key: string, cell: number])[] = []
  readonly #adopted = new Map<Cell, Cell>()

  /**
   * The number of what `value` is referred to by; undefined where there is no such thing. Asks `find` once.
   */
  refer(value: object | symbol, find: () => Reference | undefined): number | undefined {
    let number = this.#numbers.get(value)
    if (number !== undefined || this.#numbers.has(value)) return number
    const found = find()
    number = found === undefined ? undefined : this.#references.push(found) - 1
    this.#numbers.set(value, number)
    return number
  }

  symbol(symbol: symbol, names: Names): number {
    return this.refer(symbol, () => names.ofSymbol(symbol)) as number
  }

  /** Whether a reference is to a class that the receiver has under its id. */
  isClass(index: number): boolean {
    return this.#references[index]?.[0] === reference.class
  }

  /** The number of a reference that is known by itself. */
  add(reference: Reference): number {
    return this.refer(reference, () => reference) as number
  }

  cell(cell: Cell): number {
    let number = this.#cells.get(cell)
    if (number === undefined) this.#cells.set(cell, (number = this.#cells.size))
    return number
  }

  /** Whether a cell's value is one that the receiver has of its own. */
  isNamed(cell: Cell): boolean {
    return cell.reference !== undefined || this.#early.get(this.cell(cell))?.[0] === 'reference'
  }

  setEarly(cell: number, value: Early): void {
    this.#early.set(cell, value)
  }

  /** The cell's value is an owned variable's first one. */
  own(key: string, cell: number): void {
    this.#owned.push([key, cell])
  }

  /**
   * A revived unit with its variables as this capture means them: owned by this pool's workers, or ordinary.
   */
  adopt(unit: Unit, owned: OwnedVariables | undefined): Unit {
    const cells = new Map([...unit.cells].map(([name, cell]) => [name, this.#adoptCell(cell, owned)]))
    const { value, kind, text, analysis, script, line, column, home } = unit
    return { value, kind, text, analysis, script, line, column, home, cells }
  }

  #adoptCell(cell: Cell, owners: OwnedVariables | undefined): Cell {
    const owned = owners?.keyOfRevived(cell)
    if (cell.owned === owned) return cell
    let made = this.#adopted.get(cell)
    if (made === undefined) {
      const { name, assigned, boxed = false, value, reference } = cell
      this.#adopted.set(cell, (made = { name, assigned, boxed, owned, value, reference }))
    }
    return made
  }

  prelude(groups: readonly GroupEntry[], units: number): Prelude {
    return {
      references: this.#references,
      groups,
      classes: parentsFirst(this.classes),
      early: [...this.#early],
      owned: this.#owned,
      units,
    }
  }
}

function parentsFirst(classes: readonly ClassEntry[]): readonly ClassEntry[] {
  if (classes.length < 2) return classes
  const byUnit = new Map(classes.map((entry) => [entry.unit, entry]))
  const ordered = new Set<ClassEntry>()
  const place = (entry: ClassEntry): void => {
    const parent = entry.parent?.[0] === 'unit' ? byUnit.get(entry.parent[1]) : undefined
    if (parent !== undefined && !ordered.has(parent)) place(parent)
    ordered.add(entry)
  }
  classes.forEach(place)
  return [...ordered]
}
