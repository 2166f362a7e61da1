import { Dict, Double, List, Tuple, type IValue } from '../ir/ivalue.ts'
import { StringT, TensorT, tupleOf, type Type } from '../ir/types.ts'
import { IndexOutOfRangeError, MissingKeyError } from './errors.ts'
import type { Operator } from './operator.ts'
import { forEach, rawFamily, rawTable, type RawKernel } from './raw-family.ts'
import { toDict, toList } from './sequence.ts'

const keyTypes = ['str', 'int', 'bool', 'float', 'complex', 'Tensor']

/** One kernel for dicts of every key type; `KEY` stands for the type in the schema text. */
function ofEveryKey(text: string, kernel: RawKernel): Operator[] {
  return rawFamily(forEach(keyTypes, text), kernel)
}

function valueOf(dict: IValue | undefined, key: IValue): IValue {
  const value = toDict(dict).get(key)
  if (value === undefined) throw new MissingKeyError(`KeyError: ${keyText(key)}`)
  return value
}

function keyText(key: IValue): string {
  if (typeof key === 'string') return `'${key}'`
  return key instanceof Double
    ? String(key.value)
    : typeof key === 'object'
      ? 'a tensor or complex key'
      : String(key)
}

function copyOf(from: Dict): Dict {
  return addAll(new Dict(from.keyType, from.valueType), from)
}

function addAll(to: Dict, from: Dict): Dict {
  for (const [key, value] of [...from.entries()]) to.set(key, value)
  return to
}

/** Of `[(key, value), …]`. */
function fromPairs(list: List): Dict {
  const { elementType, elements } = list
  const [key, value] = elementType.kind === 'Tuple' ? elementType.elements : []
  const dict = new Dict(key ?? StringT, value ?? TensorT)
  for (const pair of elements) if (pair instanceof Tuple) dict.set(pair.elements[0]!, pair.elements[1]!)
  return dict
}

function pairType(dict: Dict): Type {
  return tupleOf([dict.keyType, dict.valueType])
}

function removeKey(dict: IValue | undefined, key: IValue): IValue {
  const value = valueOf(dict, key)
  toDict(dict).delete(key)
  return value
}

/** The first item, where Python takes the last. */
function popItem([self]: readonly IValue[]): IValue {
  const [first] = toDict(self).entries()
  if (first === undefined) throw new IndexOutOfRangeError('popitem(): the dict is empty')
  toDict(self).delete(first[0])
  return new Tuple([...first])
}

function setDefault([self, key, value]: readonly IValue[]): IValue {
  const dict = toDict(self)
  const found = dict.get(key!)
  if (found !== undefined) return found
  dict.set(key!, value!)
  return value!
}

const reading = [
  ofEveryKey('aten::len.Dict_KEY(Dict(KEY, t) self) -> int', ([self]) => toDict(self).size),
  ofEveryKey('aten::__getitem__.Dict_KEY(Dict(KEY, t) self, KEY key) -> t(*)', ([self, key]) =>
    valueOf(self, key!),
  ),
  ofEveryKey('aten::__contains__.KEY(Dict(KEY, t) dict, KEY key) -> bool', ([dict, key]) =>
    toDict(dict).has(key!),
  ),
  ofEveryKey(
    'aten::get.KEY(Dict(KEY, t) self, KEY key) -> t(*)?',
    ([self, key]) => toDict(self).get(key!) ?? null,
  ),
  ofEveryKey(
    'aten::get.default_KEY(Dict(KEY, t) self, KEY key, t default_value) -> t(*)',
    ([self, key, otherwise]) => {
      const found = toDict(self).get(key!)
      return found === undefined ? otherwise! : found
    },
  ),
  ofEveryKey('aten::keys.KEY(Dict(KEY, t) self) -> KEY[](*)', ([self]) => {
    const dict = toDict(self)
    return new List(
      Array.from(dict.entries(), ([key]) => key),
      dict.keyType,
    )
  }),
  ofEveryKey('aten::values.KEY(Dict(KEY, t) self) -> t[](*)', ([self]) => {
    const dict = toDict(self)
    return new List(
      Array.from(dict.entries(), ([, value]) => value),
      dict.valueType,
    )
  }),
  ofEveryKey('aten::items.KEY(Dict(KEY, t) self) -> ((KEY, t)[])', ([self]) => {
    const dict = toDict(self)
    return new List(
      Array.from(dict.entries(), (entry) => new Tuple([...entry])),
      pairType(dict),
    )
  }),
]

const writing = [
  ofEveryKey('aten::_set_item.KEY(Dict(KEY, t)(a!) l, KEY(b -> *) idx, t(c -> *) v) -> ()', ([l, idx, v]) =>
    toDict(l).set(idx!, v!),
  ),
  ofEveryKey(
    'aten::setdefault.KEY(Dict(KEY, t)(a!) self, KEY(b -> *) key, t(c -> *) default_value) -> t(*)',
    setDefault,
  ),
  ofEveryKey('aten::update.KEY(Dict(KEY, t)(a!) self, Dict(KEY, t)(a!) to_add) -> ()', ([self, more]) => {
    addAll(toDict(self), toDict(more))
  }),
  ofEveryKey('aten::pop.Dict_KEY(Dict(KEY, t)(a!) self, KEY key) -> t(*)', ([self, key]) =>
    removeKey(self, key!),
  ),
  ofEveryKey(
    'aten::pop.Dict_default_KEY(Dict(KEY, t)(a!) self, KEY key, t default_value) -> t(*)',
    ([self, key, otherwise]) => (toDict(self).has(key!) ? removeKey(self, key!) : otherwise!),
  ),
  ofEveryKey('aten::popitem.KEY(Dict(KEY, t)(a!) self) -> ((KEY, t))', popItem),
  ofEveryKey('aten::Delete.Dict_KEY(Dict(KEY, t)(a!) self, KEY key) -> ()', ([self, key]) => {
    removeKey(self, key!)
  }),
  ofEveryKey('aten::clear.KEY(Dict(KEY, t)(a!) self) -> ()', ([self]) => {
    toDict(self).clear()
  }),
]

const making = [
  ofEveryKey('aten::copy.Dict_KEY(Dict(KEY, t)(a) self) -> Dict(KEY, t)', ([self]) => copyOf(toDict(self))),
  ofEveryKey('aten::dict.Dict_KEY(Dict(KEY, t)(a) self) -> Dict(KEY, t)', ([self]) => copyOf(toDict(self))),
  ofEveryKey('aten::dict.KEY((KEY, tVal)[] inputs) -> Dict(KEY, tVal)', ([inputs]) =>
    fromPairs(toList(inputs)),
  ),
  rawTable({ 'aten::dict() -> Dict(str, Tensor)': () => new Dict(StringT, TensorT) }),
]

export const dict: readonly Operator[] = [reading, writing, making].flat(2)
