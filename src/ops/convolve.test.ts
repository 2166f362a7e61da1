import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Tensor } from '../tensor/tensor.ts'
import type { ConvolutionOptions } from './convolution-geometry.ts'
import { convolve } from './convolve.ts'
import { allocate } from './tensor-access.ts'

interface Case {
  readonly input: Tensor
  readonly weight: Tensor
  readonly bias: Tensor | null
  readonly options: ConvolutionOptions & { readonly padding: readonly number[] }
}

/** Small whole numbers, so that sums are exact in any order. */
function filled(sizes: readonly number[], strides: readonly number[], seed: number): Tensor {
  const tensor = allocate('float32', sizes)
  const span = sizes.reduce((n, size, i) => n + (size - 1) * strides[i]!, 1)
  const data = Float32Array.from({ length: span + 2 }, (_, i) => ((i * 7 + seed * 13) % 11) - 5)
  const base = Tensor.from('float32', [data.length], data)
  return base.asStrided(tensor.sizes, strides, 2)
}

/** Strides of the sizes laid out in a random order, with gaps. */
function stridesIn(order: readonly number[], sizes: readonly number[], gap: number): number[] {
  const strides = sizes.map(() => 0)
  let stride = gap
  for (const dim of order) {
    strides[dim] = stride
    stride *= sizes[dim]!
  }
  return strides
}

const small = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })

const cases: fc.Arbitrary<Case> = fc
  .record({
    spatial: small(3),
    groups: small(3),
    transposed: fc.boolean(),
    batch: small(2),
    inputs: small(3),
    outputs: small(5),
    numbers: fc.array(fc.tuple(small(7), small(3), small(3), fc.nat(2), small(2)), {
      minLength: 3,
      maxLength: 3,
    }),
    order: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
    gap: small(2),
    hasBias: fc.boolean(),
    seed: fc.nat(100),
    // Long lines of outputs are convolved without packing where a group has few channels.
    widening: fc.constantFrom(0, 0, 0, 20),
  })
  .map(
    ({
      spatial,
      groups,
      transposed,
      batch,
      inputs,
      outputs,
      numbers,
      order,
      gap,
      hasBias,
      seed,
      widening,
    }) => {
      const dims = numbers
        .slice(0, spatial)
        .map(([size, ...rest], i) => [size + (i === spatial - 1 ? widening : 0), ...rest] as const)
      const kernel = dims.map(([size, k, , padding, dilation]) =>
        Math.min(k, Math.floor((size + 2 * padding - 1) / dilation) + 1),
      )
      const sizes = [batch, inputs * groups, ...dims.map(([size]) => size)]
      const weightSizes = transposed
        ? [inputs * groups, outputs, ...kernel]
        : [outputs * groups, inputs, ...kernel]
      const memoryOrder = order.filter((dim) => dim < sizes.length)
      const padding = dims.map(([size, , stride, pad, dilation], i) =>
        transposed ? Math.min(pad, Math.floor(((size - 1) * stride + dilation * (kernel[i]! - 1)) / 2)) : pad,
      )
      return {
        input: filled(sizes, stridesIn(memoryOrder, sizes, gap), seed),
        weight: filled(weightSizes, stridesIn([...memoryOrder].reverse(), weightSizes, gap), seed + 1),
        bias: hasBias ? filled([outputs * groups], [gap], seed + 2) : null,
        options: {
          stride: dims.map(([, , stride]) => stride),
          padding,
          dilation: dims.map(([, , , , dilation]) => dilation),
          groups,
          transposed,
          outputPadding: dims.map(() => 0),
        },
      }
    },
  )

function at(tensor: Tensor, index: readonly number[]): number {
  return Number(tensor.data[index.reduce((n, i, dim) => n + i * tensor.strides[dim]!, tensor.storageOffset)])
}

function indices(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (found, size) => found.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  )
}

/** The definition: every weight meets every input element, and what falls on the output is added there. */
function naive({ input, weight, bias, options }: Case, output: Tensor): Map<string, number> {
  const { groups, transposed, stride, padding, dilation } = options
  const sums = new Map<string, number>()
  for (const index of indices(output.sizes)) sums.set(index.join(), bias ? at(bias, [index[1]!]) : 0)
  const [, channels] = input.sizes as [number, number]
  for (const tap of indices(weight.sizes))
    for (const index of indices(input.sizes)) {
      const group = Math.floor(index[1]! / (channels / groups))
      const [own, other] = transposed ? [tap[0]!, tap[1]!] : [tap[1]!, tap[0]!]
      const outputsPerGroup = output.sizes[1]! / groups
      if (transposed ? own !== index[1] : own !== index[1]! % (channels / groups)) continue
      if (!transposed && Math.floor(other / outputsPerGroup) !== group) continue
      const channel = transposed ? group * outputsPerGroup + other : other
      const place = index.slice(2).map((i, dim) => {
        const reach = tap[dim + 2]! * dilation[dim]!
        return transposed
          ? i * stride[dim]! + reach - padding[dim]!
          : (i - reach + padding[dim]!) / stride[dim]!
      })
      const key = [index[0]!, channel, ...place].join()
      const sum = sums.get(key)
      if (sum !== undefined) sums.set(key, sum + at(input, index) * at(weight, tap))
    }
  return sums
}

describe('convolve', () => {
  it('agrees with the naive loops on any geometry and any strides', () => {
    fc.assert(
      fc.property(cases, (sample) => {
        const output = convolve(sample.input, sample.weight, sample.bias, sample.options)
        const expected = naive(sample, output)
        for (const index of indices(output.sizes))
          expect(at(output, index), `at ${index.join()}`).toBe(expected.get(index.join()))
      }),
      { numRuns: 100 },
    )
  })

  it('adds in doubles and rounds once', () => {
    const input = Tensor.from('float32', [1, 3, 1], [2 ** 24, 1, -(2 ** 24)])
    const weight = Tensor.from('float32', [1, 3, 1], [1, 1, 1])
    const options = {
      stride: [1],
      padding: [0],
      dilation: [1],
      groups: 1,
      transposed: false,
      outputPadding: [0],
    }
    expect(at(convolve(input, weight, null, options), [0, 0, 0])).toBe(1)
  })
})
