import { isFloating } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import {
  Complex,
  Device,
  Dict,
  Double,
  EnumValue,
  List,
  ScriptObject,
  Tuple,
  type IValue,
} from '../ir/ivalue.ts'
import { OperatorArgumentError } from './errors.ts'
import type { EvaluationContext } from './operator.ts'
import { describeValue, isInt, toDouble } from './scalar-values.ts'
import { singleElement } from './tensor-element.ts'

/**
 * Whether `==` holds for two values of TorchScript. Numbers are compared across kinds; tensors must hold one
 * element each, whose equality counts.
 *
 * @throws OperatorArgumentError for a tensor of several elements
 */
export function valuesEqual(a: IValue, b: IValue): boolean {
  if (a === b) return true
  if (isNumber(a) && isNumber(b)) return numbersEqual(a, b)
  if (a instanceof Tensor && b instanceof Tensor) return numbersEqual(singleElement(a), singleElement(b))
  if (a instanceof Device && b instanceof Device) return a.type === b.type && a.index === b.index
  if (a instanceof EnumValue && b instanceof EnumValue)
    return a.type.name === b.type.name && a.name === b.name
  if (a instanceof List && b instanceof List) return allEqual(a.elements, b.elements)
  if (a instanceof Tuple && b instanceof Tuple) return allEqual(a.elements, b.elements)
  return a instanceof Dict && b instanceof Dict && dictsEqual(a, b)
}

type NumberValue = number | bigint | boolean | Double | Complex

function isNumber(value: IValue): value is NumberValue {
  return isInt(value) || typeof value === 'boolean' || value instanceof Double || value instanceof Complex
}

function numbersEqual(a: NumberValue, b: NumberValue): boolean {
  if (a instanceof Complex || b instanceof Complex) {
    const [x, y] = [asComplex(a), asComplex(b)]
    return x.real === y.real && x.imag === y.imag
  }
  if (isInt(a) && isInt(b)) return a === b
  return toDouble(a) === toDouble(b)
}

function asComplex(value: NumberValue): Complex {
  return value instanceof Complex ? value : new Complex(toDouble(value), 0)
}

function allEqual(a: readonly IValue[], b: readonly IValue[]): boolean {
  return a.length === b.length && a.every((element, i) => valuesEqual(element, b[i]!))
}

function dictsEqual(a: Dict, b: Dict): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a.entries()) {
    const other = b.get(key)
    if (other === undefined || !valuesEqual(value, other)) return false
  }
  return true
}

/**
 * Whether `a < b`; tuples are compared from the left, objects by their `__lt__`.
 *
 * @throws OperatorArgumentError for values that have no order
 */
export function valueLess(a: IValue, b: IValue, context: EvaluationContext): boolean {
  if (isInt(a) && isInt(b)) return a < b
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b) < 0
  if (isNumber(a) && isNumber(b)) return toDouble(a) < toDouble(b)
  if (a instanceof Tensor && b instanceof Tensor) return tensorLess(a, b)
  if (a instanceof Tuple && b instanceof Tuple) return tupleLess(a, b, context)
  if (a instanceof ScriptObject && context.callMethod) return context.callMethod(a, '__lt__', [b]) === true
  throw new OperatorArgumentError(`${describeValue(a)} and ${describeValue(b)} have no order`)
}

function tensorLess(a: Tensor, b: Tensor): boolean {
  const [x, y] = [singleElement(a), singleElement(b)]
  return isFloating(a.dtype) || isFloating(b.dtype) ? toDouble(x) < toDouble(y) : x < y
}

function tupleLess(a: Tuple, b: Tuple, context: EvaluationContext): boolean {
  const length = Math.min(a.elements.length, b.elements.length)
  for (let i = 0; i < length; i++) {
    const [left, right] = [a.elements[i]!, b.elements[i]!]
    if (!valuesEqual(left, right)) return valueLess(left, right, context)
  }
  return a.elements.length < b.elements.length
}

/** By code points, as comparing the bytes of UTF-8 does. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const left = [...a]
  const right = [...b]
  for (let i = 0; i < left.length && i < right.length; i++)
    if (left[i] !== right[i]) return left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!
  return left.length - right.length
}
