import type { Node, Value } from '../../ir/graph.ts'
import type { BlockedLayout, Layout } from '../../tensor/layout.ts'
import { argument, type MemoryDescriptor, type Primitive } from './binding/dnnl.ts'
import { CallArguments } from './call-arguments.ts'
import { rowMajor, rowMajorOf } from './layout-choices.ts'
import type { Lowering } from './lowering.ts'
import type { LoweringRule } from './lowering-rules.ts'
import { PlanBuffer, type Placement } from './placement.ts'

/**
 * Puts tensors one behind the other. Where they lie one behind the other in memory too, what computed them is told to
 * write into the result at once, and nothing is copied but what is needed elsewhere.
 */
export const lowerConcat: LoweringRule = (node, lowering) => {
  const list = node.input(0).node
  if (list.kind !== 'prim::ListConstruct') return 'its list is not written in sight'
  const result = lowering.tensorOf(node.output())
  const dim = new CallArguments(node, lowering).number('dim')
  if (dim === undefined) return 'its dimension is not constant'
  const axis = dim < 0 ? dim + result.dim : dim
  const tensors = list.inputs.map((value) => lowering.tensorOf(value))
  if (tensors.some((tensor) => tensor.dtype !== 'float32' || tensor.dim !== result.dim || tensor.numel === 0))
    return 'its operands have several dtypes, or none'
  if (assemble(lowering, node, list.inputs, axis)) return undefined
  return concat(lowering, node, list.inputs, axis)
}

function concat(lowering: Lowering, node: Node, values: readonly Value[], axis: number): string | undefined {
  const result = node.output()
  const parts = inOneLayout(lowering, values)
  const layout = commonLayout(parts)
  // Left to itself the library may put blocks of channels outside the images, which some of its kernels do not know.
  const primitive = layout && createConcat(lowering, parts, axis, describe(lowering, result, layout))
  if (primitive) {
    addConcat(lowering, node, parts, primitive)
    return undefined
  }
  const plain = values.map((value) => rowMajorOf(lowering, value))
  const other = createConcat(lowering, plain, axis, rowMajor(lowering, lowering.tensorOf(result).sizes))
  if (other === undefined) return 'the library has no such concatenation'
  addConcat(lowering, node, plain, other)
  return undefined
}

function createConcat(
  lowering: Lowering,
  parts: readonly Placement[],
  axis: number,
  destination: MemoryDescriptor,
): Primitive | undefined {
  const sources = parts.map(({ descriptor }) => descriptor)
  return lowering.tryCreate({ kind: 'concat', axis, sources, destination })
}

function addConcat(lowering: Lowering, node: Node, parts: readonly Placement[], primitive: Primitive): void {
  const destination = lowering.allocate(primitive.descriptor('destination'))
  const inputs = parts.map((placement, i) => ({ argument: argument.multipleSource(i), placement }))
  lowering.add(primitive, [node], inputs, destination)
  lowering.define(node.output(), destination)
}

function describe(lowering: Lowering, value: Value, layout: BlockedLayout): MemoryDescriptor {
  return lowering.dnnl.describe('float32', lowering.tensorOf(value).sizes, layout)
}

/** The layout that all parts are in, if it has a name. */
function commonLayout(parts: readonly Placement[]): BlockedLayout | undefined {
  const [first] = parts
  const layout = first?.descriptor.layout
  if (layout?.kind !== 'blocked') return undefined
  return parts.every(({ descriptor }) => descriptor.tag === first?.descriptor.tag) ? layout : undefined
}

/** The layout that most of the bytes are in, as far as layouts have names. */
function layoutOfMost(placements: readonly Placement[]): Layout | undefined {
  const bytes = new Map<string, number>()
  for (const { descriptor } of placements)
    bytes.set(descriptor.tag, (bytes.get(descriptor.tag) ?? 0) + descriptor.byteLength)
  const [most] = [...bytes].sort(([, a], [, b]) => b - a)[0] as [string, number]
  return placements.find(({ descriptor }) => descriptor.tag === most)?.descriptor.layout
}

