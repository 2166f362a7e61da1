import { describe, expect, it } from 'vitest'
import { printAnnotation } from '../ir/type-printer.ts'
import type { Type } from '../ir/types.ts'
import { ScriptCompileError } from './errors.ts'
import { parseExpressionText } from './statement-parser.ts'
import { resolveType } from './type-resolver.ts'

const pair: Type = { kind: 'Tuple', name: '__torch__.Pair', fields: ['a'], elements: [{ kind: 'Int' }] }

function resolve(text: string): Type {
  const lookup = (name: string): Type | undefined => (name === '__torch__.Pair' ? pair : undefined)
  return resolveType(parseExpressionText({ name: 'a', text }), lookup)
}

describe('resolveType', () => {
  it.each([
    'int',
    'Tensor',
    'NoneType',
    'Optional[List[Tensor]]',
    'Dict[str, Tuple[int, float]]',
    'Tuple[()]',
    'Union[int, List[int]]',
    'Future[Tensor]',
    'List[Optional[bool]]',
    'Device',
  ])('knows what it prints: %s', (text) => {
    expect(printAnnotation(resolve(text))).toBe(text)
  })

  it('takes the other spellings that people and libtorch use', () => {
    expect(resolve('torch.Tensor')).toEqual({ kind: 'Tensor' })
    expect(resolve('Final[int]')).toEqual({ kind: 'Int' })
    expect(resolve('None')).toEqual({ kind: 'None' })
    expect(resolve('Union[Tensor, NoneType]')).toEqual({ kind: 'Optional', element: { kind: 'Tensor' } })
    expect(resolve('"int"')).toEqual({ kind: 'Int' })
  })

  it('asks for classes by their qualified names', () => {
    expect(resolve('List[__torch__.Pair]')).toEqual({ kind: 'List', element: pair })
  })

  it.each([
    ['__torch__.Missing', "unknown type '__torch__.Missing'"],
    ['Set[int]', "unknown generic type 'Set'"],
    ['1', 'an annotation is no type'],
    ['hasOwnProperty', "unknown type 'hasOwnProperty'"],
  ])('refuses what is no type: %s', (text, found) => {
    expect(() => resolve(text)).toThrow(ScriptCompileError)
    expect(() => resolve(text)).toThrow(found)
  })
})
