import { dtypes } from '../tensor/dtype.ts'
import type { SimpleKind, TensorType, TupleType, Type } from './types.ts'

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
  AnyClass: 'AnyClassType',
  AnyEnum: 'AnyEnumType',
}

/**
 * libtorch's IR spelling of a type: `int[]`, `Tensor?`, `Dict(str, Tensor)`, `Float(2, 3, requires_grad=0)`
 * (`operator<<(ostream, Type)`, aten/src/ATen/core/type.cpp).
 */
export function printType(type: Type): string {
  switch (type.kind) {
    case 'Tensor':
      return printTensorType(type)
    case 'List':
      return `${printType(type.element)}[]`
    case 'Optional':
      return `${printType(type.element)}?`
    case 'Future':
    case 'Await':
    case 'RRef':
      return `${type.kind}[${printType(type.element)}]`
    case 'Tuple':
      return printTupleType(type)
    default:
      return printInner(type)
  }
}

/** `Type::str`, which libtorch uses inside dictionaries and unions: shapes and fields are not spelled out there. */
function printInner(type: Type): string {
  switch (type.kind) {
    case 'Tensor':
      return 'Tensor'
    case 'List':
      return `${printInner(type.element)}[]`
    case 'Optional':
      return `${printInner(type.element)}?`
    case 'Dict':
      return `Dict(${printInner(type.key)}, ${printInner(type.value)})`
    case 'Tuple':
      return type.name ?? `(${type.elements.map(printInner).join(', ')})`
    case 'Union':
      return `Union(${type.members.map(printInner).join(', ')})`
    case 'Future':
    case 'Await':
    case 'RRef':
      return `${type.kind}(${printInner(type.element)})`
    case 'Enum':
      return `Enum<${type.name}>`
    case 'Interface':
      return `InterfaceType<${type.name.slice(type.name.lastIndexOf('.') + 1)}>`
    case 'Var':
    case 'Class':
    case 'Opaque':
      return type.name
    default:
      return simpleSpellings[type.kind as SimpleKind] ?? type.kind
  }
}

function printTupleType({ elements, fields }: TupleType): string {
  if (fields === undefined) return `(${elements.map(printType).join(', ')})`
  return `NamedTuple(${elements.map((element, i) => `${fields[i] ?? ''} : ${printType(element)}`).join(', ')})`
}

function printTensorType({ dtype, sizes, strides, layout, requiresGrad, device }: TensorType): string {
  const base = dtype === undefined ? 'Tensor' : dtypes[dtype].irName
  const parts = (sizes ?? []).map(printDim)
  if (sizes !== undefined && sizes.length > 0 && strides?.length === sizes.length && !strides.includes(null))
    parts.push(`strides=[${strides.join(', ')}]`)
  if (sizes !== undefined && layout?.kind === 'blocked') {
    parts.push(`layout="${layout.tag}"`)
    if (layout.groups !== undefined) parts.push(`groups=${layout.groups}`)
  }
  if (requiresGrad !== undefined) parts.push(`requires_grad=${requiresGrad ? 1 : 0}`)
  if (device !== undefined) parts.push(`device=${device}`)
  return sizes === undefined && parts.length === 0 ? base : `${base}(${parts.join(', ')})`
}

function printDim(size: number | null): string {
  return size === null ? '*' : String(size)
}

/** The Python spelling of a type in TorchScript source (`Type::annotation_str`): `List[int]`, `Optional[Tensor]`. */
export function printAnnotation(type: Type): string {
  switch (type.kind) {
    case 'List':
    case 'Optional':
    case 'Future':
    case 'Await':
    case 'RRef':
      return `${type.kind}[${printAnnotation(type.element)}]`
    case 'Dict':
      return `Dict[${printAnnotation(type.key)}, ${printAnnotation(type.value)}]`
    case 'Tuple':
      return type.name ?? `Tuple[${type.elements.map(printAnnotation).join(', ') || '()'}]`
    case 'Union':
      return `Union[${type.members.map(printAnnotation).join(', ')}]`
    case 'Number':
      return 'number'
    case 'Enum':
    case 'Interface':
      return type.name
    default:
      return printInner(type)
  }
}
