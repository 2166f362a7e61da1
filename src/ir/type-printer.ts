import { dtypes } from '../tensor/dtype.ts'
import type { SimpleKind, TensorType, Type } from './types.ts'

const simpleSpellings: Readonly<Partial<Record<SimpleKind, string>>> = {
  Int: 'int',
  Float: 'float',
  Complex: 'complex',
  Bool: 'bool',
  String: 'str',
  None: 'NoneType',
  Number: 'Scalar',
  AnyList: 'list',
  AnyTuple: 'tuple',
}

/** libtorch's IR spelling of a type (`Type::str`): `int[]`, `Tensor?`, `Dict(str, Tensor)`, `Float(2, 3)`. */
export function printType(type: Type): string {
  switch (type.kind) {
    case 'Tensor':
      return printTensorType(type)
    case 'List':
      return `${printType(type.element)}[]`
    case 'Optional':
      return `${printType(type.element)}?`
    case 'Dict':
      return `Dict(${printType(type.key)}, ${printType(type.value)})`
    case 'Tuple':
      return printTupleType(type.elements, type.name, type.fields)
    case 'Union':
      return `Union(${type.members.map(printType).join(', ')})`
    case 'Future':
    case 'Await':
    case 'RRef':
      return `${type.kind}(${printType(type.element)})`
    case 'Function':
      return 'Function'
    case 'Enum':
      return `Enum<${type.name}>`
    case 'Var':
    case 'Class':
    case 'Interface':
    case 'Opaque':
      return type.name
    default:
      return simpleSpellings[type.kind] ?? type.kind
  }
}

function printTupleType(elements: readonly Type[], name?: string, fields?: readonly string[]): string {
  if (name === undefined) return `(${elements.map(printType).join(', ')})`
  return `NamedTuple(${elements.map((element, i) => `${fields?.[i] ?? ''} : ${printType(element)}`).join(', ')})`
}

function printTensorType({ dtype, sizes, strides, requiresGrad, device }: TensorType): string {
  if (dtype === undefined && sizes === undefined) return 'Tensor'
  const dims = (values: readonly (number | null)[]): string[] => values.map((value) => String(value ?? '*'))
  const parts = sizes === undefined ? ['*'] : dims(sizes)
  if (strides !== undefined && strides.length > 0) parts.push(`strides=[${dims(strides).join(', ')}]`)
  if (requiresGrad !== undefined) parts.push(`requires_grad=${requiresGrad ? 1 : 0}`)
  if (device !== undefined) parts.push(`device=${device}`)
  return `${dtype === undefined ? 'Tensor' : dtypes[dtype].irName}(${parts.join(', ')})`
}

/** The Python spelling of a type in TorchScript source (`Type::annotation_str`): `List[int]`, `Optional[Tensor]`. */
export function printAnnotation(type: Type): string {
  switch (type.kind) {
    case 'Tensor':
      return 'Tensor'
    case 'List':
    case 'Optional':
    case 'Future':
    case 'Await':
    case 'RRef':
      return `${type.kind}[${printAnnotation(type.element)}]`
    case 'Dict':
      return `Dict[${printAnnotation(type.key)}, ${printAnnotation(type.value)}]`
    case 'Tuple':
      return (
        type.name ??
        `Tuple[${type.elements.length === 0 ? '()' : type.elements.map(printAnnotation).join(', ')}]`
      )
    case 'Union':
      return `Union[${type.members.map(printAnnotation).join(', ')}]`
    case 'Number':
      return 'number'
    case 'Enum':
      return type.name
    default:
      return printType(type)
  }
}
