import type { Block, Graph, Node } from '../ir/graph.ts'

/** Short forms that read better where they are used than on a line of their own. */
const inlinable = new Set([
  'prim::GetAttr',
  'prim::ListConstruct',
  'prim::TupleConstruct',
  'prim::TupleIndex',
  'prim::unchecked_cast',
  'aten::__isnot__',
  'aten::__is__',
  'aten::size',
  'aten::len',
  'aten::__getitem__',
  'aten::Int',
])

/**
 * The nodes that may be printed inside the expression that uses them without changing the order in which anything
 * is computed: used once, and nothing but other parts of the same expression stands between them and their use.
 */
export function findInlined(graph: Graph): ReadonlySet<Node> {
  const inlined = new Set<Node>()
  scanBlock(graph.block, inlined)
  return inlined
}

function scanBlock(block: Block, inlined: Set<Node>): void {
  let node = block.returnNode
  do {
    if (!inlined.has(node)) scan(node, inlined)
    node = node.prev
  } while (node !== block.returnNode)
}

/** Scans from the last input to the first, the reverse of the order of evaluation; returns where it came to. */
function scan(node: Node, inlined: Set<Node>): Node {
  for (const block of node.blocks) scanBlock(block, inlined)
  let expected = previousNonConstant(node)
  for (const input of [...node.inputs].reverse()) {
    const definition = input.node
    if (definition !== expected || !canInline(definition, node)) continue
    expected = scan(definition, inlined)
    inlined.add(definition)
  }
  return expected
}

function canInline(node: Node, user: Node): boolean {
  return (
    inlinable.has(node.kind) &&
    node.outputs.length === 1 &&
    node.output().uses.length === 1 &&
    isOnLineOf(node, user)
  )
}

/** A line of source has one origin: what may fail on another Python line than its user gets a line of its own. */
function isOnLineOf(node: Node, user: Node): boolean {
  const own = node.range?.writtenAt
  const other = user.range?.writtenAt
  if (own === undefined || other === undefined) return true
  return own.line === other.line && own.file === other.file
}

function previousNonConstant(node: Node): Node {
  let previous = node.prev
  while (previous.kind === 'prim::Constant') previous = previous.prev
  return previous
}
