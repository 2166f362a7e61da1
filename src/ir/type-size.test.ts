import { describe, expect, it } from 'vitest'
import { isOversized } from './type-size.ts'
import { IntT, listOf, tupleOf, type Type } from './types.ts'

function repeated(times: number, wrap: (type: Type) => Type): Type {
  let type = IntT
  for (let i = 0; i < times; i++) {
    type = wrap(type)
    if (isOversized(type)) return type
  }
  return type
}

describe('isOversized', () => {
  it('allows what programs have', () => {
    expect(isOversized(IntT)).toBe(false)
    expect(isOversized(repeated(50, listOf))).toBe(false)
    expect(isOversized(tupleOf(new Array<Type>(1000).fill(listOf(IntT))))).toBe(false)
  })

  it('refuses depth', () => {
    expect(isOversized(repeated(1000, listOf))).toBe(true)
  })

  it('refuses what is small only because its parts are shared', () => {
    expect(isOversized(repeated(40, (type) => tupleOf([type, type])))).toBe(true)
  })
})
