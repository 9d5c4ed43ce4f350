/**
 * Payloads made by hand for the tests of the receiving half: units from real functions, with whatever cells
 * the test says. Real captures are tested in capture-*.test.ts; here the two halves are apart.
 */
import { encode, type EncodeExtension, type Encoder } from '#plait/codec/encode.js'
import { Writer } from '#plait/codec/writer.js'
import { makeTemplate, type Group } from '#plait/closure/layout/layout.js'
import { analyse } from '#plait/closure/text/parse.js'
import { Reviver } from '#plait/closure/revive.js'
import type { Cell, Script, Unit } from '#plait/closure/unit.js'
import {
  form,
  node,
  record,
  type ClassEntry,
  type Early,
  type Prelude,
  type Reference,
} from '#plait/closure/wire.js'

export const script: Script = {
  id: '1',
  url: 'file:///app/main.js',
  kind: 'module',
  strict: true,
  sourceMapURL: undefined,
}

export function cell(name: string, value?: unknown, more: Partial<Cell> = {}): Cell {
  return { name, value, assigned: false, owned: undefined, ...more }
}

export function unit(
  value: Function,
  cells: readonly Cell[] = [],
  more: Partial<Unit> & { text?: string } = {},
): Unit {
  const text = more.text ?? Function.prototype.toString.call(value)
  const analysis = analyse(text, (more.script ?? script).strict)
  return {
    value,
    kind: analysis.kind,
    text,
    analysis,
    script,
    line: 0,
    column: 0,
    cells: new Map(cells.map((one) => [one.name, one])),
    home: undefined,
    ...more,
  }
}

/** What a test says of a payload; orders of units and cells are those of the groups, one after the other. */
export interface Plan {
  readonly groups: readonly (readonly Unit[])[]
  readonly root: unknown
  readonly references?: readonly Reference[]
  /** Of the cells whose values travel in the prelude. */
  readonly early?: ReadonlyMap<Cell, Early>
  readonly classes?: readonly (Partial<ClassEntry> & { readonly value: Function })[]
  readonly owned?: readonly (readonly [key: string, cell: Cell])[]
  /** Further records, written by the test. */
  readonly records?: (encoder: Encoder, number: (value: Function) => number) => void
  /** Values that the test writes itself: node kind and parts. */
  readonly write?: (value: object | symbol, encoder: Encoder) => boolean
}

export interface Made {
  readonly templates: readonly Buffer[]
  readonly bytes: Buffer
}

/** Writes a payload as capture would. */
export function payload(plan: Plan): Made {
  const groups = plan.groups.map((units): Group => {
    const cells = new Set(units.flatMap((one) => [...one.cells.values()]))
    return { script: units[0].script, units, cells: [...cells] }
  })
  const units = plan.groups.flat()
  const cells = [...new Set(groups.flatMap((group) => group.cells))]
  for (const [, first] of plan.owned ?? []) if (!cells.includes(first)) cells.push(first)
  const numbers = new Map(units.map((one, index) => [one.value, index]))
  const number = (value: Function): number => numbers.get(value) as number
  const templates = groups.map(makeTemplate)
  const early = plan.early ?? new Map<Cell, Early>()
  const prelude: Prelude = {
    references: plan.references ?? [],
    groups: groups.map((group, index) => ({
      template: (templates[index] as { id: string }).id,
      units: group.units.map((one) => number(one.value)),
      cells: group.cells.map((one) => cells.indexOf(one)),
    })),
    classes: (plan.classes ?? []).map(({ value, ...entry }) => ({
      unit: number(value),
      id: `test:${value.name}:${counter++}`,
      parent: undefined,
      keys: [],
      ...entry,
    })),
    early: [...early].map(([one, value]) => [cells.indexOf(one), value] as const),
    owned: (plan.owned ?? []).map(([key, one]) => [key, cells.indexOf(one)] as const),
    units: units.length,
  }
  const root = (): void => {}
  const extension: EncodeExtension = {
    encode(value, encoder) {
      if (value === root) {
        encoder.writeUint(node.root)
        encoder.write(plan.root)
        for (const [index, one] of cells.entries()) {
          if (early.has(one) || one.owned !== undefined) continue
          encoder.writeUint(record.cell)
          encoder.writeUint(index)
          encoder.write(one.value)
        }
        plan.records?.(encoder, number)
        encoder.writeUint(record.end)
      } else if (plan.write?.(value, encoder) !== true) {
        encoder.writeUint(node.unit)
        encoder.writeUint(number(value as Function))
      }
    },
  }
  const writer = new Writer()
  writer.reserve(5)
  writer.bytes[0] = form.captured
  writer.pos = 5
  encode(root, writer, extension)
  writer.bytes.writeUInt32LE(writer.pos - 5, 1)
  encode(prelude, writer)
  return { templates: templates.map(({ bytes }) => bytes), bytes: writer.bytes.subarray(0, writer.pos) }
}

let counter = 0

/** Takes a payload in, as a worker would. */
export async function receive({ templates, bytes }: Made): Promise<unknown> {
  const reviver = new Reviver()
  for (const template of templates) reviver.addTemplate(template)
  await reviver.prepare(bytes, 0, bytes.length)
  return reviver.revive(bytes, 0, bytes.length)
}

/** There and back. */
export function trip(plan: Plan): Promise<unknown> {
  return receive(payload(plan))
}
