import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { numelOf, Tensor } from '../tensor/tensor.ts'
import { broadcastSizes } from './broadcast.ts'
import { findOperator } from './index.ts'
import { numberData } from './tensor-access.ts'

const context = { warn: () => undefined, print: () => undefined, random: () => 0 }

function run(
  key: string,
  ...args: Parameters<NonNullable<ReturnType<typeof findOperator>>['evaluate']>[0]
): Tensor {
  return findOperator(key)?.evaluate(args, context)[0] as Tensor
}

function counting(sizes: readonly number[]): Tensor {
  return Tensor.from(
    'float32',
    sizes,
    Array.from({ length: numelOf(sizes) }, (_, i) => i + 1),
  )
}

/** The element at an index of the broadcast shape, found the slow way. */
function at(tensor: Tensor, index: readonly number[]): number {
  const lead = index.length - tensor.dim
  const offset = tensor.sizes.reduce(
    (sum, size, dim) => sum + (size === 1 ? 0 : (index[lead + dim] ?? 0)) * (tensor.strides[dim] ?? 0),
    tensor.storageOffset,
  )
  return Number(tensor.data[offset])
}

function indicesOf(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (indices, size) => indices.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  )
}

/** Two shapes that broadcast, each tensor possibly permuted in memory. */
const pairs = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom('both', 'left', 'right')), { maxLength: 4 })
  .chain((dims) => {
    const left = dims.map(([size, side]) => (side === 'right' ? 1 : size))
    const right = dims.map(([size, side]) => (side === 'left' ? 1 : size))
    return fc.tuple(permuted(left), permuted(right))
  })

function permuted(sizes: readonly number[]): fc.Arbitrary<Tensor> {
  const dims = sizes.map((_, dim) => dim)
  return fc.shuffledSubarray(dims, { minLength: dims.length }).map((order) => {
    const base = counting(order.map((dim) => sizes[dim] ?? 1))
    return base.asStrided(
      sizes,
      dims.map((dim) => base.strides[order.indexOf(dim)] ?? 1),
    )
  })
}

describe('element-wise operators', () => {
  it('pair the elements of any two shapes and layouts that broadcast', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const result = run('aten::sub.Tensor', a, b, 1)
        const sizes = broadcastSizes(a.sizes, b.sizes)
        expect(result.sizes).toEqual(sizes)
        expect([...numberData(result)]).toEqual(indicesOf(sizes).map((index) => at(a, index) - at(b, index)))
      }),
    )
  })

  it('write in place what they give otherwise, wherever self lies', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        fc.pre(broadcastSizes(a.sizes, b.sizes).join() === a.sizes.join())
        const expected = [...numberData(run('aten::mul.Tensor', a, b))]
        expect(run('aten::mul_.Tensor', a, b)).toBe(a)
        expect([...numberData(a)]).toEqual(expected)
      }),
    )
  })

  it('show through every view of the memory they write to', () => {
    const base = counting([2, 3])
    const column = base.asStrided([2], [3], 1)
    run('aten::add_.Scalar', column, 10, 1)
    expect([...numberData(base)]).toEqual([1, 12, 3, 4, 15, 6])
  })

  it('read operands that share memory with self as they were', () => {
    const base = counting([4])
    run('aten::add_.Tensor', base.asStrided([3], [1], 1), base.asStrided([3], [1], 0), 1)
    expect([...numberData(base)]).toEqual([1, 3, 5, 7])
  })

  it('name both sizes when shapes do not fit', () => {
    expect(() => run('aten::add.Tensor', counting([2, 3]), counting([4]), 1)).toThrow(
      'the size of tensor a (3) must match the size of tensor b (4) at dimension 1',
    )
    expect(() => run('aten::add_.Tensor', counting([3]), counting([2, 3]), 1)).toThrow(
      "output with shape [3] doesn't match the broadcast shape [2, 3]",
    )
  })

  it('refuse to write floats into integers, and into one place twice', () => {
    const integers = Tensor.from('int64', [2], [1, 2])
    expect(() => run('aten::add_.Tensor', integers, counting([2]), 1)).toThrow(
      "result type float32 can't be cast to the desired output type int64",
    )
    expect(() => run('aten::mul_.Scalar', counting([1]).asStrided([3], [0]), 2)).toThrow(
      'more than one element of the written-to tensor refers to a single memory location',
    )
  })

  it('say that complex tensors are not computed with', () => {
    expect(() => run('aten::exp', Tensor.zeros('complex64', [2]))).toThrow(
      'no kernel for tensors of dtype complex64',
    )
  })

  it('refuse a tensor that no memory could hold', () => {
    expect(() => run('aten::mul.Tensor', counting([1]).asStrided([2 ** 40], [0]), counting([1]))).toThrow(
      /cannot allocate 4398046511104 bytes/,
    )
  })
})
