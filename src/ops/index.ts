import type { Operator } from './operator.ts'

/** Every operator family, in one explicit list: a new family adds one line. */
const families: readonly (readonly Operator[])[] = []

const byKey = new Map<string, Operator>(families.flat().map((operator) => [operator.key, operator]))

/** The operator with a kernel that is named `aten::add.Tensor`, if we have it. */
export function findOperator(key: string): Operator | undefined {
  return byKey.get(key)
}

export function allOperators(): Iterable<Operator> {
  return byKey.values()
}
