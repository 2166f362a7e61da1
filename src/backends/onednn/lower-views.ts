import { PermafrostError } from '../../errors.ts'
import type { Node, Value } from '../../ir/graph.ts'
import type { IValue } from '../../ir/ivalue.ts'
import { schemaKey } from '../../ir/schema.ts'
import { findOperator } from '../../ops/index.ts'
import { schemaOfNode } from '../../ops/schema-table.ts'
import { createEnvironment } from '../../runtime/environment.ts'
import { tensorsIn } from '../../runtime/value-tensors.ts'
import { itemSize } from '../../tensor/dtype.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { MemoryDescriptor } from './binding/dnnl.ts'
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
 * What is a look at the input's own strides may be one at other strides in which it lies too: channels that are split, mixed
 * or left out where they are innermost, say. Each such place is a place of the result.
 */
export function lowerView(node: Node, lowering: Lowering): void {
  const maker = node.kind === 'prim::ListUnpack' ? node.input().node : node
  const [input] = maker.inputs
  if (input === undefined || !lowering.isTensor(input)) return
  for (const placement of lowering.placementsOf(input)) {
    const looks = looksAt(maker, input, placement.descriptor, lowering)
    node.outputs.forEach((output, i) => {
      const look = looks?.[i]
      if (look === undefined || !lowering.isTensor(output)) return
      const { dtype, sizes, strides, storageOffset } = look
      if (sizes.join() !== lowering.tensorOf(output).sizes.join()) return
      lowering.alsoAt(output, {
        ...placement,
        offset: placement.offset + storageOffset * itemSize(dtype),
        descriptor: lowering.dnnl.describe(dtype, sizes, strides),
      })
    })
  }
}

/** What the node gives of its input in those strides, if that is looks at it and nothing else. */
function looksAt(
  node: Node,
  input: Value,
  { dtype, strides }: MemoryDescriptor,
  lowering: Lowering,
): readonly Tensor[] | undefined {
  const schema = schemaOfNode(node)
  const operator = schema && findOperator(schemaKey(schema))
  const { sizes } = lowering.tensorOf(input)
  // The library gives one dimension to what has none.
  if (!operator || strides?.length !== sizes.length) return undefined
  const whole = Tensor.meta(dtype, sizes, strides)
  const args = node.inputs.map((value) => (value === input ? whole : knownValue(value, lowering)))
  if (args.includes(undefined)) return undefined
  try {
    const results = operator.evaluate(args as IValue[], createEnvironment())
    const tensors = results.flatMap((result) => [...tensorsIn(result)])
    return tensors.every(({ storage }) => storage === whole.storage) ? tensors : undefined
  } catch (error) {
    // `view` is no look at strides that do not fit together.
    if (error instanceof PermafrostError) return undefined
    throw error
  }
}

function knownValue(value: Value, lowering: Lowering): IValue | undefined {
  return lowering.graph.tensors.get(value) ?? lowering.constantOf(value)
}
