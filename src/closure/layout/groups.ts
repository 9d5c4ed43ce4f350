/**
 * Which units stand in one template: those that share a variable which someone assigns. All others stand
 * alone, so that one function's template is the same in whatever company it travels. Called by the walk when
 * it has ended.
 */
import { makeTemplate } from './layout.ts'
import type { Table } from '../walk/table.ts'
import type { Cell, Template, Unit } from '../unit.ts'
import type { Captured } from '../walk/walk.ts'
import type { GroupEntry } from '../wire.ts'

/** Groups in the order of their first units, so that the root's comes first. */
export function joinGroups(
  captured: readonly Captured[],
  table: Table,
): { readonly groups: readonly GroupEntry[]; readonly templates: readonly Template[] } {
  const groups: GroupEntry[] = []
  const templates = new Map<string, Template>()
  for (const members of partition(captured.map(({ unit }) => unit as Unit))) {
    const units = members.map((index) => (captured[index] as Captured).unit as Unit)
    const cells = [...new Set(units.flatMap((unit) => [...unit.cells.values()]))]
    const template = makeTemplate({ script: (units[0] as Unit).script, units, cells })
    templates.set(template.id, template)
    groups.push({ template: template.id, units: members, cells: cells.map((cell) => table.cell(cell)) })
  }
  return { groups, templates: [...templates.values()] }
}

function partition(units: readonly Unit[]): readonly (readonly number[])[] {
  const parents = units.map((_, index) => index)
  const find = (index: number): number => {
    const parent = parents[index] as number
    return parent === index ? index : (parents[index] = find(parent))
  }
  const firsts = new Map<Cell, number>()
  for (const [index, unit] of units.entries())
    for (const cell of unit.cells.values()) {
      if (!cell.assigned || cell.owned !== undefined) continue
      const first = firsts.get(cell)
      if (first === undefined) firsts.set(cell, index)
      else parents[find(index)] = find(first)
    }
  const groups = new Map<number, number[]>()
  for (const index of units.keys()) {
    const root = find(index)
    const group = groups.get(root)
    if (group === undefined) groups.set(root, [index])
    else group.push(index)
  }
  return [...groups.values()]
}
