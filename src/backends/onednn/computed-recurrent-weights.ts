import type { Node, Value } from '../../ir/graph.ts'
import { argument, type MemoryDescriptor } from './binding/dnnl.ts'
import { rowMajor, rowMajorOf } from './layout-choices.ts'
import type { Lowering } from './lowering.ts'
import type { Placement } from './placement.ts'
import { weightsDescriptor, type BiasGate } from './recurrent-weight-layout.ts'

/** The placement's elements from one on, in other sizes and strides. */
function look(placement: Placement, descriptor: MemoryDescriptor, at: number): Placement {
  return { ...placement, descriptor, offset: placement.offset + 4 * at }
}

/**
 * Brings weights that are no constants into the layout at every run, gate by gate.
 *
 * @param order where the library's gates are among those of the weights
 */
export function arrangeWeights(
  lowering: Lowering,
  node: Node,
  weights: Value,
  order: readonly number[],
): Placement {
  const { sizes, strides } = lowering.tensorOf(weights)
  const [units, features] = [sizes[0]! / order.length, sizes[1]!]
  const [step, featureStep] = strides as [number, number]
  const { dnnl } = lowering
  const wanted = weightsDescriptor(dnnl, features, order.length, units)
  const one = [1, 1, features, 1, units]
  const result = lowering.allocate(wanted)
  const from = dnnl.describe('float32', one, [1, 1, featureStep, 1, step])
  const to = dnnl.describe('float32', one, wanted.strides!)
  const source = lowering.home(weights)
  order.forEach((gate, i) =>
    lowering.reorder(look(source, from, gate * units * step), look(result, to, i * units), node),
  )
  return result
}

/** Adds biases that are no constants at every run. @returns undefined where the library has no addition */
export function addBiases(
  lowering: Lowering,
  node: Node,
  biases: readonly [Value, Value],
  gates: readonly BiasGate[],
  units: number,
): Placement | undefined {
  const { dnnl } = lowering
  const sizes = [1, 1, gates.length, units]
  const result = lowering.allocate(rowMajor(lowering, sizes))
  const row = dnnl.describe('float32', [1, units], [units, 1])
  const primitive = lowering.tryCreate({
    kind: 'binary',
    algorithm: 'add',
    sources: [row, row],
    destination: row,
  })
  if (primitive === undefined) return undefined
  const sources = biases.map((bias) => rowMajorOf(lowering, bias))
  gates.forEach((pair, i) => {
    const destination = look(result, row, i * units)
    const [first, second] = pair.flatMap((gate, which) =>
      gate === undefined ? [] : [look(sources[which]!, row, gate * units)],
    )
    if (second === undefined) lowering.reorder(first!, destination, node)
    else
      lowering.add(
        primitive,
        [node],
        [
          { argument: argument.source, placement: first! },
          { argument: argument.secondSource, placement: second },
        ],
        destination,
      )
  })
  return result
}
