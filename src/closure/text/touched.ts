/**
 * The variables whose objects a text changes: `state.db = …`, `delete state.list[0]`, `cache.set(…)`. Asked
 * for a pool's initializer, whose workers then keep such an object as their own. Reads the text and, to tell
 * `list.push` from `list.map`, what the variables hold; invokes nothing.
 */
import { types } from 'node:util'
import type * as Acorn from 'acorn'
import type { Cell, Unit } from '../unit.ts'

/** Methods of builtin collections that change them; their other methods only read. */
const changing = new Set(
  (
    'set add delete clear append push pop shift unshift splice sort reverse fill copyWithin ' +
    'setTime setDate setFullYear setHours setMinutes setSeconds setMilliseconds setMonth ' +
    'write writeUInt8 writeInt8 writeUInt16LE writeInt32LE writeUInt32LE writeDoubleLE swap16 swap32'
  ).split(' '),
)

/** Functions of Object and Reflect that change their first argument. */
const changers = new Set(
  'assign defineProperty defineProperties setPrototypeOf set deleteProperty'.split(' '),
)

/** The captured variables of a unit whose objects its text changes. */
export function touchedCells({ analysis, cells }: Unit): Set<Cell> {
  const touched = new Set<Cell>()
  const cellAt = (root: Acorn.Identifier): Cell | undefined => {
    const start = root.start + analysis.shift
    const isFree = analysis.free.get(root.name)?.uses.some((use) => use.start === start) === true
    const cell = isFree ? cells.get(root.name) : undefined
    // What travels by name, and globals, are the worker's own already.
    return cell === undefined || cell.reference !== undefined || cell.volatile === true ? undefined : cell
  }
  const touch = (target: Acorn.AnyNode): void => {
    const cell = cellOf(pathOf(target), cellAt)
    if (cell !== undefined) touched.add(cell)
  }
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit)
    if (typeof value !== 'object' || value === null || typeof (value as Acorn.Node).type !== 'string') return
    const one = value as Acorn.AnyNode
    for (const target of targetsOf(one)) touch(target)
    if (one.type === 'CallExpression') {
      const path = pathOf(one.callee)
      const cell = cellOf(path, cellAt)
      if (path !== undefined && cell !== undefined && mayChange(cell.value, path.keys)) touched.add(cell)
      const [first] = one.arguments
      if (first !== undefined && path !== undefined && isChanger(path)) touch(first)
    }
    Object.values(one).forEach(visit)
  }
  visit(analysis.node)
  return touched
}

/** `root.key.key`; a key is undefined where it is computed. */
interface MemberPath {
  readonly root: Acorn.Identifier
  readonly keys: readonly (string | undefined)[]
}

function pathOf(node: Acorn.AnyNode): MemberPath | undefined {
  const keys: (string | undefined)[] = []
  for (let at = node; ;)
    switch (at.type) {
      case 'Identifier':
        return { root: at, keys: keys.reverse() }
      case 'ChainExpression':
        at = at.expression
        break
      case 'MemberExpression':
        keys.push(!at.computed && at.property.type === 'Identifier' ? at.property.name : undefined)
        at = at.object as Acorn.AnyNode
        break
      default:
        return undefined
    }
}

function cellOf(
  path: MemberPath | undefined,
  cellAt: (root: Acorn.Identifier) => Cell | undefined,
): Cell | undefined {
  return path === undefined ? undefined : cellAt(path.root)
}

/** The members that a node assigns or deletes. A plain variable that is assigned is no member. */
function targetsOf(node: Acorn.AnyNode): Acorn.AnyNode[] {
  switch (node.type) {
    case 'AssignmentExpression':
      return membersOf(node.left)
    case 'UpdateExpression':
      return membersOf(node.argument as Acorn.Pattern)
    case 'UnaryExpression':
      return node.operator === 'delete' ? [node.argument] : []
    case 'ForInStatement':
    case 'ForOfStatement':
      return node.left.type === 'VariableDeclaration' ? [] : membersOf(node.left)
    default:
      return []
  }
}

function membersOf(pattern: Acorn.Pattern | null): Acorn.AnyNode[] {
  switch (pattern?.type) {
    case 'MemberExpression':
      return [pattern]
    case 'ObjectPattern':
      return pattern.properties.flatMap((one) =>
        membersOf(one.type === 'RestElement' ? one.argument : one.value),
      )
    case 'ArrayPattern':
      return pattern.elements.flatMap(membersOf)
    case 'RestElement':
      return membersOf(pattern.argument)
    case 'AssignmentPattern':
      return membersOf(pattern.left)
    default:
      return []
  }
}

function isChanger({ root, keys }: MemberPath): boolean {
  const [key] = keys
  return (root.name === 'Object' || root.name === 'Reflect') && key !== undefined && changers.has(key)
}

/** Whether calling the method at the end of `keys` may change what lies in the variable. */
function mayChange(value: unknown, keys: readonly (string | undefined)[]): boolean {
  const method = keys.at(-1)
  if (keys.length === 0) return false
  let receiver = value
  for (const key of keys.slice(0, -1)) {
    if (typeof receiver !== 'object' || receiver === null || types.isProxy(receiver)) return false
    if (key === undefined) return method === undefined || changing.has(method)
    receiver = valueAt(receiver, key)
  }
  if (typeof receiver !== 'object' || receiver === null || types.isProxy(receiver)) return false
  return method === undefined || !isCollection(receiver) || changing.has(method)
}

/** Of a member that is no data, nothing is known: undefined. */
function valueAt(object: object, key: string): unknown {
  for (let one: object | null = object; one !== null; one = Object.getPrototypeOf(one) as object | null) {
    const own = Object.getOwnPropertyDescriptor(one, key)
    if (own !== undefined) return own.value
  }
  return undefined
}

function isCollection(value: object): boolean {
  return (
    Array.isArray(value) ||
    ArrayBuffer.isView(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    value instanceof URLSearchParams
  )
}
