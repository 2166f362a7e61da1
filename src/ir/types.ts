import type { DType } from '../tensor/dtype.ts'
import type { Layout } from '../tensor/layout.ts'
import type { ClassType } from './class-type.ts'
import type { IValue } from './ivalue.ts'

/**
 * The type of a Value, after `c10::Type` (aten/src/ATen/core/jit_type.h). Plain data, compared by
 * `typesEqual`; only `ClassType` has identity.
 */
export type Type =
  | TensorType
  | SimpleType
  | ListType
  | DictType
  | TupleType
  | OptionalType
  | UnionType
  | FutureType
  | VarType
  | FunctionType
  | EnumType
  | InterfaceType
  | ClassType
  | OpaqueType

/** What is known of a tensor; a field that is left out is unknown. `Tensor` alone knows nothing. */
export interface TensorType {
  readonly kind: 'Tensor'
  readonly dtype?: DType
  /** `null` for a dimension of unknown size. */
  readonly sizes?: readonly (number | null)[]
  readonly strides?: readonly (number | null)[]
  /** How the elements lie when strides cannot say it. */
  readonly layout?: Layout
  readonly requiresGrad?: boolean
  readonly device?: string
}

export type SimpleKind =
  | 'Int'
  | 'Float'
  | 'Complex'
  | 'Bool'
  | 'String'
  | 'None'
  | 'Number'
  | 'Any'
  | 'Device'
  | 'Generator'
  | 'Storage'
  | 'Stream'
  | 'QScheme'
  | 'Capsule'
  | 'AnyList'
  | 'AnyTuple'
  | 'AnyClass'
  | 'AnyEnum'

export interface SimpleType {
  readonly kind: SimpleKind
}
export interface ListType {
  readonly kind: 'List'
  readonly element: Type
}
export interface DictType {
  readonly kind: 'Dict'
  readonly key: Type
  readonly value: Type
}
export interface TupleType {
  readonly kind: 'Tuple'
  readonly elements: readonly Type[]
  /** Set for a NamedTuple: its qualified name and field names (and defaults of the last fields). */
  readonly name?: string
  readonly fields?: readonly string[]
  readonly defaults?: readonly IValue[]
}
export interface OptionalType {
  readonly kind: 'Optional'
  readonly element: Type
}
export interface UnionType {
  readonly kind: 'Union'
  readonly members: readonly Type[]
}
export interface FutureType {
  readonly kind: 'Future' | 'Await' | 'RRef'
  readonly element: Type
}
/** A type variable of a schema, `t` in `t[] -> t`. */
export interface VarType {
  readonly kind: 'Var'
  readonly name: string
}
export interface FunctionType {
  readonly kind: 'Function'
  readonly name: string
}
export interface EnumType {
  readonly kind: 'Enum'
  readonly name: string
  readonly valueType: Type
  readonly members: readonly (readonly [name: string, value: IValue])[]
}
export interface InterfaceType {
  readonly kind: 'Interface'
  readonly name: string
  readonly isModule: boolean
  readonly methods: ReadonlyMap<string, InterfaceMethod>
}
export interface InterfaceMethod {
  readonly name: string
  readonly parameters: readonly { readonly name: string; readonly type: Type; readonly default?: IValue }[]
  readonly returns: Type
}
/** A class we know only by name, e.g. `__torch__.torch.classes.quantized.Conv2dPackedParamsBase`. */
export interface OpaqueType {
  readonly kind: 'Opaque'
  readonly name: string
}

export const TensorT: TensorType = { kind: 'Tensor' }
export const IntT: Type = { kind: 'Int' }
export const FloatT: Type = { kind: 'Float' }
export const BoolT: Type = { kind: 'Bool' }
export const StringT: Type = { kind: 'String' }
export const NoneT: Type = { kind: 'None' }
export const NumberT: Type = { kind: 'Number' }
export const ComplexT: Type = { kind: 'Complex' }
export const AnyT: Type = { kind: 'Any' }
export const DeviceT: Type = { kind: 'Device' }

export function listOf(element: Type): ListType {
  return { kind: 'List', element }
}
export function dictOf(key: Type, value: Type): DictType {
  return { kind: 'Dict', key, value }
}
export function tupleOf(elements: readonly Type[]): TupleType {
  return { kind: 'Tuple', elements }
}
/** `T?`; an Optional or None of an Optional stays what it is. */
export function optionalOf(element: Type): Type {
  return element.kind === 'Optional' || element.kind === 'None' || element.kind === 'Any'
    ? element
    : { kind: 'Optional', element }
}
