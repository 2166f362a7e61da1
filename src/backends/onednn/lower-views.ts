import type { Node, Value } from '../../ir/graph.ts'
import { schemaOfNode } from '../../ops/schema-table.ts'
import { CallArguments } from './call-arguments.ts'
import type { Lowering } from './lowering.ts'

/** Whether the node only looks at memory of its inputs in another way. */
export function isView(node: Node, lowering: Lowering): boolean {
  if (node.kind === 'prim::ListUnpack' || node.kind === 'prim::ListConstruct') return true
  const storages = new Set(
    node.inputs
      .filter((value) => lowering.graph.tensors.has(value))
      .map((value) => lowering.tensorOf(value).storage),
  )
  const outputs = node.outputs.filter((value) => lowering.graph.tensors.has(value))
  if (outputs.length === 0) return isListOfViews(node)
  return outputs.every((value) => storages.has(lowering.tensorOf(value).storage))
}

export function writesInPlace(node: Node): boolean {
  return schemaOfNode(node)?.arguments.some(({ alias }) => alias?.isWrite === true) === true
}

/** `chunk`, `split`, `unbind`: their list is unpacked at once. */
function isListOfViews(node: Node): boolean {
  return node.outputs.every((value) => value.type.kind === 'List') && node.kind !== 'aten::meshgrid'
}

/**
 * A permutation is a look at any strided place of its input, not only at home: what lies channels-last is contiguous
 * for whoever works on the last dimension.
 */
export function lowerView(node: Node, lowering: Lowering): void {
  const order = permutationOf(node, lowering)
  if (order === undefined) return
  const [input] = node.inputs as [Value]
  const output = node.output()
  for (const placement of lowering.placementsOf(input)) {
    const { strides, dtype } = placement.descriptor
    if (strides?.length !== order.length) continue
    const { sizes } = lowering.tensorOf(output)
    const permuted = order.map((axis) => strides[axis]!)
    lowering.alsoAt(output, { ...placement, descriptor: lowering.dnnl.describe(dtype, sizes, permuted) })
  }
}

function permutationOf(node: Node, lowering: Lowering): readonly number[] | undefined {
  const args = new CallArguments(node, lowering)
  const input = args.tensor('self')
  if (!input) return undefined
  const { dim } = lowering.tensorOf(input)
  const wrap = (axis: number): number => (axis < 0 ? axis + dim : axis)
  if (node.kind === 'aten::permute') return args.numbers('dims', dim)?.map(wrap)
  if (node.kind !== 'aten::transpose') return undefined
  const [a, b] = [args.number('dim0'), args.number('dim1')]
  if (a === undefined || b === undefined) return undefined
  const order = Array.from({ length: dim }, (_, i) => i)
  order[wrap(a)] = wrap(b)
  order[wrap(b)] = wrap(a)
  return order
}
