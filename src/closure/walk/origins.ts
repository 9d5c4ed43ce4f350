/**
 * What a revived function or class was captured as, so that it can be captured again without the inspector:
 * its text and place in the author's file, and its variables as they are now. Asked by capture; never
 * loaded by a process that only revives.
 */
import { originIn, type Instance } from '../receive/factory.ts'
import { analyse } from '../text/parse.ts'
import { adoptMap } from '../layout/sourcemap.ts'
import type { CellData, UnitData } from '../template.ts'
import type { Analysis, Cell, Script, Unit } from '../unit.ts'
import type { Reference } from '../wire.ts'

/**
 * The unit that a revived function or class is; undefined for every other. Its cells are the same objects
 * each time.
 */
export function originOf(value: Function): Unit | undefined {
  const origin = originIn(value)
  return origin === undefined ? undefined : new RevivedUnit(value, origin.instance, origin.index)
}

class RevivedUnit implements Unit {
  readonly value: Function
  readonly kind: Unit['kind']
  readonly text: string
  readonly script: Script
  readonly line: number
  readonly column: number
  readonly home: object | undefined
  readonly cells: ReadonlyMap<string, Cell>

  constructor(value: Function, instance: Instance, index: number) {
    const { data } = instance
    const unit = data.units[index] as UnitData
    this.value = value
    this.kind = unit.kind === 'class' ? 'class' : 'function'
    this.text = unit.original ?? data.text.slice(unit.start, unit.end)
    this.script = scriptOf(instance)
    this.line = unit.line
    this.column = unit.column
    this.home = instance.homeOf(index)
    const cells = cellsOf(instance)
    this.cells = new Map(unit.cells.map(([name, cell]) => [name, cells[cell] as Cell]))
  }

  /** Costs acorn, so only where it is asked for. */
  get analysis(): Analysis {
    return analyse(this.text, this.script.strict)
  }
}

const scripts = new WeakMap<object, Script>()

/** One per template. */
function scriptOf({ data }: Instance): Script {
  let script = scripts.get(data)
  if (script === undefined) {
    const { id, url, kind, strict, scriptMap } = data
    script = { id: `template ${id}`, url, kind, strict, sourceMapURL: undefined }
    scripts.set(data, script)
    if (scriptMap !== undefined) adoptMap(script, scriptMap)
  }
  return script
}

/** A variable of a group instance: read when it is asked for. */
class RevivedCell implements Cell {
  readonly name: string
  readonly owned: string | undefined
  readonly boxed: boolean
  assigned: boolean
  readonly #instance: Instance
  readonly #index: number

  constructor(instance: Instance, index: number) {
    const data = instance.data.cells[index] as CellData
    this.name = data.name
    this.owned = data.owned
    this.boxed = data.boxed
    this.assigned = data.assigned
    this.#instance = instance
    this.#index = index
  }

  get value(): unknown {
    return this.#instance.getCell(this.#index)
  }

  get reference(): Reference | undefined {
    return this.#instance.referenceOf(this.#index)
  }
}

const cellsByInstance = new WeakMap<Instance, readonly Cell[]>()

function cellsOf(instance: Instance): readonly Cell[] {
  let cells = cellsByInstance.get(instance)
  if (cells === undefined) {
    cells = instance.data.cells.map((_, index) => new RevivedCell(instance, index))
    cellsByInstance.set(instance, cells)
  }
  return cells
}
