/**
 * Which variables are one variable. V8 hands out a fresh copy of a scope with every look, so the identity of
 * a nested scope is lost; a module's is not. The rule for nested ones: different functions of one script that
 * show a scope of the same name, with the same variables and the same values, share it; the same code seen
 * twice in such a scope may as well be two instances, which is an error once anyone assigns to a variable
 * there. Used by one capture and dropped.
 */
import type { Scope } from './inspector.ts'
import type { Cell } from '../unit.ts'

/** One scope, with the cells of those of its variables that someone captured. */
export interface ScopeCells {
  /** The same for the same scope in later captures too; for two instances of one nested scope as well. */
  readonly key: string
  readonly variables: Scope['variables']
  readonly cells: Map<string, Cell>
  /** The code of each function that showed this scope; undefined for module-level scopes, which are one. */
  readonly codes: Set<string> | undefined
  /** A function whose code was here already. */
  repeated: Function | undefined
}

/** A variable that may be two. */
export interface Double {
  readonly cell: Cell
  readonly fn?: Function
  readonly why: string
  readonly hint: string
}

export class ScopeBook {
  /** Module-level scopes by script, and the global object and scripts' own scope by name. */
  readonly #single = new Map<string, ScopeCells>()
  readonly #nested = new Map<string, ScopeCells[]>()

  /** A scope that exists once per `key`. The first look counts: a capture is one moment. */
  single(key: string, variables: Scope['variables']): ScopeCells {
    let found = this.#single.get(key)
    if (found === undefined) {
      found = { key, variables, cells: new Map(), codes: undefined, repeated: undefined }
      this.#single.set(key, found)
    }
    return found
  }

  /** What `single` was given under this key. */
  known(key: string): ScopeCells | undefined {
    return this.#single.get(key)
  }

  /** The scope that `fn`, whose code is named by `code`, shows. */
  nested(scope: Scope, script: string, fn: Function, code: string): ScopeCells {
    const { variables } = scope
    const names = Object.keys(variables)
    const key = `${script}\n${scope.name}\n${names.join()}`
    const others = this.#nested.get(key) ?? []
    let found = others.find((other) => names.every((name) => sameValue(other.variables, variables, name)))
    if (found === undefined) {
      found = { key, variables, cells: new Map(), codes: new Set(), repeated: undefined }
      this.#nested.set(key, [...others, found])
    }
    if (found.codes?.has(code) === true) found.repeated ??= fn
    found.codes?.add(code)
    return found
  }

  /**
   * An assigned variable of which the receiver would have two, or may have, and whose function shows that;
   * undefined where all is clear. Asked when the walk has ended.
   */
  double(): Double | undefined {
    for (const scopes of this.#nested.values())
      for (const { cells, repeated } of scopes) {
        if (repeated === undefined) continue
        for (const cell of cells.values())
          if (cell.assigned && cell.owned === undefined)
            return {
              cell,
              fn: repeated,
              why: 'several copies of one function assign to it, and which of them share it cannot be told',
              hint: `Put \`${cell.name}\` in an object or class`,
            }
      }
    for (const { cells } of this.#single.values())
      for (const cell of cells.values()) {
        const { declared, owned } = cell
        const target = declared && this.#single.get(declared.key)?.cells.get(declared.name)
        if (target?.assigned === true && owned === undefined)
          return {
            cell,
            why: 'it is an import, and a function of the module that declares it assigns to it',
            hint: `Export a function of that module that reads \`${declared?.name}\``,
          }
      }
    return undefined
  }

  /** Every scope, for those who look for assigned cells. */
  *scopes(): Iterable<ScopeCells> {
    yield* this.#single.values()
    for (const scopes of this.#nested.values()) yield* scopes
  }
}

/** One variable in a snapshot of a scope. */
export interface Variable {
  readonly value: unknown
  /** False before its declaration was reached. Node 20 shows such a variable as undefined. */
  readonly ready: boolean
}

const notReady: Variable = { value: undefined, ready: false }

/** Undefined where the scope has no such variable. */
export function lookUp(variables: object, name: string): Variable | undefined {
  if (!Object.hasOwn(variables, name)) return undefined
  try {
    // Even to ask for the descriptor of a variable that is not initialised yet is an error.
    return { value: Object.getOwnPropertyDescriptor(variables, name)?.value, ready: true }
  } catch {
    return notReady
  }
}

function sameValue(a: Scope['variables'], b: Scope['variables'], name: string): boolean {
  const one = lookUp(a, name)
  const other = lookUp(b, name)
  return Object.is(one?.value, other?.value) && one?.ready === other?.ready
}
