import { CallArguments } from './call-arguments.ts'
import type { MemoryDescriptor, Operation, Primitive } from './binding/dnnl.ts'
import { blockedBy16, denseOrCopied, isSlow } from './layout-choices.ts'
import type { LoweringRule } from './lowering-rules.ts'
import type { Lowering } from './lowering.ts'
import type { Node, Value } from '../../ir/graph.ts'

type Pooling = Extract<Operation, { kind: 'pooling' }>
type Windows = Omit<Pooling, 'kind' | 'source' | 'destination'>

/** Pools in whatever layout the input is in. */
const lowerPooling: LoweringRule = (node, lowering) => {
  const args = new CallArguments(node, lowering)
  const input = args.tensor('self') ?? args.tensor('input')
  if (!input) return 'its operand is no tensor'
  const tensor = lowering.tensorOf(input)
  if (tensor.dtype !== 'float32') return `no kernel for ${tensor.dtype}`
  if (tensor.dim < 3) return 'the input has no batch dimension'
  const result = lowering.tensorOf(node.output(0))
  if (tensor.dim !== spatialOf(node) + 2) return 'the input has no batch dimension'
  const windows = node.kind.includes('adaptive')
    ? adaptiveWindows(node, tensor.sizes, result.sizes)
    : slidingWindows(args, tensor.sizes, result.sizes)
  if (typeof windows === 'string') return windows
  return pool(node, lowering, input, windows)
}

function spatialOf(node: Node): number {
  return Number(/([123])d/.exec(node.kind)?.[1] ?? 0)
}

function pool(node: Node, lowering: Lowering, input: Value, windows: Windows): string | undefined {
  const result = lowering.tensorOf(node.output(0))
  const create = (source: MemoryDescriptor): Primitive | undefined =>
    lowering.tryCreate({ kind: 'pooling', ...windows, source, destination: lowering.any(result) })
  let source = denseOrCopied(lowering, input)
  let primitive = create(source.descriptor)
  if (primitive === undefined) return 'the library has no such pooling'
  if (hasPlainLoops(primitive)) {
    const blocked = blockedBy16(lowering, lowering.tensorOf(input).sizes)
    const better = create(blocked)
    if (better && !hasPlainLoops(better)) {
      primitive.dispose()
      primitive = better
      source = lowering.in(input, blocked)
    } else better?.dispose()
  }
  const destination = lowering.allocate(primitive.descriptor('destination'))
  lowering.addUnary(primitive, [node], source, destination)
  lowering.define(node.output(0), destination)
  return undefined
}

function hasPlainLoops(primitive: Primitive): boolean {
  return isSlow(primitive) || primitive.implementation.startsWith('simple')
}

/**
 * Averages over all positions of each channel, of which the library's reduction makes plain loops, by a window over the
 * whole. False where it is another mean, or the library does not pool so.
 */
export function poolMean(
  node: Node,
  lowering: Lowering,
  input: Value,
  reduced: ReadonlySet<number>,
): boolean {
  const { sizes, dim } = lowering.tensorOf(input)
  const isSpatial = dim >= 3 && dim <= 5 && reduced.size === dim - 2 && !reduced.has(0) && !reduced.has(1)
  if (!isSpatial) return false
  const source = denseOrCopied(lowering, input)
  const kernel = sizes.slice(2)
  const none = kernel.map(() => 0)
  const primitive = lowering.tryCreate({
    kind: 'pooling',
    algorithm: 'average without padding',
    kernel,
    strides: kernel,
    dilation: kernel.map(() => 1),
    paddingBegin: none,
    paddingEnd: none,
    source: source.descriptor,
    destination: lowering.dnnl.describe('float32', [...sizes.slice(0, 2), ...kernel.map(() => 1)], 'any'),
  })
  if (primitive === undefined) return false
  const pooled = primitive.descriptor('destination')
  const home = lowering.defineHome(node.output())
  const strides = [sizes[1]!, ...sizes.slice(1).map(() => 1)]
  const wanted = lowering.dnnl.describe('float32', pooled.sizes, strides)
  // The library lays its result out as the source: with channels padded, or outside the images.
  const isHome = pooled.equals(wanted)
  const destination = isHome ? { ...home, descriptor: pooled } : lowering.allocate(pooled)
  lowering.addUnary(primitive, [node], source, destination)
  if (!isHome) lowering.reorder(destination, { ...home, descriptor: wanted }, node)
  return true
}

/** Windows of one size at equal distances, or a reason. */
function adaptiveWindows(node: Node, input: readonly number[], output: readonly number[]): Windows | string {
  const sizes = input.slice(2)
  const counts = output.slice(2)
  if (sizes.some((size, i) => size % counts[i]! !== 0)) return 'its windows differ in size'
  const kernel = sizes.map((size, i) => size / counts[i]!)
  const none = kernel.map(() => 0)
  return {
    algorithm: node.kind.includes('max') ? 'max' : 'average without padding',
    kernel,
    strides: kernel,
    dilation: kernel.map(() => 1),
    paddingBegin: none,
    paddingEnd: none,
  }
}

function slidingWindows(
  args: CallArguments,
  input: readonly number[],
  output: readonly number[],
): Windows | string {
  const spatial = input.length - 2
  const kernel = args.numbers('kernel_size', spatial)
  const padding = args.numbers('padding', spatial)
  if (!kernel || !padding) return 'its windows are not constant'
  const wanted = args.numbers('stride', spatial) ?? []
  const strides = wanted.length === 0 ? kernel : wanted
  const dilation = args.numbers('dilation', spatial) ?? kernel.map(() => 1)
  const isMax = args.node.kind.includes('max')
  if (!isMax && args.number('divisor_override') !== undefined) return 'its divisor is overridden'
  // Beyond the padding asked for where the output size was rounded up.
  const paddingEnd = kernel.map(
    (size, i) =>
      (output[i + 2]! - 1) * strides[i]! + dilation[i]! * (size - 1) + 1 - input[i + 2]! - padding[i]!,
  )
  const rounded = paddingEnd.some((end, i) => end > padding[i]!)
  const counts = !isMax && args.number('count_include_pad') === 1 && padding.some((size) => size > 0)
  if (counts && rounded) return 'it counts some of its padding only'
  return {
    algorithm: isMax ? 'max' : counts ? 'average with padding' : 'average without padding',
    kernel,
    strides,
    dilation,
    paddingBegin: padding,
    paddingEnd,
  }
}

export const poolingRules: Readonly<Record<string, LoweringRule>> = Object.fromEntries(
  [1, 2, 3].flatMap((n) =>
    ['max_pool', 'avg_pool', 'adaptive_avg_pool'].map((name) => [`aten::${name}${n}d`, lowerPooling]),
  ),
)
