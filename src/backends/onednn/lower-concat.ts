import type { Node, Value } from '../../ir/graph.ts'
import { argument, type MemoryDescriptor } from './dnnl.ts'
import { CallArguments } from './call-arguments.ts'
import type { Lowering } from './lowering.ts'
import type { LoweringRule } from './lowering-rules.ts'
import { PlanBuffer, type Placement } from './placement.ts'

/**
 * Puts tensors one behind the other. Where they lie one behind the other in memory too, what computed them is told to
 * write into the result at once, and nothing is copied.
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
  const parts = inOneLayout(lowering, list.inputs)
  const primitive = lowering.tryCreate({
    kind: 'concat',
    axis,
    sources: parts.map(({ descriptor }) => descriptor),
    destination: undefined,
  })
  if (primitive === undefined) return 'the library has no such concatenation'
  const descriptor = primitive.descriptor('destination')
  if (writeInPlace(lowering, node, list.inputs, parts, descriptor, axis)) {
    primitive.dispose()
    return undefined
  }
  const destination = lowering.allocate(descriptor)
  lowering.add(
    primitive,
    [node],
    [
      ...parts.map((placement, i) => ({ argument: argument.multipleSource(i), placement })),
      { argument: argument.destination, placement: destination, written: true },
    ],
  )
  lowering.define(node.output(), destination)
  return undefined
}

/** In the layout that most of the bytes are in: the library's kernels take no mixture. */
function inOneLayout(lowering: Lowering, values: readonly Value[]): readonly Placement[] {
  const current = values.map((value) => lowering.current(value))
  const bytes = new Map<string, number>()
  for (const { descriptor } of current)
    bytes.set(descriptor.tag, (bytes.get(descriptor.tag) ?? 0) + descriptor.byteLength)
  if (bytes.size === 1) return current
  const [most] = [...bytes].sort(([, a], [, b]) => b - a)[0] as [string, number]
  const layout = current.find(({ descriptor }) => descriptor.tag === most)?.descriptor.layout
  if (layout?.kind !== 'blocked') return current
  return values.map((value) =>
    lowering.in(value, lowering.dnnl.describe('float32', lowering.tensorOf(value).sizes, layout)),
  )
}

function writeInPlace(
  lowering: Lowering,
  node: Node,
  values: readonly Value[],
  parts: readonly Placement[],
  whole: MemoryDescriptor,
  axis: number,
): boolean {
  const total = parts.reduce((sum, { descriptor }) => sum + descriptor.byteLength, 0)
  if (outermostAxis(whole) !== axis || total !== whole.byteLength) return false
  if (!parts.every(({ descriptor }) => descriptor.tag === whole.tag)) return false
  if (new Set(values).size !== values.length) return false
  if ([node.output(), ...values].some((value) => lowering.isWritten(value))) return false
  const bases = basesOf(parts)
  if (bases === undefined) return false
  const buffer = PlanBuffer.arena(whole.byteLength)
  for (const [root, base] of bases) root.become(buffer, base)
  lowering.define(node.output(), { descriptor: whole, buffer, offset: 0 })
  return true
}

/**
 * Where in the result each buffer goes that the operands lie in. A buffer may hold several operands, one behind the other:
 * a concatenation that this one continues, as in DenseNet. Undefined where one holds anything else, or cannot be moved.
 */
function basesOf(parts: readonly Placement[]): ReadonlyMap<PlanBuffer, number> | undefined {
  const bases = new Map<PlanBuffer, number>()
  const covered = new Map<PlanBuffer, number>()
  let at = 0
  for (const { buffer, offset, descriptor } of parts) {
    const root = buffer.root
    const base = at - root.offset - offset
    if (root.buffer.kind !== 'arena' || (bases.get(root.buffer) ?? base) !== base) return undefined
    bases.set(root.buffer, base)
    covered.set(root.buffer, (covered.get(root.buffer) ?? 0) + descriptor.byteLength)
    at += descriptor.byteLength
  }
  const whole = [...bases].every(([buffer, base]) => base >= 0 && covered.get(buffer) === buffer.bytes)
  return whole ? bases : undefined
}

/** The axis whose neighbours are farthest apart in memory, axes of one element aside. */
function outermostAxis({ tag, sizes }: MemoryDescriptor): number {
  const letters = /^[a-l]+/i.exec(tag)?.[0] ?? ''
  const axes = [...letters].map((letter) => letter.toLowerCase().charCodeAt(0) - 'a'.charCodeAt(0))
  return axes.find((candidate) => sizes[candidate] !== 1) ?? 0
}
