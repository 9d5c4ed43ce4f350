/**
 * Scope analysis of one function or class: which names it uses and does not bind, where, and what of the
 * method around it an arrow reaches for. Called by parse alone, once per text. Follows the specification's
 * scopes: parameters, bodies, blocks, loops, catch, switch, classes, named expressions, function hoisting in
 * sloppy code.
 */
import type * as Acorn from 'acorn'
import { declareLexical, declarePattern, declareVariables } from './declare.ts'
import type { Analysis, FreeName, NameUse } from '../unit.ts'

interface Scope {
  readonly names: ReadonlySet<string>
  readonly parent: Scope | null
  /** The #names of a class body. */
  readonly privates?: ReadonlySet<string>
}

/** What an arrow would find around it: false where the text itself provides it. */
interface Surroundings {
  /** Of `this` and new.target. */
  readonly this: boolean
  readonly arguments: boolean
  readonly super: boolean
}

type MutableFreeName = { -readonly [K in keyof FreeName]: FreeName[K] } & { uses: NameUse[] }
type MutableOuter = { -readonly [K in keyof Analysis['outer']]: Analysis['outer'][K] }
type Position = { readonly start: number; readonly end: number }
type Root = Pick<Analysis, 'form' | 'node' | 'member' | 'shift'> & { readonly strict: boolean }

const outside: Surroundings = { this: true, arguments: true, super: true }
const inFunction: Surroundings = { this: false, arguments: false, super: false }

/** Analyses what parse found. */
export function resolveNames(root: Root): Analysis {
  return new Resolver(root).resolve()
}

