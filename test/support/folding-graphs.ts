import fc from 'fast-check'
import { GraphEditor } from '../../src/ir/graph-editor.ts'
import { Graph, type Value } from '../../src/ir/graph.ts'
import { Double, List, type IValue } from '../../src/ir/ivalue.ts'
import { typeOfValue } from '../../src/ir/type-of-value.ts'
import { BoolT, IntT } from '../../src/ir/types.ts'
import { convert } from '../../src/ops/tensor-access.ts'
import { elementsOf } from '../../src/passes/support/fold-tensors.ts'
import type { DType } from '../../src/tensor/dtype.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { noise } from './conv-bn-models.ts'

/*
 * Layers with frozen weights and what may be folded into them, as graphs: once as they are, and once with every
 * number replaced by its magnitude and every difference by a sum. The second one's result bounds what any order of
 * summing the first one up can lose, in units of the dtype's last place.
 */

export interface LayerSpec {
  /** `conv1d` … `conv_transpose3d`, `_convolution`, `transposed _convolution` or `linear`. */
  readonly kind: string
  readonly spatial: number
  readonly groups: number
  readonly hasBias: boolean
  readonly padding: number
}

export type Step =
  | { readonly op: 'batch_norm'; readonly affine: boolean }
  | {
      readonly op: 'add' | 'sub' | 'mul' | 'div'
      readonly inPlace: boolean
      readonly alpha: number
      readonly operand: 'int' | 'float' | 'scalar' | 'channels' | 'batched channels'
    }

export interface FoldingSpec {
  readonly dtype: DType
  /** Dtype of the statistics of batch norms, where it is another. */
  readonly statistics: DType
  readonly before: readonly Step[]
  readonly layer: LayerSpec
  readonly after: readonly Step[]
  /** Sizes of the input in front of the last, which are the layer's input features; for linear layers only. */
  readonly rows: readonly number[]
}

const inputs = 4
const outputs = 6

export const layers: fc.Arbitrary<LayerSpec> = fc.oneof(
  ...[1, 2, 3].flatMap((spatial) =>
    [`conv${spatial}d`, `conv_transpose${spatial}d`, '_convolution', 'transposed _convolution'].map((kind) =>
      fc.record({
        kind: fc.constant(kind),
        spatial: fc.constant(spatial),
        groups: fc.constantFrom(1, 2),
        hasBias: fc.boolean(),
        padding: fc.constantFrom(0, 1),
      }),
    ),
  ),
)

export const batchNorms: fc.Arbitrary<Step> = fc.record({
  op: fc.constant('batch_norm' as const),
  affine: fc.boolean(),
})

export const arithmetic = (
  operands: readonly ('int' | 'float' | 'scalar' | 'channels' | 'batched channels')[],
) =>
  fc.record({
    op: fc.constantFrom('add', 'sub', 'mul', 'div'),
    inPlace: fc.boolean(),
    alpha: fc.constantFrom(1, 2, -3),
    operand: fc.constantFrom(...operands),
  })

export function inputOf({ layer, dtype, rows }: FoldingSpec, magnitude = false): Tensor {
  const sizes =
    layer.kind === 'linear' ? [...rows, inputs] : [2, inputs, ...new Array<number>(layer.spatial).fill(4)]
  return prepare(noise(sizes, 9), dtype, magnitude)
}

function prepare(tensor: Tensor, dtype: DType, magnitude: boolean): Tensor {
  const rounded = convert(tensor, dtype)
  if (!magnitude) return rounded
  return Tensor.from('float64', tensor.sizes, elementsOf(rounded).map(Math.abs))
}

/** The graph of a specification; `magnitude` for the one that bounds its errors. */
export function buildGraph(spec: FoldingSpec, magnitude = false): Graph {
  return new Builder(spec, magnitude).build()
}

class Builder {
  readonly #graph = new Graph()
  readonly #edit = new GraphEditor(this.#graph)
  readonly #spec: FoldingSpec
  readonly #magnitude: boolean
  #seed = 20

  constructor(spec: FoldingSpec, magnitude: boolean) {
    this.#spec = spec
    this.#magnitude = magnitude
  }

