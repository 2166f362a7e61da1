import { StringT, IntT } from '../ir/types.ts'
import { List, type IValue } from '../ir/ivalue.ts'
import { IndexOutOfRangeError, OperatorArgumentError } from './errors.ts'
import type { Operator } from './operator.ts'
import { forEach, rawFamily, rawTable } from './raw-family.ts'
import { toIndex } from './scalar-values.ts'
import { checkedIndex, checkLength, slicePositions, toList } from './sequence.ts'
import { valuesEqual } from './value-relations.ts'

const elementTypes = ['int', 'float', 'bool', 'str', 'Tensor']

function elementsOf(value: IValue | undefined): IValue[] {
  return toList(value).elements
}

function itemAt([list, index]: readonly IValue[]): IValue {
  const elements = elementsOf(list)
  return elements[checkedIndex(index, elements.length, 'list')]!
}

function setItem([list, index, value]: readonly IValue[]): IValue {
  const elements = elementsOf(list)
  elements[checkedIndex(index, elements.length, 'list')] = value!
  return list!
}

/** The elements of `list` with others behind them; loops, for a spread of a long list overflows the stack. */
function extend(list: List, more: readonly IValue[]): List {
  checkLength(list.elements.length + more.length)
  for (const element of [...more]) list.elements.push(element)
  return list
}

/** Beyond either end it inserts there, as Python does. */
function insert([list, index, value]: readonly IValue[]): void {
  elementsOf(list).splice(toIndex(index), 0, value!)
}

function removeAt([list, index]: readonly IValue[]): IValue {
  const elements = elementsOf(list)
  if (elements.length === 0) throw new IndexOutOfRangeError('pop from empty list')
  return elements.splice(checkedIndex(index, elements.length, 'pop'), 1)[0]!
}

function slice([list, ...bounds]: readonly IValue[]): List {
  const { elements, elementType } = toList(list)
  return new List(
    slicePositions(elements.length, bounds).map((i) => elements[i]!),
    elementType,
  )
}

function repeated(list: IValue | undefined, times: IValue | undefined): IValue[] {
  const elements = elementsOf(list)
  const count = Math.max(0, toIndex(times))
  checkLength(elements.length * count)
  return Array.from({ length: elements.length * count }, (_, i) => elements[i % elements.length]!)
}

function copyOf(list: IValue | undefined): List {
  const { elements, elementType } = toList(list)
  return new List([...elements], elementType)
}

const generic = rawTable({
  'aten::len.t(t[] a) -> int': ([a]) => elementsOf(a).length,
  'aten::len.any(Any[] a) -> int': ([a]) => elementsOf(a).length,
  'aten::__getitem__.t(t[](a) list, int idx) -> t(*)': itemAt,
  'aten::select.t(t[](a) list, int idx) -> t(*)': itemAt,
  'aten::_set_item.t(t[](a!) l, int idx, t(b -> *) el) -> t[](a!)': setItem,
  'aten::append.t(t[](a!) self, t(c -> *) el) -> t[](a!)': ([self, el]) => extend(toList(self), [el!]),
  'aten::extend.t(t[](a!) self, t[] other) -> ()': ([self, other]) => {
    extend(toList(self), elementsOf(other))
  },
  'aten::insert.t(t[](a!) self, int idx, t(b -> *) el) -> ()': insert,
  'aten::pop.t(t[](a!) self, int idx=-1) -> t(*)': removeAt,
  'aten::Delete.t(t[](a!) self, int idx) -> ()': (args) => {
    removeAt(args)
  },
  'aten::clear.t(t[](a!) self) -> ()': ([self]) => {
    elementsOf(self).length = 0
  },
  'aten::copy.t(t[](a) self) -> t[]': ([self]) => copyOf(self),
  'aten::list.t(t[] l) -> t[]': ([l]) => copyOf(l),
  'aten::reverse.t(t[](a!) self) -> ()': ([self]) => {
    elementsOf(self).reverse()
  },
  'aten::slice.t(t[] l, int? start=None, int? end=None, int step=1) -> t[]': slice,
  'aten::add.t(t[] a, t[] b) -> t[]': ([a, b]) => extend(copyOf(a), elementsOf(b)),
  'aten::add_.t(t[](a!) self, t[] b) -> t[]': ([self, b]) => extend(toList(self), elementsOf(b)),
  'aten::mul.left_t(t[] l, int n) -> t[]': ([l, n]) => new List(repeated(l, n), toList(l).elementType),
  'aten::mul.right_(int n, t[] l) -> t[]': ([n, l]) => new List(repeated(l, n), toList(l).elementType),
  'aten::mul_.t(t[](a!) l, int n) -> t[](a!)': ([l, n]) => {
    const elements = repeated(l, n)
    const list = toList(l)
    list.elements.length = 0
    return extend(list, elements)
  },
  'prim::rangelist(int n) -> int[]': ([n]) =>
    new List(
      Array.from({ length: checkLength(Math.max(0, toIndex(n))) }, (_, i) => i),
      IntT,
    ),
  'aten::Size(int[] sizes) -> int[]': ([sizes]) => sizes!,
})

function positionOf(list: IValue | undefined, value: IValue): number {
  return elementsOf(list).findIndex((element) => valuesEqual(element, value))
}

function positionOrFail(list: IValue | undefined, value: IValue): number {
  const position = positionOf(list, value)
  if (position < 0) throw new OperatorArgumentError('the list does not contain the value')
  return position
}

const byElementType = [
  ...rawFamily(forEach(elementTypes, 'aten::index.list_KEY(KEY[] self, KEY el) -> int'), ([self, el]) =>
    positionOrFail(self, el!),
  ),
  ...rawFamily(
    forEach(elementTypes, 'aten::count.KEY(KEY[] self, KEY el) -> int'),
    ([self, el]) => elementsOf(self).filter((element) => valuesEqual(element, el!)).length,
  ),
  ...rawFamily(
    forEach(elementTypes, 'aten::remove.KEY(KEY[](a!) self, KEY el) -> ()'),
    ([self, el]) => void elementsOf(self).splice(positionOrFail(self, el!), 1),
  ),
  ...rawFamily(
    forEach(['int', 'float', 'str'], 'aten::__contains__.KEY_list(KEY[] l, KEY item) -> bool'),
    ([l, item]) => positionOf(l, item!) >= 0,
  ),
]

export const list: readonly Operator[] = [...generic, ...byElementType]

/** A list of strings. */
export function textList(texts: readonly string[]): List {
  return new List([...texts], StringT)
}
