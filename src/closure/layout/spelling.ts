/**
 * One unit's text as it is spelled in a factory: the names of the glue, what each variable is called, and
 * the edits that follow from that. Called by layout; pure.
 */
import { classEdits } from './classes.ts'
import { applyEdits, fit, type Edited } from './edits.ts'
import type { Analysis, Cell, Edit, NameUse, Unit } from '../unit.ts'

// ── names ──

/** Glue names and the variable of each cell. */
export interface Names {
  readonly owned: string
  readonly load: string
  readonly meta: string
  readonly stop: string
  readonly parent: string
  readonly keys: string
  readonly hooks: string
  readonly write: string
  readonly value: string
  /** Reads an owned variable. */
  readonly read: string
  /** Reads a boxed one. */
  readonly open: string
  /** The variable of each box. */
  readonly boxes: ReadonlyMap<Cell, string>
  /** What stands in the text for each cell. */
  readonly variables: ReadonlyMap<Cell, string>
}

export function chooseNames(units: readonly Unit[], cells: readonly Cell[]): Names {
  let glue = '$_'
  for (let n = 0; units.some((unit) => unit.text.includes(glue)); n++) glue = `$_${n}_`
  const variables = new Map<Cell, string>()
  const boxes = new Map<Cell, string>()
  const taken = new Set<string>()
  for (const [index, cell] of cells.entries()) {
    const { name } = cell
    if (cell.boxed === true && cell.owned === undefined && units.some((unit) => isClassWith(unit, cell))) {
      const box = `${glue}x${index}`
      boxes.set(cell, box)
      variables.set(cell, `${box}.v`)
      continue
    }
    const keeps = !taken.has(name) && isVariable(name) && units.every((unit) => means(unit, name, cell))
    if (cell.owned !== undefined) variables.set(cell, `${glue}o[${JSON.stringify(cell.owned)}]`)
    else variables.set(cell, keeps ? name : `${glue}c${index}`)
    if (keeps && cell.owned === undefined) taken.add(name)
  }
  return {
    owned: `${glue}o`,
    load: `${glue}i`,
    meta: `${glue}m`,
    stop: `${glue}r`,
    parent: `${glue}p`,
    keys: `${glue}k`,
    hooks: `${glue}h`,
    write: `${glue}w`,
    value: `${glue}v`,
    read: `${glue}g`,
    open: `${glue}b`,
    boxes,
    variables,
  }
}

function isClassWith({ kind, cells }: Unit, cell: Cell): boolean {
  return kind === 'class' && cells.get(cell.name) === cell
}

/** Whether `name` in the unit's text, where it is there at all, means this cell. */
function means(unit: Unit, name: string, cell: Cell): boolean {
  const { free, keyNames } = unit.analysis
  return (!free.has(name) && !keyNames.has(name)) || unit.cells.get(name) === cell
}

function isVariable(name: string): boolean {
  return (
    /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u.test(name) && name !== 'this' && name !== 'arguments'
  )
}

// ── one unit ──

/** `name` where nothing was changed by hand; a function's own property, never a getter's result. */
export function nameOf(unit: Unit): string | undefined {
  const descriptor = Object.getOwnPropertyDescriptor(unit.value, 'name')
  return typeof descriptor?.value === 'string' ? descriptor.value : undefined
}

export function editUnit(unit: Unit, names: Names): Edited {
  const { text, analysis } = unit
  const edits: Edit[] = []
  for (const [name, cell] of unit.cells) {
    const variable = names.variables.get(cell)
    if (variable === undefined || variable === name) continue
    for (const { start, end, role } of usesOf(analysis, name)) {
      edits.push({ start, end, text: spell(name, cell, variable, role, names) })
    }
  }
  for (const { start, end } of analysis.imports)
    edits.push({ start, end, text: fit(names.load, text.slice(start, end)) })
  for (const { start, end } of analysis.metas)
    edits.push({ start, end, text: fit(names.meta, text.slice(start, end)) })
  if (unit.kind === 'class') edits.push(...classEdits(text, analysis, names))
  const id = unit.analysis.node.id
  if (id != null && unit.cells.has(id.name) && analysis.member === undefined)
    edits.push({
      start: id.start + analysis.shift,
      end: id.end + analysis.shift,
      text: fit('', text.slice(id.start + analysis.shift, id.end + analysis.shift)),
    })
  const { member } = analysis
  if (member?.computed === true) edits.push(plainKey(text, member.key, analysis.shift))
  return applyEdits(text, edits)
}

/**
 * What is written in place of a name. A call must not become a method call, nor begin with a parenthesis (a
 * line above may lack its semicolon).
 */
function spell(name: string, cell: Cell, variable: string, role: NameUse['role'], names: Names): string {
  if (role === 'shorthand') return `${name}:${variable}`
  const box = role === 'callee' ? names.boxes.get(cell) : undefined
  if (box !== undefined) return `${names.open}(${box})`
  return role === 'callee' && cell.owned !== undefined
    ? `${names.read}(${JSON.stringify(cell.owned)})`
    : variable
}

function usesOf({ free, keyNames, self }: Analysis, name: string): readonly NameUse[] {
  const uses = [...(free.get(name)?.uses ?? []), ...(keyNames.get(name)?.uses ?? [])]
  return uses.length > 0 || self?.name !== name ? uses : self.uses
}

/**
 * A method's computed key becomes a plain one: the function is taken out of its object anyway, and named
 * afterwards.
 */
function plainKey(text: string, key: { start: number; end: number }, shift: number): Edit {
  const start = text.lastIndexOf('[', key.start + shift)
  const end = text.indexOf(']', key.end + shift) + 1
  return { start, end, text: fit(' _', text.slice(start, end)) }
}

/**
 * What stands around a unit's text: the ways there are, best first. A shorter one serves where there is no
 * room.
 */
export function wrappings(unit: Unit): readonly (readonly [before: string, after: string])[] {
  const { form, node } = unit.analysis
  switch (form) {
    case 'method':
      return [['{', '}']]
    case 'static':
      return [['class{static ', '}']]
    case 'class':
      return [privateMethod(unit)]
    case 'expression': {
      const bare = ['(', ')'] as const
      const name = node.id != null && !unit.cells.has(node.id.name) ? undefined : nameOf(unit)
      // Named as an assignment names it, so that the engine knows the name too. Computed: "__proto__" is a
      // key as any.
      return name === undefined || name === '' ? [bare] : [[`{[${JSON.stringify(name)}]:(`, ')}'], bare]
    }
  }
}

/** A #private method can only be had from inside a class that has it; one of these is made and dropped. */
function privateMethod(unit: Unit): readonly [before: string, after: string] {
  const { member } = unit.analysis
  const name = member !== undefined && member.key.type === 'PrivateIdentifier' ? member.key.name : undefined
  return name === undefined ? ['class{', '}'] : ['new class{', ` get _(){return this.#${name}}}`]
}
