import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeUtf8, encodeUtf8 } from './utf8.ts'

describe('UTF-8 texts', () => {
  it('are decoded as the platform does where they are well-formed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (text) => {
        expect(decodeUtf8(new TextEncoder().encode(text))).toBe(text)
      }),
    )
  })

  it('keep a byte order mark, which is part of a C++ string', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa')
  })

  it('keep bytes that are no UTF-8 as lone surrogates', () => {
    expect(decodeUtf8(Uint8Array.of(0x61, 0xff, 0xc3, 0xa4))).toBe('a\udcffä')
    expect(decodeUtf8(Uint8Array.of(0xed, 0xa0, 0x80))).toBe('\udced\udca0\udc80')
  })

  it('give the same bytes back, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect([...encodeUtf8(decodeUtf8(bytes))]).toEqual([...bytes])
      }),
      { numRuns: 500 },
    )
  })
})
