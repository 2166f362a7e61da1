import { describe, expect, it } from 'vitest'
import { Double, type IValue } from '../ir/ivalue.ts'
import { Tensor } from '../tensor/tensor.ts'
import { dropoutOperators } from './dropout.ts'
import type { EvaluationContext } from './operator.ts'

/** A small linear congruential generator: the same numbers in every run. */
function seededContext(): EvaluationContext {
  let state = 1
  return {
    warn: () => undefined,
    print: () => undefined,
    random: () => (state = (state * 48271) % 2147483647) / 2147483647,
  }
}

function run(name: string, ...args: IValue[]): Tensor {
  const operator = dropoutOperators.find(({ key }) => key === `aten::${name}`)
  return operator?.evaluate(args, seededContext())[0] as Tensor
}

const ones = (...sizes: number[]): Tensor =>
  Tensor.from('float32', sizes, new Float32Array(sizes.reduce((n, size) => n * size, 1)).fill(1))

describe('dropout', () => {
  it('drops the share it is told to and keeps the mean in training', () => {
    const values = [...run('dropout', ones(10000), new Double(0.25), true).data].map(Number)
    const dropped = values.filter((value) => value === 0).length
    expect(dropped).toBeGreaterThan(2300)
    expect(dropped).toBeLessThan(2700)
    expect(values.every((value) => value === 0 || Math.abs(value - 4 / 3) < 1e-6)).toBe(true)
  })

  it('drops whole channels in feature_dropout', () => {
    const values = [...run('feature_dropout', ones(4, 16, 5), new Double(0.5), true).data].map(Number)
    const channels = Array.from({ length: 64 }, (_, i) => new Set(values.slice(i * 5, i * 5 + 5)))
    expect(channels.every((channel) => channel.size === 1)).toBe(true)
    expect(new Set(values)).toEqual(new Set([0, 2]))
  })

  it('keeps mean 0 and variance 1 in alpha_dropout', () => {
    const normal = Float32Array.from({ length: 20000 }, (_, i) => (i % 2 === 0 ? 1 : -1))
    const input = Tensor.from('float32', [20000], normal)
    const values = [...run('alpha_dropout', input, new Double(0.3), true).data].map(Number)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    expect(Math.abs(mean)).toBeLessThan(0.03)
    expect(Math.abs(variance - 1)).toBeLessThan(0.03)
  })

  it('gives the input itself back outside training, in place or not', () => {
    const input = ones(2, 3)
    expect(run('dropout', input, new Double(0.5), false)).toBe(input)
    expect(run('dropout_', input, new Double(0.5), false)).toBe(input)
  })
})
