import type { Expr, Stmt } from './syntax.ts'

/** The names that statements assign, in nested blocks too; of a loop with its target. */
export function assignedNames(body: readonly Stmt[], target?: Expr): Set<string> {
  const names = new Set<string>()
  if (target) addTarget(target, names)
  for (const statement of body) addStatement(statement, names)
  return names
}

function addTarget(target: Expr, names: Set<string>): void {
  if (target.kind === 'name') names.add(target.name)
  else if (target.kind === 'tuple' || target.kind === 'list')
    for (const element of target.elements) addTarget(element, names)
  else if (target.kind === 'starred') addTarget(target.value, names)
}

function addStatement(statement: Stmt, names: Set<string>): void {
  switch (statement.kind) {
    case 'assign':
      for (const target of statement.targets) addTarget(target, names)
      return
    case 'augmented-assign': {
      addTarget(statement.target, names)
      return
    }
    case 'if':
      for (const inner of [...statement.body, ...statement.orelse]) addStatement(inner, names)
      return
    case 'for':
      addTarget(statement.target, names)
      for (const inner of statement.body) addStatement(inner, names)
      return
    case 'while':
      for (const inner of statement.body) addStatement(inner, names)
      return
    case 'with':
      for (const item of statement.items) if (item.target) addTarget(item.target, names)
      for (const inner of statement.body) addStatement(inner, names)
      return
    default:
      return
  }
}
