/**
 * Variables that belong to the workers: those that a pool's initializer assigns, as in `let db; new Pool(4, {
 * initializer: () => { db = connect() } })`, or whose objects it changes, as in `state.db = connect()`. The
 * initializer and the tasks then mean the worker's own variable, by a key; no snapshot of it is sent with
 * tasks. Made by initializer, asked by the finder.
 */
import type * as Acorn from 'acorn'
import type { Analysis, Cell } from '../unit.ts'

/** What `ownedVariables` found out about one initializer. */
export class OwnedVariables {
  readonly initializer: Function
  /** Names that it puts on the global object. */
  readonly globals: ReadonlySet<string>
  readonly #keys = new Map<string, string>()
  readonly #revived = new Map<Cell, string>()
  readonly #needed = new Set<string>()

  constructor(initializer: Function, globals: ReadonlySet<string>) {
    this.initializer = initializer
    this.globals = globals
  }

  get size(): number {
    return this.#keys.size + this.#revived.size + this.globals.size
  }

  /** Makes `name` of the scope an owned variable; `needed` where the initializer uses its first value. */
  add(scopeKey: string, name: string, needed: boolean): void {
    this.#keys.set(`${scopeKey}\n${name}`, this.#newKey(name, needed))
  }

  #newKey(name: string, needed: boolean): string {
    const key = `${name}@${++count}`
    if (needed) this.#needed.add(key)
    return key
  }

  /** Whether the initializer cannot do without the variable's first value: it changes the object in it. */
  isNeeded(key: string): boolean {
    return this.#needed.has(key)
  }

  /** The key under which workers keep the variable; undefined where it is an ordinary one. */
  keyOf(scopeKey: string, name: string): string | undefined {
    return this.#keys.get(`${scopeKey}\n${name}`)
  }

  /** The same of a variable of revived functions, which is told by its cell. */
  addRevived(cell: Cell, needed: boolean): void {
    this.#revived.set(cell, this.#newKey(cell.name, needed))
  }

  keyOfRevived(cell: Cell): string | undefined {
    return this.#revived.get(cell)
  }
}

let count = 0

/** The names that a text assigns on the global object: `globalThis.db = …`. */
export function assignedGlobals({ node }: Analysis): string[] {
  const names: string[] = []
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit)
    if (typeof value !== 'object' || value === null || typeof (value as Acorn.Node).type !== 'string') return
    const one = value as Acorn.AnyNode
    if (one.type === 'AssignmentExpression' && one.left.type === 'MemberExpression') {
      const { object, property, computed } = one.left
      const onGlobal =
        object.type === 'Identifier' && (object.name === 'globalThis' || object.name === 'global')
      if (onGlobal && !computed && property.type === 'Identifier') names.push(property.name)
    }
    Object.values(one).forEach(visit)
  }
  visit(node)
  return names
}
