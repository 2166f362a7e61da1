import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { convertLayout, plainTensor } from './convert-layout.ts'
import { dtypes, itemSize, type DType } from './dtype.ts'
import { LayoutError } from './errors.ts'
import { OpaqueLayout, parseLayout } from './layout.ts'
import { Storage } from './storage.ts'
import { contiguousStrides, Tensor } from './tensor.ts'

const tags = [
  ...['nCw8c', 'Nwc4n', 'OIw4i2o2i', 'wio', 'aBc3b', 'nCw5c'],
  ...[
    'nChw4c',
    'nChw16c',
    'NChw4n3c',
    'OIhw4i4o',
    'OIhw2i8o4i',
    'Ohwi16o',
    'hwIo8i',
    'nhwc',
    'acdb',
    'AcdB8b4a2b',
  ],
  ...['nCdhw8c', 'OIdhw4o2i2o', 'Oidhw4o', 'dhwio', 'ndhwc', 'aBCde2b4c'],
  ...[
    'goiw:3',
    'gOIw2i4o:2',
    'Goihw8g:6',
    'gOIhw4i4o:2',
    'giohw:3',
    'gOIhw2i4o2i:3',
    'giOdhw4o:2',
    'hwigo:2',
  ],
]

function layoutNamed(text: string): ReturnType<typeof parseLayout> {
  const [tag = '', groups] = text.split(':')
  return parseLayout(tag, groups === undefined ? undefined : Number(groups))
}

/** Where the tag says that an element lies, read off its letters one after the other. */
function naiveOffset(
  tag: string,
  letters: string,
  sizes: readonly number[],
  index: readonly number[],
): number {
  const rest = [...index]
  const parts = [...tag.matchAll(/(\d+)([a-z])|([A-Za-z])/g)].reverse()
  const blockOf = (letter: string): number =>
    parts.reduce((product, [, size, name]) => (name === letter ? product * Number(size) : product), 1)
  let [offset, stride] = [0, 1]
  for (const [, size, blocked, outer] of parts) {
    const axis = letters.indexOf((blocked ?? outer ?? '').toLowerCase())
    const length = size === undefined ? Math.ceil(sizes[axis]! / blockOf(letters[axis]!)) : Number(size)
    offset += (rest[axis]! % length) * stride
    rest[axis] = Math.floor(rest[axis]! / length)
    stride *= length
  }
  return offset
}

function* indices(sizes: readonly number[]): Generator<number[]> {
  const [size, ...rest] = sizes
  if (size === undefined) yield []
  else for (let i = 0; i < size; i++) for (const tail of indices(rest)) yield [i, ...tail]
}

/** A tensor whose elements all differ and are not zero (as far as the dtype can tell), with gaps and any order. */
function tensorOf(dtype: DType, sizes: readonly number[], reversed: boolean): Tensor {
  const strides = contiguousStrides(reversed ? [...sizes].reverse() : sizes)
  const numel = sizes.reduce((a, b) => a * b, 1)
  const storage = Storage.ofLength((2 * numel + 3) * itemSize(dtype))
  storage.bytes.forEach((_, i, bytes) => (bytes[i] = 1 + (i % 251)))
  return new Tensor(storage, dtype, sizes, {
    strides: (reversed ? strides.reverse() : strides).map((stride) => 2 * stride),
    storageOffset: 3,
  })
}

const cases = fc.record({
  name: fc.constantFrom(...tags),
  dtype: fc.constantFrom(...(Object.keys(dtypes) as DType[])),
  dims: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 5, maxLength: 5 }),
  empty: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  reversed: fc.boolean(),
})

function tensorFor({
  name,
  dtype,
  dims,
  empty,
  reversed,
}: typeof cases extends fc.Arbitrary<infer T> ? T : never): {
  layout: ReturnType<typeof parseLayout>
  tensor: Tensor
} {
  const layout = layoutNamed(name)
  const sizes = dims.slice(0, layout.rank)
  if (layout.groups !== undefined) sizes[0] = layout.groups * Math.ceil(sizes[0]! / 2)
  if (empty) sizes[1] = 0
  return { layout, tensor: tensorOf(dtype, sizes, reversed) }
}

