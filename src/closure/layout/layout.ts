/**
 * Writes the factory text of one group of units: its variables, and a maker for each unit, every text on
 * the line and column where it stood in its script. Called by capture when the walk has ended; pure, and
 * knows no values but the names of functions.
 *
 * The text that comes out:
 *
 *     (function(owned,load,meta){'use strict';var stop,a,b;return[
 *       [function(w,v){return w?a=v:a}, …],              one accessor per cell
 *       [function(){return[{["f"]:(TEXT)},(TEXT)]},      makers: of functions, all that stand together,
 *        function(parent,keys,hooks){return(TEXT)}, …],  of classes, one by one
 *       function(v){stop=v}]})
 *
 * on as few lines as the units' own; the glue's names are absent from all of their texts.
 */
import { encode } from '../../codec/encode.ts'
import { Writer } from '../../codec/writer.ts'
import { classShape } from './classes.ts'
import { Page } from './page.ts'
import { composeMap, sliceMap, type Placed } from './sourcemap.ts'
import { chooseNames, editUnit, nameOf, wrappings, type Names } from './spelling.ts'
import type { CellData, TemplateData, UnitData } from '../template.ts'
import type { Cell, Script, Template, Unit } from '../unit.ts'

/** Units of one script that share cells; orders are those of the template's makers and accessors. */
export interface Group {
  readonly script: Script
  readonly units: readonly Unit[]
  readonly cells: readonly Cell[]
}

/**
 * The code of a group, named by a hash of its content. The same units in the same order give the same
 * template.
 */
export function makeTemplate(group: Group): Template {
  const key = keyOf(group)
  let template = made.get(key)
  if (template === undefined) {
    template = pack(layOut(group))
    if (made.size >= mostMade) made.clear()
    made.set(key, template)
  }
  return template
}

const made = new Map<string, Template>()
const mostMade = 2_000

/** All that a template depends on, in a form that is quick to compare. */
function keyOf({ script, units, cells }: Group): string {
  let key = `${script.id} ${script.url}`
  for (const { name, assigned, boxed, owned } of cells)
    key += `\n${name} ${assigned ? 1 : 0}${boxed === true ? 1 : 0} ${owned ?? ''}`
  for (const unit of units) {
    key += `\n\n${unit.line}:${unit.column}:${nameOf(unit)}:${unit.text}`
    for (const [name, cell] of unit.cells) key += `\n${name}=${cells.indexOf(cell)}`
  }
  return key
}

function pack(data: Omit<TemplateData, 'id'>): Template {
  const id = hash(JSON.stringify(data))
  const writer = new Writer(data.text.length * 2 + 512)
  encode({ ...data, id }, writer)
  return { id, bytes: writer.bytes.subarray(0, writer.pos) }
}

function layOut(group: Group): Omit<TemplateData, 'id'> {
  const { script, units, cells } = group
  const names = chooseNames(units, cells)
  const factory = new FactoryText(group, names)
  const text = factory.write()
  return {
    url: script.url,
    kind: script.kind,
    strict: script.strict,
    text,
    line: factory.line,
    column: factory.column,
    cells: cells.map((cell): CellData => {
      const { name, assigned, owned } = cell
      return { name, assigned, boxed: names.boxes.has(cell), owned }
    }),
    units: factory.units,
    imports: units.some((unit) => unit.analysis.imports.length > 0),
    metas: units.some((unit) => unit.analysis.metas.length > 0),
    map: composeMap(script, text, factory.placed, factory.displaced),
    scriptMap: sliceMap(script, units),
  }
}

/** One factory text while it is written. */
class FactoryText {
  readonly #group: Group
  readonly #names: Names
  readonly #page: Page
  /** Where the text begins, in the script's coordinates. */
  readonly line: number
  readonly column: number
  readonly units: UnitData[] = []
  readonly placed: Placed[] = []
  displaced = false
  #makers = 0
  /** Functions that the maker at the end of the text makes so far; none where that maker is a class's. */
  #items = 0

  constructor(group: Group, names: Names) {
    this.#group = group
    this.#names = names
    const first = this.#order()[0] as Unit
    const before = this.#head() + (this.#openings(first)[0] as Opening).before
    this.line = first.line
    this.column = first.column - before.length
    this.#page = new Page(this.line, this.column)
  }

