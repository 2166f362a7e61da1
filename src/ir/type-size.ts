import type { Type } from './types.ts'

interface TypeSize {
  readonly depth: number
  /** Nodes of the type written out: what is shared counts each time. */
  readonly nodes: number
}

const limits: TypeSize = { depth: 200, nodes: 50_000 }

const sizes = new WeakMap<Type, TypeSize>()

/**
 * Whether a type is larger than any program means it to be. `y = [x]` and `y = (x, x)`, repeated, make types that no
 * stack and no memory holds when they are walked.
 */
export function isOversized(type: Type): boolean {
  const { depth, nodes } = sizeOf(type)
  return depth > limits.depth || nodes > limits.nodes
}

function sizeOf(type: Type): TypeSize {
  const known = sizes.get(type)
  if (known !== undefined) return known
  let depth = 0
  let nodes = 1
  for (const part of partsOf(type)) {
    const inner = sizeOf(part)
    depth = Math.max(depth, inner.depth)
    nodes += inner.nodes
  }
  const size = { depth: depth + 1, nodes }
  sizes.set(type, size)
  return size
}

/** Classes and interfaces are told by their names and have no parts. */
function partsOf(type: Type): readonly Type[] {
  switch (type.kind) {
    case 'List':
    case 'Optional':
    case 'Future':
    case 'Await':
    case 'RRef':
      return [type.element]
    case 'Dict':
      return [type.key, type.value]
    case 'Tuple':
      return type.elements
    case 'Union':
      return type.members
    default:
      return []
  }
}