describe('a tensor in another layout', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(...tags), (drawn, via) => {
        const { layout, tensor } = tensorFor(drawn)
        const other = layoutNamed(via)
        const fits =
          other.rank === tensor.dim && (other.groups === undefined || tensor.sizes[0]! % other.groups === 0)
        const there = convertLayout(tensor, layout)
        const back = plainTensor(fits ? convertLayout(there, other) : there)
        expect(bytesOf(back)).toEqual(bytesOf(tensor))
      }),
    )
  })

  it('has every element where the tag says, and zeros everywhere else', () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const { layout, tensor } = tensorFor(drawn)
        const there = convertLayout(tensor, layout)
        const size = itemSize(tensor.dtype)
        const expected = new Uint8Array(layout.storageLength(tensor.sizes) * size)
        const logical = layout.logicalSizes(tensor.sizes)
        const letters = { activation: 'nc', weight: 'oi', 'grouped weight': 'goi', abstract: 'abcdefghijkl' }[
          layout.role
        ]
        const names =
          layout.role === 'abstract'
            ? letters
            : letters + ['', 'w', 'hw', 'dhw'][logical.length - letters.length]!
        for (const index of indices(logical)) {
          const own =
            layout.groups === undefined ? index : [index[0]! * logical[1]! + index[1]!, ...index.slice(2)]
          const from = own.reduce((sum, at, axis) => sum + at * tensor.strides[axis]!, tensor.storageOffset)
          const to = naiveOffset(layout.tag, names, logical, index)
          expect(layout.offset(tensor.sizes, index)).toBe(to)
          expected.set(tensor.storage.bytes.subarray(from * size, (from + 1) * size), to * size)
        }
        expect(there.storage.bytes).toEqual(expected)
        expect(there.sizes).toEqual(tensor.sizes)
      }),
    )
  })

  it('is given back as it is where it lies so already', () => {
    const tensor = Tensor.zeros('float32', [1, 16, 2, 2])
    const blocked = convertLayout(tensor, parseLayout('nChw8c'))
    expect(convertLayout(blocked, parseLayout('aBcd8b'))).toBe(blocked)
    expect(convertLayout(tensor, parseLayout('nchw'))).toBe(tensor)
    expect(plainTensor(tensor)).toBe(tensor)
  })

  it('keeps the bits of a NaN', () => {
    const tensor = Tensor.zeros('float32', [1, 1])
    new Uint32Array(tensor.storage.bytes.buffer)[0] = 0x7fa00001
    const there = convertLayout(tensor, parseLayout('Ab2a'))
    expect(new Uint32Array(there.storage.bytes.buffer)[0]).toBe(0x7fa00001)
  })

  it('tells its sizes without elements', () => {
    const there = convertLayout(Tensor.meta('float32', [2, 20, 3, 3]), parseLayout('nChw16c'))
    expect(there.isMeta).toBe(true)
    expect(there.storage.byteLength).toBe(2 * 32 * 9 * 4)
    expect(plainTensor(there).isMeta).toBe(true)
  })

  it('costs nothing where there are no elements, whatever its sizes', () => {
    const layout = parseLayout('Ab8a')
    expect(plainTensor(convertLayout(Tensor.zeros('float32', [0, 2 ** 50]), layout)).sizes).toEqual([
      0,
      2 ** 50,
    ])
    expect(convertLayout(Tensor.meta('float32', [8, 2 ** 40]), layout).isMeta).toBe(true)
  })

  it('is refused where padding would fill the memory', () => {
    const tensor = Tensor.meta('float32', [1, 1, 1000, 1000])
    expect(() => convertLayout(tensor, parseLayout('nChw1024c'))).toThrow(LayoutError)
  })

  it('is refused where only a backend can read it', () => {
    const layout = new OpaqueLayout('onednn', 'winograd', 64)
    const tensor = new Tensor(Storage.ofLength(64), 'float32', [2, 2], { layout })
    expect(() => plainTensor(tensor)).toThrow(
      /only the backend onednn can read a tensor that lies as onednn:winograd/,
    )
  })
})

describe('a tensor with a layout', () => {
  const blocked = convertLayout(Tensor.from('float32', [1, 3], [1, 2, 3]), parseLayout('nC4c'))

  it('has no strides that anybody could take for its own', () => {
    expect(() => blocked.strides).toThrow(LayoutError)
    expect(() => blocked.asStrided([3], [1])).toThrow('a tensor that lies as nC4c has no strides')
    expect(blocked.isContiguous).toBe(false)
    expect({ ...blocked }).not.toHaveProperty('strides')
  })

  it('keeps its layout without requires_grad', () => {
    const grad = new Tensor(blocked.storage, 'float32', [1, 3], {
      layout: blocked.layout,
      requiresGrad: true,
    })
    expect(grad.detach().layout?.tag).toBe('nC4c')
    expect(plainTensor(grad).requiresGrad).toBe(true)
  })
})

/** The elements of a strided tensor in row-major order. */
function bytesOf(tensor: Tensor): number[] {
  const size = itemSize(tensor.dtype)
  const bytes: number[] = []
  for (const index of indices(tensor.sizes)) {
    const at = index.reduce((sum, i, axis) => sum + i * tensor.strides[axis]!, tensor.storageOffset)
    bytes.push(...tensor.storage.bytes.subarray(at * size, (at + 1) * size))
  }
  return bytes
}
