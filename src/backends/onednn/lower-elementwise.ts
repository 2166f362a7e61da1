import type { Node, Value } from '../../ir/graph.ts'
import { CallArguments } from './call-arguments.ts'
import { argument, type MemoryDescriptor, type Primitive } from './binding/dnnl.ts'
import { channelsLast, denseOrCopied, isSlow, rowMajor, rowMajorOf } from './layout-choices.ts'
import { eltwiseOf, type Eltwise } from './eltwise.ts'
import { broadcastOperand } from './kernel.ts'
import { mergedDimensions } from './merged-dimensions.ts'
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
  functions: readonly Eltwise[],
): string | undefined {
  if (!allFloat(lowering, [input, node.output()])) return 'no kernel for its dtypes'
  let source = denseOrCopied(lowering, input)
  let primitives = createEltwise(lowering, functions, source.descriptor)
  // The library's plain loops (2.6.3) pass over elements of padded blocks that are not in the usual order.
  if (primitives?.some(isSlow)) {
    for (const primitive of primitives) primitive.dispose()
    source = rowMajorOf(lowering, input)
    primitives = createEltwise(lowering, functions, source.descriptor)
  }
  if (primitives === undefined) return 'the library has no such function'
  const destination = mayOverwrite(input) ? source : lowering.allocate(source.descriptor)
  for (const primitive of primitives) {
    lowering.addUnary(primitive, [node], source, destination)
    source = destination
  }
  lowering.define(node.output(), destination)
  return undefined
}

/** One for each function; undefined, and none, where the library lacks one. */
function createEltwise(
  lowering: Lowering,
  functions: readonly Eltwise[],
  data: MemoryDescriptor,
): readonly Primitive[] | undefined {
  const created: Primitive[] = []
  for (const { algorithm, alpha, beta } of functions) {
    const primitive = lowering.tryCreate({ kind: 'eltwise', algorithm, alpha, beta, data })
    if (primitive === undefined) {
      for (const each of created) each.dispose()
      return undefined
    }
    created.push(primitive)
  }
  return created
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
  const created =
    createBinary(lowering, algorithm, whole, other) ?? createMerged(lowering, algorithm, whole, other)
  if (created === undefined) return 'the library has only plain loops for such a broadcast'
  const { primitive, first, second, result } = created
  const destination = lowering.allocate(first.descriptor)
  lowering.add(
    primitive,
    [node],
    [
      { argument: argument.source, placement: first },
      { argument: argument.secondSource, placement: second },
    ],
    destination,
  )
  lowering.define(node.output(), { ...destination, descriptor: result })
  return undefined
}

interface BinaryStep {
  readonly primitive: Primitive
  readonly first: Placement
  readonly second: Placement
  /** The destination as the graph sees it. */
  readonly result: MemoryDescriptor
}

/** Of row-major operands, in as few dimensions as they have together. */
function createMerged(
  lowering: Lowering,
  algorithm: NonNullable<ReturnType<typeof binaryOf>>,
  whole: Value,
  other: Value,
): BinaryStep | undefined {
  const [wholeSizes, otherSizes] = [whole, other].map((value) => lowering.tensorOf(value).sizes)
  const [sizes, operand] = mergedDimensions(wholeSizes!, otherSizes!)
  const [layout, operandLayout] = [rowMajor(lowering, sizes), rowMajor(lowering, operand)]
  const primitive = lowering.tryCreate({
    kind: 'binary',
    algorithm,
    sources: [layout, operandLayout],
    destination: layout,
  })
  if (primitive === undefined || isSlow(primitive)) {
    primitive?.dispose()
    return undefined
  }
  const result = rowMajor(lowering, wholeSizes!)
  return {
    primitive,
    first: { ...lowering.in(whole, result), descriptor: layout },
    second: { ...rowMajorOf(lowering, other), descriptor: operandLayout },
    result,
  }
}

/** In the layout that the first operand is in, or channels-last; undefined where the library has only plain loops for both. */
function createBinary(
  lowering: Lowering,
  algorithm: NonNullable<ReturnType<typeof binaryOf>>,
  whole: Value,
  other: Value,
): BinaryStep | undefined {
  const current = denseOrCopied(lowering, whole).descriptor
  const { sizes } = lowering.tensorOf(whole)
  const isSame = lowering.tensorOf(other).sizes.join() === sizes.join()
  const create = (layout: MemoryDescriptor): Primitive | undefined => {
    const operand = isSame ? layout : broadcastDescriptor(lowering, other, layout)
    return lowering.tryCreate({ kind: 'binary', algorithm, sources: [layout, operand], destination: layout })
  }
  let layout = current
  let primitive = create(layout)
  if (primitive && isSlow(primitive) && sizes.length > 2) {
    const lastLayout = channelsLast(lowering, sizes)
    const better = create(lastLayout)
    if (better && !isSlow(better)) {
      primitive.dispose()
      ;[layout, primitive] = [lastLayout, better]
    } else better?.dispose()
  }
  if (primitive === undefined || isSlow(primitive)) {
    primitive?.dispose()
    return undefined
  }
  const second = isSame ? lowering.in(other, layout) : broadcastPlacement(lowering, other, layout)
  return { primitive, first: lowering.in(whole, layout), second, result: layout }
}

function broadcastDescriptor(lowering: Lowering, value: Value, like: MemoryDescriptor): MemoryDescriptor {
  const { sizes, dim } = lowering.tensorOf(value)
  const { layout } = like
  if (dim === like.sizes.length && layout?.kind === 'blocked')
    return lowering.dnnl.describe('float32', sizes, layout)
  return broadcastPlacement(lowering, value, like).descriptor
}

/** In the layout of the other operand, if it has all dimensions: the library's kernels take no mixture. */
function broadcastPlacement(lowering: Lowering, value: Value, like: MemoryDescriptor): Placement {
  const { sizes, dim } = lowering.tensorOf(value)
  if (dim !== like.sizes.length) return broadcastOperand(lowering, value, like.sizes.length)
  const { layout } = like
  if (layout?.kind !== 'blocked') return lowering.current(value)
  return lowering.in(value, lowering.dnnl.describe('float32', sizes, layout))
}
