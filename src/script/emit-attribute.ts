import type { Value } from '../ir/graph.ts'
import { attributeOf } from '../ir/graph-editor.ts'
import { printType } from '../ir/type-printer.ts'
import type { TupleType, Type } from '../ir/types.ts'
import { emitBuiltin, emitFunctionOrMethod } from './emit-call.ts'
import type { EmitContext } from './emit-context.ts'
import { valueOf, type Sugared } from './sugared-value.ts'
import type { Ranged } from './syntax.ts'

/** `value.name`, for everything that has attributes. */
export function emitAttribute(cx: EmitContext, object: Sugared, name: string, at: Ranged): Sugared {
  switch (object.kind) {
    case 'namespace':
      return { kind: 'builtin', name: `${object.name}::${name}` }
    case 'ops':
      return { kind: 'namespace', name }
    case 'constants':
      return constant(cx, name, at)
    case 'qualified':
      return qualified(cx, `${object.name}.${name}`)
    case 'class':
      return classMember(cx, object, name, at)
    case 'enum':
      return enumMember(cx, object, name, at)
    case 'value':
      return attributeOfValue(cx, object.value, name, at)
    default:
      return cx.fail(`a ${object.kind} has no attribute '${name}'`, at)
  }
}

function constant(cx: EmitContext, name: string, at: Ranged): Sugared {
  const found = cx.names.constant(name)
  if (found === undefined)
    return cx.fail(
      `the archive holds no constant '${name}'`,
      at,
      'constants.pkl is shorter than the code expects',
    )
  return valueOf(cx.edit.insertConstant(found.value, found.type, cx.range(at)))
}

/** A dotted name is a class, a function, or the beginning of a longer name. */
function qualified(cx: EmitContext, name: string): Sugared {
  const type = cx.names.findType(name)
  if (type?.kind === 'Class') return { kind: 'class', type }
  if (type?.kind === 'Tuple') return { kind: 'named-tuple', type }
  if (type?.kind === 'Enum') return { kind: 'enum', type }
  const fn = cx.names.findFunction(name)
  return fn ? { kind: 'function', fn } : { kind: 'qualified', name }
}

function classMember(
  cx: EmitContext,
  { type }: Extract<Sugared, { kind: 'class' }>,
  name: string,
  at: Ranged,
): Sugared {
  if (name === '__new__') return { kind: 'new', type }
  const fn = type.staticMethods.get(name)
  return fn ? { kind: 'function', fn } : cx.fail(`class ${type.name} has no member '${name}'`, at)
}

function enumMember(
  cx: EmitContext,
  { type }: Extract<Sugared, { kind: 'enum' }>,
  name: string,
  at: Ranged,
): Sugared {
  const value = cx.names.constant(`${type.name}.${name}`)
  return value
    ? valueOf(cx.edit.insertConstant(value.value, type, cx.range(at)))
    : cx.fail(`enum ${type.name} has no member '${name}'`, at)
}

function attributeOfValue(cx: EmitContext, object: Value, name: string, at: Ranged): Sugared {
  const { type } = object
  if (type.kind === 'Class') return objectAttribute(cx, object, type, name, at)
  if (type.kind === 'Interface' || type.kind === 'Opaque') return { kind: 'method', self: object, name }
  if (type.kind === 'Tuple' && type.fields?.includes(name)) return valueOf(tupleField(cx, object, type, name))
  const properties = propertyOperators[type.kind]
  if (properties !== undefined && Object.hasOwn(properties, name)) {
    const operator = properties[name] as string
    return valueOf(emitBuiltin(cx, operator, { args: [object], kwargs: [] }, at))
  }
  if (type.kind === 'Optional')
    return cx.fail(`a value of type ${printType(type)} may be None: '${name}' cannot be read`, at)
  return { kind: 'builtin', name: `aten::${name}`, self: object }
}

const tensorProperties = [
  'dtype',
  'device',
  'grad',
  'data',
  'shape',
  'is_cuda',
  'is_cpu',
  'is_xpu',
  'is_sparse',
  'is_sparse_csr',
  'is_mkldnn',
  'is_mps',
  'is_quantized',
  'is_vulkan',
  'is_ipu',
  'is_meta',
  'is_leaf',
  'is_nested',
  'requires_grad',
  'layout',
  'T',
  'H',
  'mT',
  'mH',
  'ndim',
  'name',
  'real',
  'imag',
  'itemsize',
  'retains_grad',
]
const atenProperties: Readonly<Record<string, string>> = {
  T: 'aten::numpy_T',
  H: 'aten::matrix_H',
  mT: 'aten::mT',
  mH: 'aten::mH',
  real: 'aten::real',
  imag: 'aten::imag',
  ndim: 'aten::dim',
  shape: 'aten::size',
}

/** Attributes that are operators (`SimpleValue::attr`, torch/csrc/jit/frontend/sugared_value.cpp). */
const propertyOperators: Readonly<Partial<Record<Type['kind'], Readonly<Record<string, string>>>>> = {
  Tensor: Object.fromEntries(tensorProperties.map((name) => [name, atenProperties[name] ?? `prim::${name}`])),
  Device: { type: 'prim::type', index: 'prim::index' },
  Enum: { name: 'prim::EnumName', value: 'prim::EnumValue' },
}

function objectAttribute(
  cx: EmitContext,
  object: Value,
  type: Extract<Type, { kind: 'Class' }>,
  name: string,
  at: Ranged,
): Sugared {
  if (type.methods.has(name)) return { kind: 'method', self: object, name }
  const attribute = type.attributes.get(name)
  if (attribute) return valueOf(getAttribute(cx, object, name, attribute.type))
  const constantValue = type.constants.get(name)
  if (constantValue)
    return valueOf(cx.edit.insertConstant(constantValue.value, constantValue.type, cx.range(at)))
  const property = type.properties.get(name)
  if (property)
    return valueOf(emitFunctionOrMethod(cx, property.getter, { self: object, args: [], kwargs: [] }, at))
  return cx.fail(`${type.isModule ? 'module' : 'class'} ${type.name} has no attribute '${name}'`, at)
}

function getAttribute(cx: EmitContext, object: Value, name: string, type: Type): Value {
  const node = cx.edit.insert('prim::GetAttr', [object], {
    outputs: [type],
    attributes: { name: attributeOf(name) },
  })
  return cx.edit.setDebugName(node.output(), /^\d/.test(name) ? `_${name}` : name)
}

function tupleField(cx: EmitContext, tuple: Value, type: TupleType, name: string): Value {
  const index = type.fields?.indexOf(name) ?? -1
  const offset = cx.edit.insertConstant(index, { kind: 'Int' })
  return cx.edit
    .insert('prim::TupleIndex', [tuple, offset], { outputs: [type.elements[index] as Type] })
    .output()
}
