import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatFixed, formatGeneral, formatScientific } from './float-text.ts'

describe('float text', () => {
  it('prints seventeen digits as C does, ties to even', () => {
    expect(formatGeneral(0.1, 17)).toBe('0.10000000000000001')
    expect(formatGeneral(2 ** -25, 17)).toBe('2.9802322387695312e-08')
    expect(formatGeneral(1e17, 17)).toBe('1e+17')
    expect(formatGeneral(123456, 6)).toBe('123456')
    expect(formatGeneral(1234567, 6)).toBe('1.23457e+06')
    expect(formatGeneral(9.99999999, 6)).toBe('10')
    expect(formatGeneral(-0, 6)).toBe('-0')
  })

  it('prints fixed and scientific numbers', () => {
    expect(formatFixed(0.03125, 4)).toBe('0.0312')
    expect(formatFixed(99999.99999, 4)).toBe('100000.0000')
    expect(formatFixed(0.00001, 4)).toBe('0.0000')
    expect(formatFixed(1e22, 0)).toBe('10000000000000000000000')
    expect(formatScientific(99999.4, 4)).toBe('9.9999e+04')
    expect(formatScientific(0, 4)).toBe('0.0000e+00')
  })

  it('names what is not finite', () => {
    expect([formatGeneral(NaN, 6), formatFixed(Infinity, 4), formatScientific(-Infinity, 4)]).toEqual([
      'nan',
      'inf',
      '-inf',
    ])
  })

  it('reads back as the same double from seventeen digits', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(formatGeneral(value, 17))).toBe(value)
      }),
    )
  })
})