class Resolver {
  readonly #root: Root
  readonly #free = new Map<string, MutableFreeName>()
  readonly #keyNames = new Map<string, MutableFreeName>()
  readonly #self = new Map<string, MutableFreeName>()
  readonly #metas: Position[] = []
  readonly #imports: Position[] = []
  readonly #privates = new Set<string>()
  readonly #outer: MutableOuter = {
    this: false,
    arguments: false,
    super: false,
    newTarget: false,
    directEval: false,
    with: false,
    privateNames: [],
  }
  #scope: Scope | null = null
  #around = outside
  #strict: boolean
  #inRootKey = false
  /** The scope of the root's own name. */
  #selfScope: Scope | null = null

  constructor(root: Root) {
    this.#root = root
    this.#strict = root.strict
  }

  resolve(): Analysis {
    const { form, node, member, shift } = this.#root
    const isClass = node.type === 'ClassExpression'
    let strict = isClass || this.#strict || form === 'class' || form === 'static'
    this.#strict = strict
    if (isClass) this.#class(node as Acorn.ClassExpression, true)
    else strict = this.#function(node as Acorn.FunctionExpression | Acorn.ArrowFunctionExpression, true)
    this.#outer.privateNames = [...this.#privates]
    return {
      form,
      kind: isClass ? 'class' : 'function',
      node,
      member,
      shift,
      free: this.#free,
      keyNames: this.#keyNames,
      self: [...this.#self.values()][0],
      metas: this.#metas,
      imports: this.#imports,
      outer: this.#outer,
      strict,
    }
  }

  // ── names ──

  #use(
    node: Acorn.Identifier,
    role: NameUse['role'] = 'plain',
    how: 'read' | 'assign' | 'typeof' = 'read',
  ): void {
    const { name } = node
    let scope = this.#scope
    while (scope !== null && !scope.names.has(name)) scope = scope.parent
    if (scope !== null && scope !== this.#selfScope) return
    if (name === 'arguments' && scope === null) {
      if (this.#around.arguments) this.#outer.arguments = true
      return
    }
    const free = this.#note(
      scope !== null ? this.#self : this.#inRootKey ? this.#keyNames : this.#free,
      name,
      node,
      role,
    )
    if (how === 'assign') free.assigned = true
    if (how !== 'typeof') free.onlyTypeof = false
  }

  #note(
    table: Map<string, MutableFreeName>,
    name: string,
    node: Acorn.Node,
    role: NameUse['role'],
  ): MutableFreeName {
    let free = table.get(name)
    if (free === undefined) table.set(name, (free = { name, uses: [], assigned: false, onlyTypeof: true }))
    free.uses.push({ ...this.#position(node.start, node.end), role })
    return free
  }

  #inside(names: ReadonlySet<string>, visit: () => void, privates?: ReadonlySet<string>): void {
    const before = this.#scope
    this.#scope = { names, parent: before, ...(privates === undefined ? {} : { privates }) }
    visit()
    this.#scope = before
  }

  #surrounded(around: Surroundings, visit: () => void): void {
    const before = this.#around
    this.#around = around
    visit()
    this.#around = before
  }

  // ── functions and classes ──

  /** Returns whether its body is strict. */
  #function(
    node: Acorn.FunctionExpression | Acorn.FunctionDeclaration | Acorn.ArrowFunctionExpression,
    root = false,
  ): boolean {
    const before = this.#strict
    if (node.body.type === 'BlockStatement' && node.body.body.some(isUseStrict)) this.#strict = true
    const strict = this.#strict
    const arrow = node.type === 'ArrowFunctionExpression'
    const named =
      node.type === 'FunctionExpression' && node.id != null ? new Set([node.id.name]) : new Set<string>()
    this.#inside(named, () => {
      if (root) this.#selfScope = this.#scope
      this.#surrounded(arrow ? this.#around : inFunction, () => this.#parametersAndBody(node))
    })
    this.#strict = before
    return strict
  }

  #parametersAndBody(node: Acorn.Function): void {
    const parameters = new Set<string>()
    for (const parameter of node.params) declarePattern(parameter, parameters)
    this.#inside(parameters, () => {
      for (const parameter of node.params) this.#pattern(parameter, 'bind')
      if (node.body.type !== 'BlockStatement') return this.#visit(node.body)
      const { body } = node.body
      const names = new Set<string>()
      declareVariables(body, names, this.#strict)
      declareLexical(body, names)
      this.#inside(names, () => this.#visitAll(body))
    })
  }

  #class(node: Acorn.ClassExpression | Acorn.ClassDeclaration, root = false): void {
    const strict = this.#strict
    this.#strict = true
    const privates = new Set<string>()
    for (const element of node.body.body)
      if (element.type !== 'StaticBlock' && element.key.type === 'PrivateIdentifier')
        privates.add(element.key.name)
    const visit = (): void => {
      if (root) this.#selfScope = this.#scope
      if (!root && node.superClass != null) this.#visit(node.superClass)
      for (const element of node.body.body) this.#element(element, root)
    }
    this.#inside(new Set(node.id == null ? [] : [node.id.name]), visit, privates)
    this.#strict = strict
  }

  #element(
    element: Acorn.MethodDefinition | Acorn.PropertyDefinition | Acorn.StaticBlock,
    root: boolean,
  ): void {
    if (element.type === 'StaticBlock') {
      if (root) return
      const names = new Set<string>()
      declareVariables(element.body, names, true)
      declareLexical(element.body, names)
      return this.#surrounded(inFunction, () => this.#inside(names, () => this.#visitAll(element.body)))
    }
    if (root && element.type === 'PropertyDefinition' && element.static) return
    if (element.computed) {
      this.#inRootKey = root
      this.#visit(element.key)
      this.#inRootKey = false
    }
    if (element.value == null) return
    const { value } = element
    this.#surrounded(inFunction, () => this.#visit(value))
  }

  // ── patterns ──

  /** Visits what a pattern evaluates: defaults and keys; and where it assigns, its targets. */
  #pattern(node: Acorn.Pattern, mode: 'bind' | 'assign', shorthand = false): void {
    switch (node.type) {
      case 'Identifier':
        if (mode === 'assign') this.#use(node, shorthand ? 'shorthand' : 'plain', 'assign')
        return
      case 'ObjectPattern':
        for (const property of node.properties) {
          if (property.type === 'RestElement') {
            this.#pattern(property.argument, mode)
            continue
          }
          if (property.computed) this.#visit(property.key)
          this.#pattern(property.value, mode, property.shorthand)
        }
        return
      case 'ArrayPattern':
        for (const element of node.elements) if (element !== null) this.#pattern(element, mode)
        return
      case 'RestElement':
        return this.#pattern(node.argument, mode)
      case 'AssignmentPattern':
        this.#pattern(node.left, mode, shorthand)
        return this.#visit(node.right)
      default:
        this.#visit(node)
    }
  }

  // ── everything else ──

  #visitAll(nodes: readonly (Acorn.AnyNode | null)[]): void {
    for (const node of nodes) if (node !== null) this.#visit(node)
  }

  #visitChildren(node: Acorn.AnyNode): void {
    for (const child of Object.values(node) as unknown[]) {
      if (Array.isArray(child)) this.#visitAll(child as (Acorn.AnyNode | null)[])
      else if (isNode(child)) this.#visit(child)
    }
  }

  #block(nodes: readonly Acorn.AnyNode[], visit: () => void): void {
    const names = new Set<string>()
    declareLexical(nodes, names)
    if (names.size === 0) visit()
    else this.#inside(names, visit)
  }

  #visit(node: Acorn.AnyNode): void {
    switch (node.type) {
      case 'Identifier':
        return this.#use(node)
      case 'FunctionExpression':
      case 'FunctionDeclaration':
      case 'ArrowFunctionExpression':
        this.#function(node as Acorn.FunctionExpression)
        return
      case 'ClassExpression':
      case 'ClassDeclaration':
        return this.#class(node as Acorn.ClassExpression)
      case 'BlockStatement':
        return this.#block(node.body, () => this.#visitAll(node.body))
      case 'SwitchStatement': {
        this.#visit(node.discriminant)
        const statements = node.cases.flatMap((one) => one.consequent)
        return this.#block(statements, () => this.#visitAll(node.cases))
      }
      case 'CatchClause': {
        const names = new Set<string>()
        if (node.param != null) declarePattern(node.param, names)
        return this.#inside(names, () => {
          if (node.param != null) this.#pattern(node.param, 'bind')
          this.#visit(node.body)
        })
      }
      case 'ForStatement':
        return this.#block(node.init == null ? [] : [node.init], () => this.#visitChildren(node))
      case 'ForInStatement':
      case 'ForOfStatement':
        return this.#block([node.left], () => {
          if (node.left.type === 'VariableDeclaration') this.#visit(node.left)
          else this.#pattern(node.left, 'assign')
          this.#visit(node.right)
          this.#visit(node.body)
        })
      case 'VariableDeclarator':
        this.#pattern(node.id, 'bind')
        return node.init == null ? undefined : this.#visit(node.init)
      case 'AssignmentExpression':
        this.#pattern(node.left, 'assign')
        return this.#visit(node.right)
      case 'UpdateExpression':
        return this.#pattern(node.argument as Acorn.Pattern, 'assign')
      case 'LabeledStatement':
        return this.#visit(node.body)
      case 'BreakStatement':
      case 'ContinueStatement':
        return
      case 'WithStatement':
        this.#outer.with = true
        return this.#visitChildren(node)
      default:
        this.#expression(node)
    }
  }

  #expression(node: Acorn.AnyNode): void {
    switch (node.type) {
      case 'Property':
        if (node.computed) this.#visit(node.key)
        if (node.shorthand && node.value.type === 'Identifier') return this.#use(node.value, 'shorthand')
        return this.#visit(node.value)
      case 'MemberExpression':
        this.#visit(node.object)
        if (node.computed || node.property.type === 'PrivateIdentifier') this.#visit(node.property)
        return
      case 'CallExpression':
        if (node.callee.type === 'Identifier') {
          if (node.callee.name === 'eval' && !node.optional && !this.#binds('eval'))
            this.#outer.directEval = true
          this.#use(node.callee, 'callee')
        } else this.#visit(node.callee)
        return this.#visitAll(node.arguments)
      case 'TaggedTemplateExpression':
        if (node.tag.type === 'Identifier') this.#use(node.tag, 'callee')
        else this.#visit(node.tag)
        return this.#visit(node.quasi)
      case 'UnaryExpression':
        if (node.operator === 'typeof' && node.argument.type === 'Identifier')
          return this.#use(node.argument, 'plain', 'typeof')
        return this.#visit(node.argument)
      case 'ThisExpression':
        if (!this.#around.this) return
        this.#outer.this = true
        this.#note(this.#inRootKey ? this.#keyNames : this.#free, 'this', node, 'plain').onlyTypeof = false
        return
      case 'Super':
        if (this.#around.super) this.#outer.super = true
        return
      case 'PrivateIdentifier':
        if (!this.#bindsPrivate(node.name)) this.#privates.add(node.name)
        return
      case 'MetaProperty':
        if (node.meta.name === 'import') this.#metas.push(this.#position(node.start, node.end))
        else if (this.#around.this) this.#outer.newTarget = true
        return
      case 'ImportExpression':
        this.#imports.push(this.#position(node.start, node.start + 'import'.length))
        return this.#visitChildren(node)
      default:
        this.#visitChildren(node)
    }
  }

  #position(start: number, end: number): Position {
    return { start: start + this.#root.shift, end: end + this.#root.shift }
  }

  #binds(name: string): boolean {
    for (let scope = this.#scope; scope !== null; scope = scope.parent) if (scope.names.has(name)) return true
    return false
  }

  #bindsPrivate(name: string): boolean {
    for (let scope = this.#scope; scope !== null; scope = scope.parent)
      if (scope.privates?.has(name) === true) return true
    return false
  }
}

function isNode(value: unknown): value is Acorn.AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as Acorn.Node).type === 'string'
}

function isUseStrict(statement: Acorn.Statement): boolean {
  return statement.type === 'ExpressionStatement' && statement.directive === 'use strict'
}
