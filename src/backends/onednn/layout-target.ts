import type { Node, Value } from '../../ir/graph.ts'
import type { IValue } from '../../ir/ivalue.ts'
import { BlockedLayout, type Layout } from '../../tensor/layout.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { CallArguments, type ValueReader } from './call-arguments.ts'
import { convolutionKinds, geometryOf, weightSizes } from './convolution-geometry.ts'
import type { Dnnl, MemoryDescriptor } from './binding/dnnl.ts'
import { OneDnnError } from './binding/errors.ts'

/** What the layout passes ask of a backend (`LayoutTarget`), but for what carries layouts on: every channel-wise operator does. */
interface OneDnnLayoutTarget {
  readonly name: string
  prefer(
    node: Node,
  ):
    | { readonly inputs: readonly (Layout | undefined)[]; readonly outputs: readonly (Layout | undefined)[] }
    | undefined
}

const reader: ValueReader = {
  constantOf: ({ node }): IValue | undefined =>
    node.kind === 'prim::Constant' ? (node.attribute('value') ?? null) : undefined,
  isTensor: (value) => value.type.kind === 'Tensor',
}

const channelsPerBlock = 16

/**
 * What oneDNN's kernels on blocks of channels want, asked of the library itself for each convolution of known shape: the
 * target that shows their reorders in the graph (`permafrost graph --layouts onednn`).
 */
export function oneDnnLayoutTarget(dnnl: Dnnl): OneDnnLayoutTarget {
  return {
    name: `oneDNN ${dnnl.version}`,
    prefer: (node) => (convolutionKinds.includes(node.kind) ? preferenceOf(node, dnnl) : undefined),
  }
}

function sizesOf(value: Value): readonly number[] | undefined {
  const constant = reader.constantOf(value)
  if (constant instanceof Tensor) return constant.sizes
  const { type } = value
  if (type.kind !== 'Tensor' || type.dtype !== 'float32' || !type.sizes) return undefined
  return type.sizes.every((size) => size !== null) ? type.sizes : undefined
}

function preferenceOf(node: Node, dnnl: Dnnl): ReturnType<OneDnnLayoutTarget['prefer']> {
  const args = new CallArguments(node, reader)
  const [input, weight, output] = [args.value('input'), args.value('weight'), node.output()]
  const [x, w, y] = [input, weight, output].map((value) => value && sizesOf(value))
  const geometry = x && w && geometryOf(args, x, w)
  if (!geometry || !y || x.length !== w.length) return undefined
  const { groups, ...windows } = geometry
  const any = (sizes: readonly number[]): MemoryDescriptor => dnnl.describe('float32', sizes, 'any')
  const bias = args.tensor('bias')
  try {
    const primitive = dnnl.create({
      kind: 'convolution',
      algorithm: 'direct',
      ...windows,
      source: blocked(x, dnnl),
      weights: any(weightSizes(w, groups, geometry.transposed)),
      bias: bias && dnnl.describe('float32', [y[1] ?? 1], [1]),
      destination: blocked(y, dnnl),
    })
    const layouts = {
      source: named(primitive.descriptor('source').layout, 'activation'),
      weights: geometry.transposed
        ? undefined
        : named(primitive.descriptor('weights').layout, groups > 1 ? 'grouped' : 'weight', groups),
      destination: named(primitive.descriptor('destination').layout, 'activation'),
    }
    primitive.dispose()
    return {
      inputs: node.inputs.map((value) =>
        value === input ? layouts.source : value === weight ? layouts.weights : undefined,
      ),
      outputs: [layouts.destination],
    }
  } catch (error) {
    if (error instanceof OneDnnError) return undefined
    throw error
  }
}

/** Blocks of 16 channels, which every operator between convolutions takes; few channels stay as they are. */
function blocked(sizes: readonly number[], dnnl: Dnnl): MemoryDescriptor {
  const order = sizes.map((_, axis) => axis)
  const layout = new BlockedLayout(order, [{ axis: 1, size: channelsPerBlock }])
  return dnnl.describe('float32', sizes, (sizes[1] ?? 0) < channelsPerBlock ? 'any' : layout)
}

/** The layout under the name that its role gives it; row-major is no preference. */
function named(
  layout: Layout | undefined,
  role: 'activation' | 'weight' | 'grouped',
  groups?: number,
): Layout | undefined {
  if (layout?.kind !== 'blocked') return layout
  const { order, blocks } = layout
  if (blocks.length === 0 && order.every((axis, i) => axis === i)) return undefined
  return role === 'grouped'
    ? new BlockedLayout(order, blocks, 'grouped weight', groups)
    : new BlockedLayout(order, blocks, role)
}
