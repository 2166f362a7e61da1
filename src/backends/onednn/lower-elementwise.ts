import type { Node, Value } from '../../ir/graph.ts'
import { CallArguments } from './call-arguments.ts'
import { argument } from './dnnl.ts'
import { eltwiseOf } from './eltwise.ts'
import { broadcastOperand } from './kernel.ts'
import type { Lowering } from './lowering.ts'
import type { LoweringRequest, LoweringRule } from './lowering-rules.ts'
import type { Placement } from './placement.ts'
import { binaryOf } from './post-operations.ts'

/** Functions of one tensor, and of two, in whatever layout the first is in. */
export const lowerElementwise: LoweringRule = (node, lowering, request) => {
  const args = new CallArguments(node, lowering)
  const functions = eltwiseOf(args)
  const [first] = node.inputs
  if (functions && first && lowering.isTensor(first))
    return lowerEltwise(node, lowering, request, first, functions)
  const algorithm = binaryOf(args)
  if (algorithm === undefined) return 'the library has no such function'
  return lowerBinary(node, lowering, algorithm)
}

function lowerEltwise(
  node: Node,
  lowering: Lowering,
  { mayOverwrite }: LoweringRequest,
  input: Value,
  functions: NonNullable<ReturnType<typeof eltwiseOf>>,
): string | undefined {
  if (!allFloat(lowering, [input, node.output()])) return 'no kernel for its dtypes'
  let source = denseOrCopied(lowering, input)
  const destination = mayOverwrite(input) ? source : lowering.allocate(source.descriptor)
  for (const { algorithm, alpha, beta } of functions) {
    const primitive = lowering.tryCreate({ kind: 'eltwise', algorithm, alpha, beta, data: source.descriptor })
    if (primitive === undefined) return 'the library has no such function'
    lowering.add(
      primitive,
      [node],
      [
        { argument: argument.source, placement: source },
        { argument: argument.destination, placement: destination, written: true },
      ],
    )
    source = destination
  }
  lowering.define(node.output(), destination)
  return undefined
}

/** A look at a part, or with steps of 0, is copied first: the result has all of its elements once. */
function denseOrCopied(lowering: Lowering, value: Value): Placement {
  const current = lowering.current(value)
  const { descriptor } = current
  const tensor = lowering.tensorOf(value)
  const dense = descriptor.strides === undefined || descriptor.byteLength === tensor.byteLength
  return dense ? current : lowering.in(value, rowMajor(lowering, tensor.sizes))
}

function rowMajor(lowering: Lowering, sizes: readonly number[]): Placement['descriptor'] {
  const strides = sizes.map((_, i) => sizes.slice(i + 1).reduce((n, size) => n * size, 1))
  return lowering.dnnl.describe('float32', sizes, strides)
}

function allFloat(lowering: Lowering, values: readonly Value[]): boolean {
  return values.every((value) => lowering.tensorOf(value).dtype === 'float32')
}

function lowerBinary(
  node: Node,
  lowering: Lowering,
  algorithm: NonNullable<ReturnType<typeof binaryOf>>,
): string | undefined {
  const [left, right] = node.inputs as [Value, Value]
  if (!allFloat(lowering, [left, right, node.output()])) return 'no kernel for its dtypes'
  const result = lowering.tensorOf(node.output())
  const isWhole = (value: Value): boolean => lowering.tensorOf(value).sizes.join() === result.sizes.join()
  if (!isWhole(left)) {
    if (!isWhole(right) || (algorithm !== 'add' && algorithm !== 'mul')) return 'both operands are broadcast'
    return addBinary(node, lowering, algorithm, right, left)
  }
  return addBinary(node, lowering, algorithm, left, right)
}

function addBinary(
  node: Node,
  lowering: Lowering,
  algorithm: NonNullable<ReturnType<typeof binaryOf>>,
  whole: Value,
  other: Value,
): string | undefined {
  const first = denseOrCopied(lowering, whole)
  const { sizes } = lowering.tensorOf(whole)
  const second =
    lowering.tensorOf(other).sizes.join() === sizes.join()
      ? lowering.in(other, first.descriptor)
      : broadcastPlacement(lowering, other, sizes.length)
  const primitive = lowering.tryCreate({
    kind: 'binary',
    algorithm,
    sources: [first.descriptor, second.descriptor],
    destination: first.descriptor,
  })
  if (primitive === undefined) return 'the library has no such broadcast'
  const destination = lowering.allocate(first.descriptor)
  lowering.add(
    primitive,
    [node],
    [
      { argument: argument.source, placement: first },
      { argument: argument.secondSource, placement: second },
      { argument: argument.destination, placement: destination, written: true },
    ],
  )
  lowering.define(node.output(), destination)
  return undefined
}

/** Where it is, if it has all dimensions; blocked is as good as plain. */
function broadcastPlacement(lowering: Lowering, value: Value, rank: number): Placement {
  return lowering.tensorOf(value).dim === rank
    ? lowering.current(value)
    : broadcastOperand(lowering, value, rank)
}
