/**
 * Whether making an instance of a class, with arguments that mean nothing, would go unnoticed: its field
 * initialisers and its constructor do no more than compute and put the result on the new object. Asked by
 * home about classes whose instances come back with #private state; reads the parsed text, and errs towards
 * no.
 */
import type * as Acorn from 'acorn'
import type { Analysis } from '../unit.ts'

/** What making an instance does. */
export interface Making {
  /** Something reaches beyond the object, and this is where it stands. */
  readonly effect: Acorn.Node | undefined
  /** Names of `this` that are read or written: harmless as long as no accessor is behind them. */
  readonly members: ReadonlySet<string>
  /** Static members of the class itself that it counts or keeps something in; they can be put back. */
  readonly statics: ReadonlySet<string>
}

const constructors = wordSet(
  `AggregateError Array ArrayBuffer BigInt64Array BigUint64Array DataView Date Error EvalError
  Float32Array Float64Array Int16Array Int32Array Int8Array Map Number Object RangeError RegExp
  Set String TypeError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef
  WeakSet`,
)
const functions = new Set(
  'Array BigInt Boolean Date Number Object String Symbol isFinite isNaN parseFloat parseInt'.split(' '),
)
const namespaces = new Set('Array BigInt Date JSON Math Number Object Reflect String Symbol'.split(' '))
/** Methods of namespaces that change or call their arguments. */
const changing = wordSet(
  `apply assign construct defineProperties defineProperty deleteProperty for freeze preventExtensions seal
  set setPrototypeOf`,
)
/** Methods of builtin containers, which change nothing but the container. */
const ofContainers = new Set(
  'add concat fill push set slice toString trim toLowerCase toUpperCase unshift'.split(' '),
)
const forbidden = wordSet(
  `AwaitExpression DoWhileStatement ForInStatement ForStatement ImportExpression
  TaggedTemplateExpression WhileStatement WithStatement YieldExpression`,
)
/** Evaluating these runs nothing of what is inside. */
const opaque = new Set(['FunctionExpression', 'ArrowFunctionExpression', 'FunctionDeclaration'])

/** Reads what making an instance of a class does. `names` are variables that hold the class. */
export function readMaking({ node }: Analysis, names: readonly string[]): Making {
  const type = node as Acorn.Class
  const search = new Search(new Set(type.id == null ? names : [...names, type.id.name]))
  return { effect: search.class(type), members: search.members, statics: search.statics }
}

class Search {
  readonly members = new Set<string>()
  readonly statics = new Set<string>()
  /** What the class is called. */
  readonly #types: ReadonlySet<string>
  /** Names that the constructor itself declares. */
  #locals: ReadonlySet<string> = new Set()

  constructor(types: ReadonlySet<string>) {
    this.#types = types
  }

  class(node: Acorn.Class): Acorn.Node | undefined {
    for (const member of node.body.body) {
      if (member.type === 'StaticBlock' || member.static || member.value == null) continue
      let found: Acorn.Node | undefined
      if (member.type === 'PropertyDefinition') {
        this.#locals = new Set()
        found = this.visit(member.value)
      } else if (member.kind === 'constructor') {
        this.#locals = localsOf(member.value)
        found = this.visitAll([...member.value.params, member.value.body])
      }
      if (found !== undefined) return found
    }
    return node.body.body.find(
      (one) =>
        one.type === 'MethodDefinition' &&
        (one.kind === 'get' || one.kind === 'set') &&
        one.key.type === 'PrivateIdentifier' &&
        this.members.has(`#${one.key.name}`),
    )
  }

  visitAll(nodes: readonly (Acorn.AnyNode | null | undefined)[]): Acorn.Node | undefined {
    for (const node of nodes) {
      const found = node == null ? undefined : this.visit(node)
      if (found !== undefined) return found
    }
    return undefined
  }

