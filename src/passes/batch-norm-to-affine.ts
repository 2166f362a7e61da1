import type { GraphEditor } from '../ir/graph-editor.ts'
import type { Node, Value } from '../ir/graph.ts'
import type { DType } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import { definePass, type PassContext } from './pass.ts'
import { normalization } from './support/channel-operands.ts'
import { insertValue } from './support/constants.ts'
import { vectorOf } from './support/fold-tensors.ts'
import { floatingDTypeOf, rankOf } from './support/known-tensor.ts'
import { NodeArguments, roleOf } from './support/node-arguments.ts'

/**
 * Replaces a batch norm that no convolution or linear layer could take in by a multiplication and an addition, which
 * operators in front and behind can be fused with. libtorch has no such pass.
 *
 * 1. Statistics, weights, `eps` and flags are constants, and the batch norm does not train.
 * 2. The number of dimensions of its input is known, so that the constants have sizes [1, C, 1, …].
 * 3. The input's dtype is known and that of the statistics, float32 or float64: with halves, libtorch computes in
 *    float32 and rounds once, which two operators cannot.
 * 4. `x * s + (bias - running_mean * s)` with `s = weight / sqrt(running_var + eps)`, computed in double precision and
 *    rounded once; neither is infinite.
 */
export const batchNormToAffine = definePass({
  name: 'batch-norm-to-affine',
  summary: 'Replaces a frozen batch norm by a multiplication and an addition.',
  changesNumerics: true,
  run(graph, cx) {
    for (const node of graph.nodes()) {
      if (roleOf(node, cx) !== 'batch-norm') continue
      const affine = affineOf(node, cx)
      if (typeof affine === 'string') cx.miss(node, affine)
      else cx.rewrite(node, 'becomes a multiplication and an addition', (edit) => replace(edit, node, affine))
    }
  },
})

interface Affine {
  readonly scale: Tensor
  readonly shift: Tensor
}

function affineOf(node: Node, cx: PassContext): Affine | string {
  const norm = new NodeArguments(node, cx)
  const mean = norm.tensor('running_mean')
  if (mean === undefined) return 'its statistics are no constants; freeze first'
  const rank = rankOf(node.input(), cx, node)
  if (rank === undefined || rank < 2) return 'the number of dimensions of its input is not known'
  const dtype = inputDType(node.input(), mean.dtype, cx)
  if (dtype !== mean.dtype || (dtype !== 'float32' && dtype !== 'float64'))
    return dtype === undefined ? 'the dtype of its input is not known' : `it normalises ${dtype}`
  const effect = normalization(norm, mean.numel, dtype)
  if (typeof effect === 'string') return effect
  const [scale, shift] = [effect.scale, effect.shift].map((values) => perChannel(values, dtype, rank))
  if (scale === undefined || shift === undefined) return 'a factor or shift would be infinite'
  return { scale, shift }
}

/** Only statistics in float32 go with several dtypes. */
function inputDType(input: Value, statistics: DType, cx: PassContext): DType | undefined {
  return floatingDTypeOf(input, cx) ?? (statistics === 'float32' ? undefined : statistics)
}

function perChannel(values: Float64Array, dtype: DType, rank: number): Tensor | undefined {
  const vector = vectorOf(values, dtype)
  const sizes = Array.from({ length: rank }, (_, dim) => (dim === 1 ? values.length : 1))
  const isFinite = (vector.data as Float32Array | Float64Array).every(Number.isFinite)
  return isFinite ? new Tensor(vector.storage, dtype, sizes) : undefined
}

function replace(edit: GraphEditor, norm: Node, { scale, shift }: Affine): void {
  const { range } = norm
  const name = norm.output().debugName
  const constant = (tensor: Tensor, what: string): Value =>
    edit.setDebugName(insertValue(edit, tensor, range), `${name}.${what}`)
  const scaled = edit.insert('aten::mul', [norm.input(), constant(scale, 'scale')], { range })
  const one = insertValue(edit, 1, range)
  const sum = edit.insert('aten::add', [scaled.output(), constant(shift, 'shift'), one], { range })
  edit.replaceAllUses(norm.output(), sum.output())
  edit.copyMetadata(norm.output(), sum.output())
  edit.destroy(norm)
}
