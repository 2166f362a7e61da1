import { Complex, Double, List, type IValue } from '../ir/ivalue.ts'
import { addInt, type Int } from './int64.ts'
import type { EvaluationContext, Operator } from './operator.ts'
import { forEach, rawFamily } from './raw-family.ts'
import { isInt, toComplex, toDouble, toInt } from './scalar-values.ts'
import { toList } from './sequence.ts'
import { valueLess } from './value-relations.ts'

const sortableTypes = ['int', 'float', 'bool', 'str', 'Tensor']

/** Stable, like Python's and unlike libtorch's, which leaves the order of equals open. */
function sorted(elements: readonly IValue[], isReversed: boolean, context: EvaluationContext): IValue[] {
  const ascending = elements.toSorted((a, b) =>
    valueLess(a, b, context) ? -1 : valueLess(b, a, context) ? 1 : 0,
  )
  return isReversed ? ascending.reverse() : ascending
}

const sorting = [
  ...rawFamily(
    [
      ...forEach(sortableTypes, 'aten::sort.KEY(KEY[](a!) self, bool reverse=False) -> ()'),
      'aten::sort.any(t[](a!) self, bool reverse=False) -> ()',
    ],
    ([self, reverse], context) => {
      const { elements } = toList(self)
      sorted(elements, reverse === true, context).forEach((element, i) => (elements[i] = element))
    },
  ),
  ...rawFamily(
    [
      ...forEach(sortableTypes, 'aten::sorted.KEY(KEY[](a) input) -> KEY[]'),
      'aten::sorted.any(t[](a) self) -> t[]',
    ],
    ([input], context) => {
      const { elements, elementType } = toList(input)
      return new List(sorted(elements, false, context), elementType)
    },
  ),
]

function isTruthy(value: IValue): boolean {
  if (value instanceof Double) return value.value !== 0
  return value !== false && value !== 0 && value !== '' && value !== null
}

function sum([self]: readonly IValue[]): IValue {
  const { elements, elementType } = toList(self)
  if (elementType.kind === 'Float')
    return new Double(elements.reduce<number>((total, element) => total + toDouble(element), 0))
  if (elementType.kind === 'Complex')
    return elements
      .map(toComplex)
      .reduce((a, b) => new Complex(a.real + b.real, a.imag + b.imag), new Complex(0, 0))
  return elements.reduce<Int>((total, element) => addInt(total, isInt(element) ? element : toInt(element)), 0)
}

const totals = [
  ...rawFamily(
    [
      'aten::sum.bool(bool[] self) -> int',
      ...forEach(['int', 'float', 'complex'], 'aten::sum.KEY(KEY[] self) -> KEY'),
    ],
    sum,
  ),
  ...rawFamily(forEach(['int', 'float', 'bool', 'str'], 'aten::any.KEY(KEY[] self) -> bool'), ([self]) =>
    toList(self).elements.some(isTruthy),
  ),
  ...rawFamily(forEach(['int', 'float', 'bool'], 'aten::all.KEY(KEY[] self) -> bool'), ([self]) =>
    toList(self).elements.every(isTruthy),
  ),
]

export const listReduction: readonly Operator[] = [...sorting, ...totals]
