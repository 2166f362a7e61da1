import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { argument, type Dnnl, type MemoryDescriptor } from '../../src/backends/onednn/binding/dnnl.ts'
import { OneDnnError } from '../../src/backends/onednn/binding/errors.ts'
import { openOneDnn } from '../../src/backends/onednn/binding/library.ts'
import { copyInLayout } from '../../src/tensor/convert-layout.ts'
import { BlockedLayout, parseLayout } from '../../src/tensor/layout.ts'
import { contiguousStrides } from '../../src/tensor/tensor.ts'
import { noise } from '../support/conv-bn-models.ts'
import { oneDnn } from '../support/session-graphs.ts'

/** Names that both versions of the library know, in abstract letters. */
const tags = [
  'abcd',
  'acdb',
  'aBcd4b',
  'aBcd8b',
  'aBcd16b',
  'ABcd8b8a',
  'ABcd16b16a',
  'ABcd4b16a4b',
  'Acdb16a',
]
const sizes = fc.tuple(...[1, 2, 3, 4].map(() => fc.integer({ min: 1, max: 19 })))

describe.skipIf(oneDnn === undefined)('layouts of the library', () => {
  const dnnl: Dnnl = oneDnn ? openOneDnn() : (undefined as never)
  afterAll(() => oneDnn && dnnl.dispose())

  /** What the library makes of row-major memory. */
  function reordered(bytes: Uint8Array, source: MemoryDescriptor, destination: MemoryDescriptor): Uint8Array {
    const content = new Uint8Array(destination.byteLength).fill(255)
    const primitive = dnnl.create({ kind: 'reorder', source, destination })
    const call = dnnl.bind(primitive, [
      { argument: argument.source, descriptor: source, address: dnnl.addressOf(bytes) },
      { argument: argument.destination, descriptor: destination, address: dnnl.addressOf(content) },
    ])
    call.execute()
    call.dispose()
    primitive.dispose()
    return content
  }

  it.each(tags)('have every element where ours have it, and zeros between: %s', (tag) => {
    fc.assert(
      fc.property(sizes, (sizes) => {
        const layout = parseLayout(tag)
        const tensor = noise(sizes, 1)
        const source = dnnl.describe('float32', sizes, contiguousStrides(sizes))
        const destination = dnnl.describe('float32', sizes, layout)
        const wanted = copyInLayout(tensor, layout).storage.bytes
        expect(Buffer.compare(reordered(tensor.storage.bytes, source, destination), wanted)).toBe(0)
      }),
      { numRuns: 12 },
    )
  })

  it('are told as they were asked for', () => {
    const descriptor = dnnl.describe('float32', [2, 20, 5, 3], parseLayout('aBcd16b'))
    expect(descriptor).toMatchObject({
      dtype: 'float32',
      sizes: [2, 20, 5, 3],
      tag: 'aBcd16b',
      strides: undefined,
    })
    expect(descriptor.byteLength).toBe(2 * 32 * 5 * 3 * 4)
    expect(descriptor.layout).toEqual(parseLayout('aBcd16b'))
    const strided = dnnl.describe('float32', [2, 4, 5], [40, 1, 8])
    expect(strided).toMatchObject({ tag: 'acb', strides: [40, 1, 8], byteLength: 2 * 40 * 4 })
  })

  it('are the same where they differ in what no element shows', () => {
    const describe = (strides: readonly number[]): MemoryDescriptor =>
      dnnl.describe('float32', [1, 16, 1, 1], strides)
    expect(describe([16, 1, 1, 1]).equals(describe([99, 1, 16, 16]))).toBe(true)
    expect(
      dnnl.describe('float32', [1, 16, 1, 1], parseLayout('aBcd16b')).equals(describe([16, 1, 1, 1])),
    ).toBe(true)
    const [a, b] = [20, 21].map((width) => dnnl.describe('float32', [1, width, 2, 2], parseLayout('aBcd16b')))
    expect(a?.equals(a)).toBe(true)
    expect(a?.equals(b as MemoryDescriptor)).toBe(false)
    expect(a?.key).not.toBe(b?.key)
  })

  it('that it has no name for are refused by version 3, which is told names', () => {
    const ask = (): MemoryDescriptor =>
      dnnl.describe('float32', [1, 14], new BlockedLayout([0, 1], [{ axis: 1, size: 7 }]))
    if (dnnl.version.startsWith('2')) expect(ask().tag).toBe('aB7b')
    else expect(ask).toThrow(OneDnnError)
  })
})
