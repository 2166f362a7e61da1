import type { IValue } from '../ir/ivalue.ts'
import type { EvaluationContext, Operator } from './operator.ts'
import { forEach, numberPairTexts, rawFamily } from './raw-family.ts'
import { Complex, Double, List } from '../ir/ivalue.ts'
import { OperatorArgumentError } from './errors.ts'
import { isInt, toDouble } from './scalar-values.ts'
import { valueLess, valuesEqual } from './value-relations.ts'

function equalityTexts(name: string): string[] {
  return [
    ...numberPairTexts(name, 'bool'),
    `${name}.complex(complex a, complex b) -> bool`,
    `${name}.float_complex(float a, complex b) -> bool`,
    `${name}.complex_float(complex a, float b) -> bool`,
    ...forEach(['bool', 'str'], `${name}.KEY(KEY a, KEY b) -> bool`),
    `${name}.device(Device a, Device b) -> bool`,
    `${name}.enum(AnyEnumType a, AnyEnumType b) -> bool`,
    ...forEach(['int', 'float', 'bool', 'str', 'Tensor'], `${name}.KEY_list(KEY[] a, KEY[] b) -> bool`),
  ]
}

const equality = [
  ...rawFamily(equalityTexts('aten::eq'), ([a, b]) => valuesEqual(a!, b!)),
  ...rawFamily(equalityTexts('aten::ne'), ([a, b]) => !valuesEqual(a!, b!)),
]

type Order = (a: IValue, b: IValue, context: EvaluationContext) => boolean

/** `!(b < a)` is not `a <= b` when a NaN is among them. */
const lessOrEqual: Order = (a, b, context) => {
  if (a instanceof Double || b instanceof Double) return toDouble(a) <= toDouble(b)
  return !valueLess(b, a, context)
}

const orders: Readonly<Record<string, Order>> = {
  lt: valueLess,
  gt: (a, b, context) => valueLess(b, a, context),
  le: lessOrEqual,
  ge: (a, b, context) => lessOrEqual(b, a, context),
}

const ordering = Object.entries(orders).flatMap(([name, order]) =>
  rawFamily(
    [...numberPairTexts(`aten::${name}`, 'bool'), `aten::${name}.str(str a, str b) -> bool`],
    ([a, b], context) => {
      if (a instanceof Complex || b instanceof Complex)
        throw new OperatorArgumentError('complex numbers have no order')
      return order(a!, b!, context)
    },
  ),
)

/** The extreme of two numbers as `a < b ? a : b` picks it: of a NaN and a number, the second. */
function extremeOfTwo(name: string, beats: Order): Operator[] {
  return rawFamily(numberPairTexts(`prim::${name}`, 'promoted'), ([a, b], context) => {
    const winner = beats(a!, b!, context) ? a! : b!
    return isInt(a) && isInt(b) ? winner : new Double(toDouble(winner))
  })
}

/** Of two lists, the one that comes first (or last) by its elements from the left. */
function extremeOfLists(name: string, beats: Order): Operator[] {
  const texts = forEach(['int', 'float', 'bool'], `prim::${name}.KEY_list(KEY[] l, KEY[] r) -> KEY[]`)
  return rawFamily(texts, ([l, r], context) => {
    const [left, right] = [elementsOf(l), elementsOf(r)]
    for (let i = 0; i < Math.min(left.length, right.length); i++)
      if (!valuesEqual(left[i]!, right[i]!)) return beats(left[i]!, right[i]!, context) ? l! : r!
    return beats(right.length, left.length, context) ? r! : l!
  })
}

function extremeOfElements(name: string, beats: Order): Operator[] {
  const texts = forEach(['int', 'float', 'bool'], `prim::${name}.self_KEY(KEY[] self) -> KEY`)
  return rawFamily(texts, ([self], context) => {
    const [first, ...rest] = elementsOf(self)
    if (first === undefined) throw new OperatorArgumentError(`${name}() arg is an empty sequence`)
    return rest.reduce((best, element) => (beats(element, best, context) ? element : best), first)
  })
}

function elementsOf(value: IValue | undefined): readonly IValue[] {
  return value instanceof List ? value.elements : []
}

const extremes = (['min', 'max'] as const).flatMap((name) => {
  const beats = name === 'min' ? valueLess : orders['gt']!
  return [...extremeOfTwo(name, beats), ...extremeOfLists(name, beats), ...extremeOfElements(name, beats)]
})

export const scalarComparison: readonly Operator[] = [...equality, ...ordering, ...extremes]
