import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { List, type IValue } from '../../src/ir/ivalue.ts'
import { findOperator } from '../../src/ops/index.ts'
import type { EvaluationContext } from '../../src/ops/operator.ts'
import { MetaStorageError } from '../../src/tensor/storage.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { agrees, families, withoutUnits } from './check-cases.ts'
import {
  decodeArguments,
  isEncodedTensor,
  readCases,
  readElements,
  type Encoded,
  type EncodedTensor,
  type OperatorCase,
} from './operator-case.ts'

const context: EvaluationContext = {
  warn: () => undefined,
  print: () => undefined,
  random: () => {
    throw new MetaStorageError('a random number was drawn')
  },
}

function withoutElements(value: IValue): IValue {
  if (value instanceof Tensor) return Tensor.meta(value.dtype, value.sizes, value.strides)
  if (!(value instanceof List) || !value.elements.some((element) => element instanceof Tensor)) return value
  return new List(value.elements.map(withoutElements), value.elementType)
}

function tensorsOf(values: readonly IValue[]): (Tensor | null)[] {
  return values.flatMap((value) =>
    value instanceof List ? tensorsOf(value.elements) : [value instanceof Tensor ? value : null],
  )
}

function expectedTensors(value: Encoded): (EncodedTensor | null)[] {
  if (Array.isArray(value)) return (value as readonly Encoded[]).flatMap(expectedTensors)
  return [isEncodedTensor(value) ? value : null]
}

/** Whether the call tells what its results look like without the elements of its arguments; checks that it is true. */
function isDescribed(operatorCase: OperatorCase): boolean {
  const operator = findOperator(operatorCase.op)!
  const args = decodeArguments(operator.schema, operatorCase.args).map(withoutElements)
  let results: IValue[]
  try {
    results = operator.evaluate(args, context)
  } catch (error) {
    if (error instanceof MetaStorageError) return false
    throw error
  }
  const label = JSON.stringify(operatorCase).slice(0, 1000)
  const found = tensorsOf(results)
  expectedTensors(operatorCase.result ?? null).forEach((expected, i) => {
    const tensor = found[i]
    if (expected === null || !(tensor instanceof Tensor)) return
    expect({ dtype: tensor.dtype, sizes: tensor.sizes }, label).toEqual({
      dtype: expected.tensor,
      sizes: expected.sizes,
    })
    if (tensor.numel > 0 && operatorCase.anyLayout !== true)
      expect(withoutUnits(tensor.sizes, tensor.strides), label).toEqual(
        withoutUnits(expected.sizes, expected.strides),
      )
    // What has elements nevertheless is a constant to the plan.
    if (!tensor.isMeta)
      readElements(tensor).forEach((value, at) =>
        expect(agrees(value, expected.data[at]!, 1e-2, 0), label).toBe(true),
      )
  })
  return true
}

/** What a plan leaves to the interpreter, in some of the recorded calls at least. */
const needElements = new Set<string>([
  'aten::Bool.Tensor',
  'aten::Float.Tensor',
  'aten::FloatImplicit',
  'aten::Int.Tensor',
  'aten::IntImplicit',
  'aten::_native_batch_norm_legit',
  'aten::_pack_padded_sequence',
  'aten::_pad_packed_sequence',
  'aten::_unique',
  'aten::_unique2',
  'aten::allclose',
  'aten::alpha_dropout',
  'aten::argwhere',
  'aten::batch_norm',
  'aten::bincount',
  'aten::cross_entropy_loss',
  'aten::dropout',
  'aten::embedding_bag',
  'aten::embedding_bag.padding_idx',
  'aten::equal',
  'aten::feature_alpha_dropout',
  'aten::feature_dropout',
  'aten::gru.data',
  'aten::index.Tensor',
  'aten::index_put',
  'aten::index_put_',
  'aten::instance_norm',
  'aten::is_nonzero',
  'aten::item',
  'aten::lstm.data',
  'aten::masked_select',
  'aten::narrow.Tensor',
  'aten::native_batch_norm',
  'aten::nll_loss',
  'aten::nll_loss2d',
  'aten::nll_loss_nd',
  'aten::nonzero',
  'aten::nonzero_numpy',
  'aten::one_hot',
  'aten::repeat_interleave.Tensor',
  'aten::repeat_interleave.self_Tensor',
  'aten::rnn_relu.data',
  'aten::rnn_tanh.data',
  'aten::tensor_split.tensor_indices_or_sections',
  'aten::unique_consecutive',
  'aten::unique_dim',
  'aten::where',
  'torchvision::nms',
])

describe('operators tell the shape of their results without elements', () => {
  const cases = readdirSync(families).flatMap((file) =>
    file === 'scalars.json.gz' ? [] : readCases(file.replace('.json.gz', '')),
  )
  const byOperator = new Map<string, OperatorCase[]>()
  for (const operatorCase of cases)
    if (operatorCase.error === undefined)
      byOperator.set(operatorCase.op, [...(byOperator.get(operatorCase.op) ?? []), operatorCase])
  it.each([...byOperator])('%s', (op, calls) => {
    const described = calls.map(isDescribed)
    if (!needElements.has(op)) expect(described.every(Boolean), 'needs no elements').toBe(true)
  })
})
