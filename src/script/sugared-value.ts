import type { ClassType } from '../ir/class-type.ts'
import type { GraphFunction } from '../ir/graph-function.ts'
import type { Value } from '../ir/graph.ts'
import type { EnumType, TupleType, Type } from '../ir/types.ts'

/** Names that the emitter gives a meaning of its own. */
export type SpecialForm =
  | 'annotate'
  | 'unchecked_cast'
  | 'uninitialized'
  | 'getattr'
  | 'hasattr'
  | 'isinstance'
  | 'fork'
  | 'range'
  | 'enumerate'
  | 'zip'
  | 'list'
  | 'dict'
  | 'tuple'
  | 'print'

/**
 * What an expression means before it must be a value: a value, or something that can only be called or looked
 * into (torch/csrc/jit/frontend/sugared_value.h).
 */
export type Sugared =
  | { readonly kind: 'value'; readonly value: Value }
  /** `torch`: its attributes are operators of a namespace. */
  | { readonly kind: 'namespace'; readonly name: string }
  /** `ops`: its attributes are namespaces. */
  | { readonly kind: 'ops' }
  | { readonly kind: 'constants' }
  | { readonly kind: 'builtin'; readonly name: string; readonly self?: Value }
  | { readonly kind: 'function'; readonly fn: GraphFunction }
  | { readonly kind: 'method'; readonly self: Value; readonly name: string }
  /** `float`, `int`, …: no operation on a value that has the type already. */
  | { readonly kind: 'cast'; readonly type: Type; readonly operator: string }
  | { readonly kind: 'special'; readonly form: SpecialForm }
  | { readonly kind: 'class'; readonly type: ClassType }
  | { readonly kind: 'new'; readonly type: ClassType }
  | { readonly kind: 'named-tuple'; readonly type: TupleType }
  | { readonly kind: 'enum'; readonly type: EnumType }
  /** A prefix of qualified names, `__torch__.torch.nn`. */
  | { readonly kind: 'qualified'; readonly name: string }
  | { readonly kind: 'exception'; readonly name: string }
  /** Several values side by side that were never a tuple. */
  | { readonly kind: 'tuple'; readonly elements: readonly Sugared[] }
  | { readonly kind: 'iterable'; readonly iterable: Iterable_ }

/** What a `for` runs over: its length and its elements are computed where they are needed. */
export interface Iterable_ {
  length(): Value
  element(index: Value): Sugared
}

export function valueOf(value: Value): Sugared {
  return { kind: 'value', value }
}

/** What the unnamed variable of a name stands for, if it is one of the language's own. */
export const globalNames: Readonly<Record<string, Sugared>> = {
  torch: { kind: 'namespace', name: 'aten' },
  ops: { kind: 'ops' },
  CONSTANTS: { kind: 'constants' },
  __torch__: { kind: 'qualified', name: '__torch__' },
  annotate: { kind: 'special', form: 'annotate' },
  unchecked_cast: { kind: 'special', form: 'unchecked_cast' },
  uninitialized: { kind: 'special', form: 'uninitialized' },
  getattr: { kind: 'special', form: 'getattr' },
  hasattr: { kind: 'special', form: 'hasattr' },
  isinstance: { kind: 'special', form: 'isinstance' },
  fork: { kind: 'special', form: 'fork' },
  range: { kind: 'special', form: 'range' },
  enumerate: { kind: 'special', form: 'enumerate' },
  zip: { kind: 'special', form: 'zip' },
  list: { kind: 'special', form: 'list' },
  dict: { kind: 'special', form: 'dict' },
  tuple: { kind: 'special', form: 'tuple' },
  print: { kind: 'special', form: 'print' },
  int: { kind: 'cast', type: { kind: 'Int' }, operator: 'aten::Int' },
  float: { kind: 'cast', type: { kind: 'Float' }, operator: 'aten::Float' },
  bool: { kind: 'cast', type: { kind: 'Bool' }, operator: 'aten::Bool' },
  str: { kind: 'cast', type: { kind: 'String' }, operator: 'aten::str' },
  complex: { kind: 'cast', type: { kind: 'Complex' }, operator: 'aten::Complex' },
  _to_tensor: { kind: 'cast', type: { kind: 'Tensor' }, operator: 'prim::NumToTensor' },
  len: { kind: 'builtin', name: 'aten::len' },
  hex: { kind: 'builtin', name: 'aten::hex' },
  oct: { kind: 'builtin', name: 'aten::oct' },
  bin: { kind: 'builtin', name: 'aten::bin' },
  round: { kind: 'builtin', name: 'aten::round' },
  hash: { kind: 'builtin', name: 'aten::hash' },
  id: { kind: 'builtin', name: 'prim::id' },
  min: { kind: 'builtin', name: 'prim::min' },
  max: { kind: 'builtin', name: 'prim::max' },
  abs: { kind: 'builtin', name: 'prim::abs' },
  all: { kind: 'builtin', name: 'aten::all' },
  any: { kind: 'builtin', name: 'aten::any' },
  divmod: { kind: 'builtin', name: 'aten::divmod' },
  sum: { kind: 'builtin', name: 'aten::sum' },
  ord: { kind: 'builtin', name: 'aten::ord' },
  chr: { kind: 'builtin', name: 'aten::chr' },
  pow: { kind: 'builtin', name: 'aten::pow' },
  sorted: { kind: 'builtin', name: 'aten::sorted' },
  rangelist: { kind: 'builtin', name: 'prim::rangelist' },
  AssertionError: { kind: 'exception', name: 'AssertionError' },
}