  visit(node: Acorn.AnyNode): Acorn.Node | undefined {
    if (opaque.has(node.type)) return undefined
    if (forbidden.has(node.type)) return node
    switch (node.type) {
      case 'ClassExpression':
      case 'ClassDeclaration':
      case 'Super':
        return node
      case 'MemberExpression':
        if (node.object.type === 'ThisExpression' && !this.#own(node)) return node
        return this.visitAll(childrenOf(node))
      case 'CallExpression':
        return this.#calls(node) ? (this.visitAll(node.arguments) ?? this.#receiver(node.callee)) : node
      case 'NewExpression':
        return node.callee.type === 'Identifier' && this.#isGlobal(node.callee, constructors)
          ? this.visitAll(node.arguments)
          : node
      case 'AssignmentExpression':
        return this.#writes(node.left) ? this.visitAll([node.right]) : node
      case 'UpdateExpression':
        return this.#writes(node.argument as Acorn.Pattern) ? undefined : node
      case 'UnaryExpression':
        return node.operator === 'delete' ? node : this.visit(node.argument)
      default:
        return this.visitAll(childrenOf(node))
    }
  }

  #receiver(callee: Acorn.Expression | Acorn.Super): Acorn.Node | undefined {
    return callee.type === 'MemberExpression' ? this.visit(callee.object) : undefined
  }

  #calls({ callee, arguments: given }: Acorn.CallExpression): boolean {
    if (callee.type === 'Super') return true
    // What is handed a function may call it.
    if (given.some(({ type }) => opaque.has(type))) return false
    if (callee.type === 'Identifier') return this.#isGlobal(callee, functions)
    if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier')
      return false
    const { object, property } = callee
    if (object.type === 'Identifier' && this.#isGlobal(object, namespaces))
      return !changing.has(property.name)
    return ofContainers.has(property.name) && (this.#own(object) || this.#isLocal(object))
  }

  /** `this.x` or `this.#x`. */
  #own(node: Acorn.AnyNode): boolean {
    if (node.type !== 'MemberExpression' || node.object.type !== 'ThisExpression') return false
    const name = nameOf(node)
    if (name !== undefined) this.members.add(name)
    return name !== undefined
  }

  /** `C.x` or `C.#x` within class C. */
  #ownStatic(node: Acorn.MemberExpression): boolean {
    const { object } = node
    const name = nameOf(node)
    if (object.type !== 'Identifier' || !this.#types.has(object.name) || this.#locals.has(object.name))
      return false
    if (name !== undefined) this.statics.add(name)
    return name !== undefined
  }

  #isGlobal({ name }: Acorn.Identifier, names: ReadonlySet<string>): boolean {
    return names.has(name) && !this.#locals.has(name)
  }

  #isLocal(node: Acorn.Expression | Acorn.Super): boolean {
    let root = node
    while (root.type === 'MemberExpression') root = root.object
    return root.type === 'Identifier' && this.#locals.has(root.name)
  }

  #writes(target: Acorn.Pattern): boolean {
    switch (target.type) {
      case 'Identifier':
        return this.#locals.has(target.name)
      case 'MemberExpression':
        return this.#own(target) || this.#ownStatic(target)
      case 'ArrayPattern':
        return target.elements.every((element) => element === null || this.#writes(element))
      case 'RestElement':
        return this.#writes(target.argument)
      case 'AssignmentPattern':
        return this.#writes(target.left) && this.visit(target.right) === undefined
      case 'ObjectPattern':
        return target.properties.every((one) => this.#writes(one.type === 'RestElement' ? one : one.value))
    }
  }
}

/** Every name that is declared anywhere in a function; too many is no harm, since all of them are its own. */
function localsOf(fn: Acorn.FunctionExpression): ReadonlySet<string> {
  const names = new Set<string>()
  const declare = (node: Acorn.AnyNode): void => {
    if (node.type === 'Identifier') names.add(node.name)
    else if (node.type === 'Property') declare(node.value)
    else if (node.type === 'AssignmentPattern') declare(node.left)
    else childrenOf(node).forEach(declare)
  }
  const look = (node: Acorn.AnyNode): void => {
    if (opaque.has(node.type)) return
    if (node.type === 'VariableDeclarator') declare(node.id)
    childrenOf(node).forEach(look)
  }
  fn.params.forEach(declare)
  look(fn.body)
  return names
}

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(/\s+/))
}

function nameOf({ computed, property }: Acorn.MemberExpression): string | undefined {
  if (computed) return undefined
  if (property.type === 'PrivateIdentifier') return `#${property.name}`
  return property.type === 'Identifier' ? property.name : undefined
}

function childrenOf(node: Acorn.AnyNode): Acorn.AnyNode[] {
  const children: Acorn.AnyNode[] = []
  for (const value of Object.values(node) as unknown[])
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value])
      if (typeof one === 'object' && one !== null && typeof (one as { type?: unknown }).type === 'string')
        children.push(one as Acorn.AnyNode)
  return children
}
