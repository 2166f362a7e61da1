import type { GraphEditor } from '../../ir/graph-editor.ts'
import type { Value } from '../../ir/graph.ts'
import { layoutOfReorder, reorderAttributes, reorderKind } from '../../ir/layout-attribute.ts'
import type { SourceRange } from '../../ir/source-range.ts'
import { TensorT, type TensorType, type Type } from '../../ir/types.ts'
import { stridesOf, type Layout } from '../../tensor/layout.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { constantOf } from './constants.ts'

/** Sizes that are known to the last, with which a graph is specialised. */
export function knownSizes(type: Type): readonly number[] | undefined {
  if (type.kind !== 'Tensor' || type.dtype === undefined) return undefined
  const sizes = type.sizes?.filter((size) => size !== null)
  return sizes?.length === type.sizes?.length ? sizes : undefined
}

/** The type of a tensor once it lies as `layout`; just `Tensor` where its sizes are unknown or only a backend knows. */
export function typeInLayout(type: Type, layout: Layout): TensorType {
  const sizes = knownSizes(type)
  if (type.kind !== 'Tensor' || sizes === undefined || layout.kind === 'opaque') return TensorT
  const strides = stridesOf(layout, sizes)
  const known = Object.entries(type).filter(([field]) => field !== 'strides' && field !== 'layout')
  const place = strides === undefined ? { layout } : { strides }
  return { ...(Object.fromEntries(known) as unknown as TensorType), ...place }
}

/** The layout that a value is known to have, by its type, its reorder or its content; undefined for strided tensors too. */
export function knownLayout(value: Value): Layout | undefined {
  const { node, type } = value
  if (type.kind === 'Tensor' && type.layout !== undefined) return type.layout
  const constant = constantOf(value)
  if (constant instanceof Tensor) return constant.layout
  const layout = node.kind === reorderKind ? layoutOfReorder(node) : undefined
  return layout?.blocks.length === 0 ? undefined : layout
}

/** Inserts a reorder of the value, named after it. */
export function insertReorder(
  edit: GraphEditor,
  value: Value,
  layout: Layout,
  type: TensorType,
  range: SourceRange | undefined,
): Value {
  const attributes = reorderAttributes(layout)
  const node = edit.insert(reorderKind, [value], { outputs: [type], attributes, range })
  const isPlain = layout.kind === 'blocked' && layout.blocks.length === 0
  return edit.setDebugName(node.output(), freeName(value, isPlain ? 'plain' : 'packed'))
}

/** `30.packed`, `30.packed.1`; of a reordered value the name of the value itself counts. */
function freeName(value: Value, suffix: string): string {
  const base = `${value.debugName.replace(/\.(?:plain|packed)(?:\.\d+)?$/, '')}.${suffix}`
  let name = base
  for (let i = 1; value.graph.value(name) !== undefined; i++) name = `${base}.${i}`
  return name
}