  write(): string {
    const page = this.#page
    page.append(this.#head())
    const late: Unit[] = []
    for (const unit of this.#order()) {
      const fits = ({ before }: Opening): boolean => page.reaches(unit.line, unit.column, before.length)
      const opening = this.#openings(unit).find(fits)
      if (opening === undefined) late.push(unit)
      else this.#place(unit, opening)
    }
    this.displaced = late.length > 0
    for (const unit of late) this.#place(unit, this.#openings(unit)[0] as Opening)
    const { stop, value } = this.#names
    page.append(`${this.#closeList()}],function(${value}){${stop}=${value}}]})`)
    return page.text
  }

  #order(): Unit[] {
    return [...this.#group.units].sort((a, b) => a.line - b.line || a.column - b.column)
  }

  /** All that stands before the first maker. */
  #head(): string {
    const { owned, load, meta, stop, write, value, read, open, boxes, variables } = this.#names
    const { script, cells } = this.#group
    const plain = cells.filter((cell) => cell.owned === undefined)
    const own = plain.map((cell) => (boxes.has(cell) ? `${boxes.get(cell)}={v:void 0}` : variables.get(cell)))
    if (boxes.size > 0) own.push(`${open}=function(${value}){return ${value}.v}`)
    if (plain.length < cells.length) own.push(`${read}=function(${value}){return ${owned}[${value}]}`)
    const accessors = cells.map((cell) => {
      const variable = variables.get(cell)
      const use = `${write}?${variable}=${value}:${variable}`
      const box = boxes.get(cell)
      if (box === undefined) return `function(${write},${value}){return ${use}}`
      // With a third argument it gives or takes the box itself.
      return `function(${write},${value},b){return b===void 0?${use}:b?${box}=b:${box}}`
    })
    const strict = script.strict ? "'use strict';" : ''
    const head = `(function(${owned},${load},${meta}){${strict}var ${[stop, ...own].join()};`
    return `${head}return[[${accessors.join()}],[`
  }

  #closeList(): string {
    return this.#items > 0 ? ']}' : ''
  }

  /** What can stand between the end of the text and the unit. */
  #openings(unit: Unit): Opening[] {
    const { parent, keys, hooks } = this.#names
    const comma = this.#makers > 0 ? ',' : ''
    return wrappings(unit).map(([before, after]) => {
      if (unit.kind === 'class')
        return {
          before: `${this.#closeList()}${comma}function(${parent},${keys},${hooks}){return${before}`,
          after: `${after}}`,
        }
      return { before: (this.#items > 0 ? ',' : `${comma}function(){return[`) + before, after }
    })
  }

  #place(unit: Unit, { before, after }: Opening): void {
    const page = this.#page
    const edited = editUnit(unit, this.#names)
    page.append(before)
    page.moveTo(unit.line, unit.column)
    const isClass = unit.kind === 'class'
    if (isClass || this.#items === 0) this.#makers++
    this.placed.push({ unit, edited, start: page.text.length })
    this.units[this.#group.units.indexOf(unit)] = {
      ...describe(unit, this.#group.cells),
      maker: this.#makers - 1,
      item: isClass ? 0 : this.#items,
      start: page.text.length,
      end: page.text.length + edited.text.length,
      original: edited.text === unit.text ? undefined : unit.text,
    }
    this.#items = isClass ? 0 : this.#items + 1
    page.append(edited.text + after)
  }
}

interface Opening {
  readonly before: string
  readonly after: string
}

function describe(
  unit: Unit,
  cells: readonly Cell[],
): Omit<UnitData, 'maker' | 'item' | 'start' | 'end' | 'original'> {
  const shape = unit.kind === 'class' ? classShape(unit.analysis) : undefined
  return {
    kind: unit.kind === 'class' ? 'class' : unit.analysis.form === 'expression' ? 'function' : 'method',
    name: nameOf(unit),
    line: unit.line,
    column: unit.column,
    cells: [...unit.cells].map(([name, cell]) => [name, cells.indexOf(cell)] as const),
    fields: shape?.fields ?? [],
    statics: shape?.statics ?? [],
    branded: shape?.brand !== undefined,
  }
}

/** Names a template. Loaded with the first: node:crypto takes 3 ms. */
function hash(text: string): string {
  const { createHash } = process.getBuiltinModule('node:crypto')
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
