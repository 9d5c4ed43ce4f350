/**
 * Which names the statements of a function body or block declare. Called by scope alone; looks at
 * declarations only, never into nested functions, and never at expressions.
 */
import type * as Acorn from 'acorn'

/** The names that a pattern binds. */
export function declarePattern(node: Acorn.Pattern, names: Set<string>): void {
  switch (node.type) {
    case 'Identifier':
      names.add(node.name)
      return
    case 'ObjectPattern':
      for (const property of node.properties)
        declarePattern(property.type === 'RestElement' ? property.argument : property.value, names)
      return
    case 'ArrayPattern':
      for (const element of node.elements) if (element !== null) declarePattern(element, names)
      return
    case 'RestElement':
      return declarePattern(node.argument, names)
    case 'AssignmentPattern':
      return declarePattern(node.left, names)
  }
}

/** The names that let, const, using, class and function declare in exactly this list. */
export function declareLexical(nodes: readonly Acorn.AnyNode[], names: Set<string>): void {
  for (let node of nodes) {
    while (node.type === 'LabeledStatement') node = node.body
    if (node.type === 'VariableDeclaration' && node.kind !== 'var')
      for (const { id } of node.declarations) declarePattern(id, names)
    else if ((node.type === 'ClassDeclaration' || node.type === 'FunctionDeclaration') && node.id != null)
      names.add(node.id.name)
  }
}

/** The names that `var` hoists to the function, and in sloppy code the functions declared in blocks. */
export function declareVariables(
  nodes: readonly (Acorn.AnyNode | null | undefined)[],
  names: Set<string>,
  strict: boolean,
): void {
  for (const node of nodes) {
    switch (node?.type) {
      case 'VariableDeclaration':
        if (node.kind === 'var') for (const { id } of node.declarations) declarePattern(id, names)
        break
      case 'FunctionDeclaration':
        if (!strict && node.id != null) names.add(node.id.name)
        break
      case 'BlockStatement':
        declareVariables(node.body, names, strict)
        break
      case 'IfStatement':
        declareVariables([node.consequent, node.alternate], names, strict)
        break
      case 'ForStatement':
        declareVariables([node.init, node.body], names, strict)
        break
      case 'ForInStatement':
      case 'ForOfStatement':
        declareVariables([node.left, node.body], names, strict)
        break
      case 'WhileStatement':
      case 'DoWhileStatement':
      case 'LabeledStatement':
      case 'WithStatement':
        declareVariables([node.body], names, strict)
        break
      case 'TryStatement':
        declareVariables([node.block, node.handler?.body, node.finalizer], names, strict)
        break
      case 'SwitchStatement':
        for (const one of node.cases) declareVariables(one.consequent, names, strict)
        break
    }
  }
}
