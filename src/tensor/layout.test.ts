import { describe, expect, it } from 'vitest'
import { LayoutError } from './errors.ts'
import { layoutOf, OpaqueLayout, parseLayout, stridesOf } from './layout.ts'

describe('the tag of a layout', () => {
  it.each(['nchw', 'nhwc', 'nc', 'ncw', 'nCdhw8c', 'nChw16c', 'oihw', 'hwio', 'OIhw16i16o', 'Ohwi16o'])(
    '%s is read and written again',
    (tag) => expect(parseLayout(tag).tag).toBe(tag),
  )

  it.each(['a', 'acdb', 'aBcd16b', 'ABcd4b16a4b', 'abcdefghijkl'])('%s is abstract', (tag) => {
    expect(parseLayout(tag).role).toBe('abstract')
    expect(parseLayout(tag).tag).toBe(tag)
  })

  it.each(['Goihw8g', 'gOIhw4i16o4i', 'goiw'])('%s is of a weight in groups', (tag) => {
    expect(parseLayout(tag, 4).tag).toBe(tag)
    expect(parseLayout(tag, 4).groups).toBe(4)
    expect(() => parseLayout(tag)).toThrow(/needs the number of groups/)
  })

  it.each([
    ['', 'it has not that form'],
    ['nChw16', 'it has not that form'],
    ['nChw1c', 'blocks of 1'],
    ['nChw2048c', 'blocks of 2048'],
    ['nchw16c', 'it would be written nChw16c'],
    ['nCHw16c', 'it would be written nChw16c'],
    ['nChw16d', 'a block is of an axis that it has not'],
    ['nncw', 'its letters name no axes'],
    ['nchx', 'its letters name no axes'],
    ['nChw99999c', 'it has not that form'],
    ['x'.repeat(1000), 'it has not that form'],
    ['oIhw32i64i', 'blocks of 64 on axis 1'],
    ['ABCd64a64b64c', 'blocks of 262144 elements'],
  ])('%j is refused', (tag, why) => {
    expect(() => parseLayout(tag)).toThrow(LayoutError)
    expect(() => parseLayout(tag)).toThrow(why)
  })

  it('has no groups where it has no g', () => {
    expect(() => parseLayout('oihw', 4)).toThrow('oihw has no groups, not 4')
    expect(() => parseLayout('goihw', 0)).toThrow('0 groups')
  })

  it('is made of order and blocks', () => {
    expect(layoutOf([0, 1, 2, 3], [{ axis: 1, size: 16 }], 'activation').tag).toBe('nChw16c')
    expect(() => layoutOf([0, 0, 2], [], 'abstract')).toThrow(LayoutError)
    expect(() => layoutOf([0, 1], [{ axis: 2, size: 4 }], 'abstract')).toThrow(LayoutError)
    expect(() => layoutOf([0], [], 'activation')).toThrow('no letters')
  })
})

describe('a layout', () => {
  it('counts blocks and padding', () => {
    const layout = parseLayout('nChw16c')
    expect(layout.paddedSizes([2, 20, 3, 3])).toEqual([2, 32, 3, 3])
    expect(layout.storageLength([2, 20, 3, 3])).toBe(2 * 32 * 9)
    expect(layout.outerStrides([2, 20, 3, 3])).toEqual([288, 144, 48, 16])
    expect(layout.offset([2, 20, 3, 3], [1, 17, 2, 0])).toBe(288 + 144 + 2 * 48 + 1)
  })

  it('splits axis 0 into groups', () => {
    const layout = parseLayout('gOIhw4i16o4i', 2)
    expect(layout.rank).toBe(4)
    expect(layout.logicalSizes([32, 16, 3, 3])).toEqual([2, 16, 16, 3, 3])
    expect(() => layout.logicalSizes([33, 16, 3, 3])).toThrow('33 channels are not 2 groups')
    expect(() => layout.logicalSizes([32, 16, 3])).toThrow('a tensor of 3 axes cannot lie as gOIhw4i16o4i')
  })

  it('has strides where there are no blocks', () => {
    expect(stridesOf(parseLayout('nhwc'), [2, 3, 4, 5])).toEqual([60, 1, 15, 3])
    expect(stridesOf(parseLayout('nChw8c'), [2, 3, 4, 5])).toBeUndefined()
    expect(stridesOf(parseLayout('goihw', 2), [6, 3, 4, 5])).toEqual([60, 20, 5, 1])
    expect(stridesOf(parseLayout('giohw', 2), [6, 3, 4, 5])).toBeUndefined()
    expect(stridesOf(parseLayout('giohw', 6), [6, 3, 4, 5])).toEqual([60, 20, 5, 1])
  })

  it('equals one that is only called differently', () => {
    expect(parseLayout('aBcd16b').equals(parseLayout('nChw16c'))).toBe(true)
    expect(parseLayout('aBcd8b').equals(parseLayout('nChw16c'))).toBe(false)
    expect(parseLayout('Goihw8g', 8).equals(parseLayout('Goihw8g', 16))).toBe(false)
  })

  it('of a backend equals one of the same name, size and description', () => {
    const opaque = (byte: number): OpaqueLayout =>
      new OpaqueLayout('onednn', 'wino', 64, new Uint8Array([byte]))
    expect(opaque(1).equals(opaque(1))).toBe(true)
    expect(opaque(1).equals(opaque(2))).toBe(false)
    expect(opaque(1).equals(new OpaqueLayout('onednn', 'wino', 64))).toBe(false)
    expect(opaque(1).equals(parseLayout('ab'))).toBe(false)
  })
})
