import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readNpy, writeNpy } from './npy.ts'
import { Tensor } from './tensor.ts'

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0))

function npy(header: string, data: readonly number[]): Uint8Array {
  return Uint8Array.from([0x93, ...ascii('NUMPY'), 1, 0, header.length, 0, ...ascii(header), ...data])
}

describe('.npy files', () => {
  it('come back as they were written, for any shape', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }), (sizes) => {
        const n = sizes.reduce((a, b) => a * b, 1)
        const tensor = Tensor.from(
          'float32',
          sizes,
          Array.from({ length: n }, (_, i) => i * 0.5),
        )
        const read = readNpy(writeNpy(tensor))
        expect(read.sizes).toEqual(sizes)
        expect([...read.data]).toEqual([...tensor.data])
      }),
    )
  })

  it('are written row-major whatever the strides', () => {
    const transposed = Tensor.from('int32', [2, 3], [0, 1, 2, 3, 4, 5]).asStrided([3, 2], [1, 3])
    expect([...readNpy(writeNpy(transposed)).data]).toEqual([0, 3, 1, 4, 2, 5])
  })

  it('may be column-major and big-endian', () => {
    const bytes = npy("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2), }", [0, 1, 0, 2, 0, 3, 0, 4])
    const tensor = readNpy(bytes)
    expect([...tensor.data]).toEqual([1, 2, 3, 4])
    expect(tensor.strides).toEqual([1, 2])
  })

  it.each([
    ['not a .npy file', ascii('hello'), /does not begin/],
    ['an unknown dtype', npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", []), /dtype 'c8'/],
    [
      'too little data',
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", [1]),
      /holds 1 bytes/,
    ],
    ['a broken header', npy('{}', []), /header/],
    [
      'a huge shape',
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999999999), }", []),
      /too large/,
    ],
  ])('with %s are refused', (_name, bytes, message) => {
    expect(() => readNpy(bytes)).toThrow(message)
  })
})
