import type { Node, Value } from './graph.ts'

/** Where a norm has its running statistics, and the flag that makes it move them; without a flag it always does. */
interface Places {
  readonly statistics: readonly [mean: number, variance: number]
  readonly flag?: number
}

const usual: Places = { statistics: [3, 4], flag: 5 }
const always: Places = { statistics: [3, 4] }

const norms: Readonly<Record<string, Places>> = {
  'aten::batch_norm': usual,
  'aten::instance_norm': usual,
  'aten::native_batch_norm': usual,
  'aten::_batch_norm_impl_index': usual,
  'aten::cudnn_batch_norm': usual,
  'aten::miopen_batch_norm': usual,
  'aten::batch_norm_update_stats': { statistics: [1, 2] },
  'aten::batch_norm_gather_stats': always,
  'aten::batch_norm_gather_stats_with_counts': always,
}

/** The input that decides whether a norm moves its running statistics. */
export function trainingFlag(norm: Node): Value | undefined {
  const flag = norms[norm.kind]?.flag
  return flag === undefined ? undefined : norm.inputs[flag]
}

/**
 * The running statistics that a norm writes in training, which libtorch's schemas do not mark; empty for other nodes
 * and where `mayTrain` denies it (aten/src/ATen/native/Normalization.cpp).
 */
export function writtenStatistics(
  node: Node,
  mayTrain: (norm: Node) => boolean = mayTrainByConstant,
): readonly Value[] {
  const places = norms[node.kind]
  if (places === undefined || !mayTrain(node)) return []
  return places.statistics.flatMap((place) => {
    const value = node.inputs[place]
    return value === undefined || value.type.kind === 'None' ? [] : [value]
  })
}

function mayTrainByConstant(norm: Node): boolean {
  const flag = trainingFlag(norm)
  return flag?.node.kind !== 'prim::Constant' || flag.node.attribute('value') !== false
}
