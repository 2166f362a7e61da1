import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32 } from './crc32.ts'

describe('crc32', () => {
  it('gives the check value of the standard', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
  })

  it('is the same at every alignment and length', () => {
    const bytes = Uint8Array.from({ length: 80 }, (_, i) => (i * 37 + 11) & 255)
    for (let start = 0; start < 9; start++)
      for (let end = start; end <= bytes.length; end++) {
        const part = bytes.subarray(start, end)
        expect(crc32(part)).toBe(crc32(part.slice()))
        expect(crc32(part)).toBe(bitwise(part))
      }
  })

  it('continues where it stopped', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (head, tail) => {
        expect(crc32(tail, crc32(head))).toBe(bitwise(Uint8Array.of(...head, ...tail)))
      }),
    )
  })
})

function bitwise(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc >>> 0
}
