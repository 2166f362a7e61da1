import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseLayout } from '../tensor/layout.ts'
import { IrSyntaxError } from './errors.ts'
import { TextCursor } from './text-cursor.ts'
import { parseType } from './type-parser.ts'
import { printAnnotation, printType } from './type-printer.ts'
import {
  dictOf,
  IntT,
  listOf,
  optionalOf,
  StringT,
  TensorT,
  tupleOf,
  type TupleType,
  type Type,
} from './types.ts'

const read = (text: string): Type => parseType(new TextCursor(text))

const simple = fc.constantFrom<Type>(
  TensorT,
  IntT,
  StringT,
  { kind: 'Number' },
  { kind: 'Device' },
  { kind: 'None' },
  { kind: 'Opaque', name: '__torch__.m.C' },
  { kind: 'Tensor', dtype: 'float32', sizes: [2, null], requiresGrad: false, device: 'cuda:1' },
  { kind: 'Tensor', dtype: 'int64', sizes: [] },
  { kind: 'Tensor', dtype: 'float16', sizes: [3, 1], strides: [1, 1] },
  { kind: 'Tensor', dtype: 'float32', sizes: [1, 20, 8, 8], layout: parseLayout('nChw16c'), device: 'cpu' },
  { kind: 'Tensor', sizes: [32, 1, 3, 3], layout: parseLayout('Goihw16g', 32) },
)
const { type: anyType } = fc.letrec<{ type: Type }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 4 },
    simple,
    tie('type').map(listOf),
    tie('type').map(optionalOf),
    tie('type').map((element): Type => ({ kind: 'Future', element })),
    fc.array(tie('type'), { maxLength: 3 }).map(tupleOf),
  ),
}))

describe('printType', () => {
  it('spells tensors with what is known of them', () => {
    const type = {
      kind: 'Tensor',
      dtype: 'float32',
      sizes: [16, 3],
      strides: [3, 1],
      requiresGrad: false,
    } as const
    expect(printType({ ...type, device: 'cpu' })).toBe(
      'Float(16, 3, strides=[3, 1], requires_grad=0, device=cpu)',
    )
    expect(printType({ kind: 'Tensor', dtype: 'float32', sizes: [null, 3] })).toBe('Float(*, 3)')
    expect(printType({ kind: 'Tensor', dtype: 'float32', sizes: [2, 3], strides: [3, null] })).toBe(
      'Float(2, 3)',
    )
    expect(printType({ kind: 'Tensor', requiresGrad: true })).toBe('Tensor(requires_grad=1)')
    expect(printType({ kind: 'Tensor', dtype: 'int64' })).toBe('Long')
  })

  it('spells the layout in place of strides', () => {
    const type = { kind: 'Tensor', dtype: 'float32', sizes: [1, 64, 56, 56], device: 'cpu' } as const
    expect(printType({ ...type, layout: parseLayout('nChw16c'), requiresGrad: false })).toBe(
      'Float(1, 64, 56, 56, layout="nChw16c", requires_grad=0, device=cpu)',
    )
    expect(printType({ ...type, layout: parseLayout('Goihw16g', 64) })).toBe(
      'Float(1, 64, 56, 56, layout="Goihw16g", groups=64, device=cpu)',
    )
  })

  it('spells out fields and shapes only outside of dictionaries and unions', () => {
    const point: TupleType = {
      kind: 'Tuple',
      name: '__torch__.Point',
      fields: ['x', 'y'],
      elements: [TensorT, IntT],
    }
    expect(printType(listOf(point))).toBe('NamedTuple(x : Tensor, y : int)[]')
    expect(printType(dictOf(StringT, point))).toBe('Dict(str, __torch__.Point)')
    expect(printAnnotation(point)).toBe('__torch__.Point')
    const future: Type = { kind: 'Future', element: TensorT }
    expect(printType(future)).toBe('Future[Tensor]')
    expect(printType(dictOf(StringT, future))).toBe('Dict(str, Future(Tensor))')
  })

  it('is read back by parseType', () => {
    fc.assert(
      fc.property(anyType, (type) => {
        expect(printType(read(printType(type)))).toBe(printType(type))
      }),
    )
  })
})

describe('printAnnotation', () => {
  it('spells types as Python does', () => {
    expect(printAnnotation(listOf(optionalOf(IntT)))).toBe('List[Optional[int]]')
    expect(printAnnotation(tupleOf([]))).toBe('Tuple[()]')
    expect(printAnnotation({ kind: 'Number' })).toBe('number')
    expect(printAnnotation({ kind: 'Union', members: [IntT, StringT] })).toBe('Union[int, str]')
  })

  it('is read back by parseType', () => {
    fc.assert(
      fc.property(anyType, (type) => {
        expect(printAnnotation(read(printAnnotation(type)))).toBe(printAnnotation(type))
      }),
    )
  })
})

describe('parseType', () => {
  it('says what it expected and where', () => {
    expect(() => read('Dict(str)')).toThrow(/wrong number of types in Dict\n  at line 1, column 5/)
    expect(() => read('int[')).not.toThrow()
    expect(() => read('(int, ')).toThrow(IrSyntaxError)
    expect(() => read('Float(2, 3, layout="nChw16c")')).toThrow('a tensor of 2 axes cannot lie as nChw16c')
    expect(() => read('Float(2, 3, layout="nC16x")')).toThrow(IrSyntaxError)
    expect(() => read('Float(2, 3, layout=nc)')).toThrow('expected a layout')
    expect(() => read('Float(2, 3, 1, 1, layout="Goihw8g")')).toThrow('Goihw8g needs the number of groups')
    expect(() => read('Float(2, x)')).toThrow("expected a size but found 'x)'")
    expect(() => read('('.repeat(5000))).toThrow('nested more than 100 deep')
  })

  it('asks for the types of names', () => {
    const point: Type = { kind: 'Tuple', elements: [] }
    expect(parseType(new TextCursor('a.Point?'), (name) => (name === 'a.Point' ? point : undefined))).toEqual(
      optionalOf(point),
    )
    expect(read('a.Point')).toEqual({ kind: 'Opaque', name: 'a.Point' })
  })
})
