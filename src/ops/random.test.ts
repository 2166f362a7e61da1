import { describe, expect, it } from 'vitest'
import { Double, List, type IValue } from '../ir/ivalue.ts'
import { IntT } from '../ir/types.ts'
import { Tensor } from '../tensor/tensor.ts'
import { findOperator } from './index.ts'
import { numberData } from './tensor-access.ts'

/** A small generator of its own, so that the tests repeat (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

function run(key: string, ...args: IValue[]): Tensor {
  const context = { warn: () => undefined, print: () => undefined, random: seeded(1) }
  return findOperator(key)?.evaluate(args, context)[0] as Tensor
}

const size = (...sizes: number[]): List => new List(sizes, IntT)

describe('random tensors', () => {
  it('spread rand over [0, 1) and repeat from the same seed', () => {
    const values = numberData(run('aten::rand', size(1000), null, null, null, null))
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...values)).toBeLessThan(1)
    expect(numberData(run('aten::rand', size(1000), null, null, null, null))).toEqual(values)
  })

  it('give randn mean 0 and variance 1', () => {
    const values = [...numberData(run('aten::randn', size(5000), null, null, null, null))]
    const mean = values.reduce((sum, x) => sum + x, 0) / 5000
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 5000
    expect(Math.abs(mean)).toBeLessThan(0.05)
    expect(Math.abs(variance - 1)).toBeLessThan(0.1)
  })

  it('hold every number once in randperm', () => {
    const values = [...numberData(run('aten::randperm', 20, null, null, null, null))]
    expect(values.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(values).not.toEqual(values.toSorted((a, b) => a - b))
  })

  it('write through a view in place', () => {
    const base = Tensor.zeros('float32', [4])
    const view = base.asStrided([2], [2], 1)
    expect(run('aten::bernoulli_.float', view, new Double(1), null)).toBe(view)
    expect([...numberData(base)]).toEqual([0, 1, 0, 1])
  })

  it('draw without replacement only what has weight', () => {
    const weights = Tensor.from('float32', [4], [0, 1, 0, 2])
    const drawn = [...numberData(run('aten::multinomial', weights, 2, false, null))]
    expect(drawn.toSorted()).toEqual([1, 3])
  })

  it('refuse a probability above 1, with its value', () => {
    expect(() => run('aten::bernoulli.p', Tensor.zeros('float32', [2]), new Double(1.5), null)).toThrow(
      /p=1.5/,
    )
  })
})