/** In the layout that most of the bytes are in: the library's kernels take no mixture. */
function inOneLayout(lowering: Lowering, values: readonly Value[]): readonly Placement[] {
  const current = values.map((value) => lowering.current(value))
  const layout = layoutOfMost(current)
  if (layout?.kind !== 'blocked' || new Set(current.map(({ descriptor }) => descriptor.tag)).size === 1)
    return current
  return values.map((value) => lowering.in(value, describe(lowering, value, layout)))
}

/**
 * Builds the result of slices that are whole in memory: operands whose buffers can be moved are moved into it, others are
 * reordered into their slices. False where the axis is not the outermost one of the layout, and nothing was done.
 */
function assemble(lowering: Lowering, node: Node, values: readonly Value[], axis: number): boolean {
  const sources = values.map((value) => lowering.current(value))
  const layout = layoutOfMost(sources)
  if (layout?.kind !== 'blocked') return false
  const whole = describe(lowering, node.output(), layout)
  const slices = values.map((value) => describe(lowering, value, layout))
  const total = slices.reduce((sum, { byteLength }) => sum + byteLength, 0)
  // What pads the last block of one operand is not between operands in the result.
  const isPadded = ({ byteLength }: MemoryDescriptor, i: number): boolean =>
    byteLength !== lowering.tensorOf(values[i]!).byteLength
  if (outermostAxis(whole) !== axis || total !== whole.byteLength || slices.slice(0, -1).some(isPadded))
    return false
  const buffer = PlanBuffer.arena(whole.byteLength)
  const isMovable = (value: Value, i: number): boolean =>
    sources[i]!.descriptor.equals(slices[i]!) &&
    !lowering.isWritten(value) &&
    !lowering.isWritten(node.output()) &&
    values.indexOf(value) === values.lastIndexOf(value)
  const bases = basesOf(sources, slices, values.map(isMovable))
  let offset = 0
  slices.forEach((descriptor, i) => {
    if (!bases.has(sources[i]!.buffer.root.buffer))
      lowering.reorder(sources[i]!, { descriptor, buffer, offset }, node)
    offset += descriptor.byteLength
  })
  for (const [root, base] of bases) root.become(buffer, base)
  lowering.define(node.output(), { descriptor: whole, buffer, offset: 0 })
  return true
}

/**
 * Where in the result each buffer goes that can be moved there: one that holds operands and nothing else. It may hold several,
 * one behind the other: a concatenation that this one continues, as in DenseNet.
 */
function basesOf(
  sources: readonly Placement[],
  slices: readonly MemoryDescriptor[],
  movable: readonly boolean[],
): ReadonlyMap<PlanBuffer, number> {
  const bases = new Map<PlanBuffer, number>()
  const covered = new Map<PlanBuffer, number>()
  const fixed = new Set<PlanBuffer>()
  let at = 0
  sources.forEach(({ buffer, offset }, i) => {
    const { root } = buffer
    const bytes = slices[i]!.byteLength
    const base = at - root.offset - offset
    at += bytes
    if (!movable[i] || root.buffer.kind !== 'arena' || (bases.get(root.buffer) ?? base) !== base || base < 0)
      fixed.add(root.buffer)
    bases.set(root.buffer, base)
    covered.set(root.buffer, (covered.get(root.buffer) ?? 0) + bytes)
  })
  return new Map([...bases].filter(([buffer]) => !fixed.has(buffer) && covered.get(buffer) === buffer.bytes))
}

/** The axis whose neighbours are farthest apart in memory, axes of one element aside. */
function outermostAxis({ tag, sizes }: MemoryDescriptor): number {
  const letters = /^[a-l]+/i.exec(tag)?.[0] ?? ''
  const axes = [...letters].map((letter) => letter.toLowerCase().charCodeAt(0) - 'a'.charCodeAt(0))
  return axes.find((candidate) => sizes[candidate] !== 1) ?? 0
}
