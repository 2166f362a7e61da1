import type { Ranged } from './syntax.ts'

/**
 * Levels of a syntax tree, more than any machine writes. Chains such as `a + b + c` or `x.y.z` are trees as deep as
 * they are long, although the parser reads them in a loop; whoever walks a tree recursively relies on this bound.
 */
const maximumDepth = 500

/** The first part of the trees that lies too deep, found without recursion. */
export function findTooDeep(roots: readonly Ranged[]): Ranged | undefined {
  const pending: { node: object; depth: number }[] = roots.map((node) => ({ node, depth: 1 }))
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    const { node, depth } = item
    if (depth > maximumDepth && 'start' in node) return node as Ranged
    const inner = Array.isArray(node) ? depth : depth + 1
    for (const part of Object.values(node) as unknown[])
      if (typeof part === 'object' && part !== null) pending.push({ node: part, depth: inner })
  }
  return undefined
}