  build(): Graph {
    const input = inputOf(this.#spec)
    let value = this.#edit.addBlockInput(this.#graph.block, typeOfValue(input))
    for (const step of this.#spec.before) value = this.#step(value, step, inputs)
    value = this.#layer(value)
    for (const step of this.#spec.after) value = this.#step(value, step, outputs)
    this.#edit.addBlockOutput(this.#graph.block, value)
    return this.#graph
  }

  #constant(value: IValue): Value {
    return this.#edit.insertConstant(value, value === null ? { kind: 'None' } : typeOfValue(value))
  }

  #tensor(sizes: readonly number[], low: number, high: number, dtype: DType = this.#spec.dtype): Value {
    return this.#constant(prepare(noise(sizes, this.#seed++, low, high), dtype, this.#magnitude))
  }

  #list(value: number): Value {
    return this.#constant(new List(new Array<IValue>(this.#spec.layer.spatial).fill(value), IntT))
  }

  #layer(x: Value): Value {
    const { kind, groups, spatial, hasBias, padding } = this.#spec.layer
    const isTransposed = kind.includes('transpose')
    const kernel = new Array<number>(kind === 'linear' ? 0 : spatial).fill(2)
    const sizes = isTransposed
      ? [inputs, outputs / groups, ...kernel]
      : [outputs, inputs / (kind === 'linear' ? 1 : groups), ...kernel]
    const weight = this.#tensor(sizes, -1, 1)
    const bias = hasBias ? this.#tensor([outputs], -1, 1) : this.#constant(null)
    const rest = kind === 'linear' ? [] : this.#options(kind, isTransposed, groups, padding)
    const name = `aten::${kind.replace('transposed ', '')}`
    return this.#edit.insert(name, [x, weight, bias, ...rest]).output()
  }

  #options(kind: string, isTransposed: boolean, groups: number, padding: number): Value[] {
    const [stride, pad, zero, one] = [this.#list(1), this.#list(padding), this.#list(0), this.#list(1)]
    const count = this.#constant(groups)
    if (!kind.endsWith('_convolution'))
      return isTransposed ? [stride, pad, zero, count, one] : [stride, pad, one, count]
    const flags = [false, false, true, true].map((flag) => this.#edit.insertConstant(flag, BoolT))
    return [stride, pad, one, this.#edit.insertConstant(isTransposed, BoolT), zero, count, ...flags]
  }

  #step(x: Value, step: Step, channels: number): Value {
    return step.op === 'batch_norm'
      ? this.#norm(x, step.affine, channels)
      : this.#arithmetic(x, step, channels)
  }

  #norm(x: Value, affine: boolean, channels: number): Value {
    const { statistics } = this.#spec
    const vector = (low: number, high: number): Value => this.#tensor([channels], low, high, statistics)
    const [weight, bias] = affine
      ? [vector(0.5, 2), vector(-1, 1)]
      : [this.#constant(null), this.#constant(null)]
    const mean = this.#magnitude
      ? this.#constant(negated(prepare(noise([channels], this.#seed++), statistics, true)))
      : vector(-1, 1)
    const variance = vector(0.5, 2)
    const no = this.#edit.insertConstant(false, BoolT)
    const [momentum, eps] = [this.#constant(new Double(0.1)), this.#constant(new Double(1e-3))]
    return this.#edit
      .insert('aten::batch_norm', [x, weight, bias, mean, variance, no, momentum, eps, no])
      .output()
  }

  #arithmetic(x: Value, step: Exclude<Step, { op: 'batch_norm' }>, channels: number): Value {
    const op = this.#magnitude && step.op === 'sub' ? 'add' : step.op
    const alpha = this.#magnitude ? Math.abs(step.alpha) : step.alpha
    const tail = op === 'add' || op === 'sub' ? [this.#constant(alpha)] : []
    const kind = `aten::${op}${step.inPlace && !this.#magnitude ? '_' : ''}`
    return this.#edit.insert(kind, [x, this.#operand(step.operand, channels), ...tail]).output()
  }

  #operand(kind: string, channels: number): Value {
    const number = (this.#seed++ % 3) + 2
    if (kind === 'int') return this.#constant(number)
    if (kind === 'float') return this.#constant(new Double(number / 4))
    if (kind === 'scalar') return this.#constant(Tensor.from('int32', [], [number]))
    const { kind: layer, spatial } = this.#spec.layer
    const ones = new Array<number>(layer === 'linear' ? 0 : spatial).fill(1)
    return this.#tensor(kind === 'batched channels' ? [1, channels, ...ones] : [channels, ...ones], 0.5, 2)
  }
}

function negated(tensor: Tensor): Tensor {
  return Tensor.from(
    tensor.dtype,
    tensor.sizes,
    elementsOf(tensor).map((value) => -value),
  )
}
