import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { faultOfElf } from './elf.ts'

function faultOf(bytes: Uint8Array): string | undefined {
  return faultOfElf((offset, length) => bytes.subarray(offset, offset + length), bytes.length)
}

/** A header and one program header, of a segment of these bytes. */
function elf(at: number, bytes: number, type = 1): Uint8Array {
  const file = new Uint8Array(256)
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1])
  const view = new DataView(file.buffer)
  view.setBigUint64(32, 64n, true)
  view.setUint16(54, 56, true)
  view.setUint16(56, 1, true)
  view.setUint32(64, type, true)
  view.setBigUint64(72, BigInt(at), true)
  view.setBigUint64(96, BigInt(bytes), true)
  return file
}

describe('faultOfElf', () => {
  it('lets whole files pass', () => {
    expect(faultOf(elf(0, 256))).toBeUndefined()
    expect(faultOf(elf(200, 56))).toBeUndefined()
  })

  it.skipIf(process.platform !== 'linux')('lets the running program pass', () => {
    expect(faultOf(readFileSync(process.execPath))).toBeUndefined()
  })

  it('tells where a segment ends beyond the file', () => {
    expect(faultOf(elf(0, 257))).toBe('is cut off: it has 256 bytes of at least 257')
    expect(faultOf(elf(2 ** 40, 1))).toMatch(/cut off/)
  })

  it('tells where the program headers themselves are beyond the file', () => {
    expect(faultOf(elf(0, 256).subarray(0, 100))).toBe('is cut off: it has 100 bytes of at least 120')
  })

  it('leaves to the loader what is not loaded from the file, no 64-bit ELF file, or less than a header', () => {
    expect(faultOf(elf(0, 300, 0x6474e551))).toBeUndefined()
    for (const bytes of [Uint8Array.of(), Uint8Array.of(0x7f, 0x45), new Uint8Array(256).fill(0x20)])
      expect(faultOf(bytes)).toBeUndefined()
    const narrow = elf(0, 300)
    narrow[4] = 1
    expect(faultOf(narrow)).toBeUndefined()
  })
})
