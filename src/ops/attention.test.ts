import { describe, expect, it } from 'vitest'
import { Double, type IValue } from '../ir/ivalue.ts'
import { Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError } from './errors.ts'
import { findOperator } from './index.ts'

const context = { warn: () => undefined, print: () => undefined, random: () => 0.5 }

function attend(query: Tensor, keys: Tensor, options: { scale?: number; grouped?: boolean } = {}): number[] {
  const scale = options.scale === undefined ? null : new Double(options.scale)
  const args: IValue[] = [query, keys, keys, null, new Double(0), false, scale, options.grouped ?? false]
  const [result] = findOperator('aten::scaled_dot_product_attention')!.evaluate(args, context)
  return Array.from((result as Tensor).data, Number)
}

function waves(...sizes: number[]): Tensor {
  const count = sizes.reduce((n, size) => n * size, 1)
  return Tensor.from(
    'float64',
    sizes,
    Float64Array.from({ length: count }, (_, i) => Math.sin(i)),
  )
}

describe('scaled_dot_product_attention of later libtorch', () => {
  it('is that of libtorch 1.13 where no scale is named', () => {
    const [query, keys] = [waves(1, 2, 3, 4), waves(1, 2, 5, 4)]
    const old = findOperator('aten::_scaled_dot_product_attention')!
    const [expected] = old.evaluate([query, keys, keys, null, new Double(0), false, false], context)
    expect(attend(query, keys)).toEqual(Array.from((expected as Tensor).data, Number))
  })

  it('takes the plain mean of the values for a scale of zero', () => {
    const keys = Tensor.from('float64', [1, 2, 2], [1, 2, 3, 6])
    expect(attend(waves(1, 1, 2), keys, { scale: 0 })).toEqual([2, 4])
  })

  it('gives groups of query heads one head of keys and values', () => {
    const query = waves(1, 4, 3, 2)
    const keys = waves(1, 2, 5, 2)
    const repeated = Tensor.from(
      'float64',
      [1, 4, 5, 2],
      [0, 0, 1, 1].flatMap((head) => Array.from(keys.data.slice(10 * head, 10 * head + 10), Number)),
    )
    expect(attend(query, keys, { grouped: true })).toEqual(attend(query, repeated))
  })

  it('refuses groups that do not come out even', () => {
    expect(() => attend(waves(1, 3, 3, 2), waves(1, 2, 5, 2), { grouped: true })).toThrow(
      OperatorArgumentError,
    )
  })
})
