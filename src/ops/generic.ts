import { Device, Double, EnumValue, ScriptObject, Tuple, Complex, type IValue } from '../ir/ivalue.ts'
import { Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError } from './errors.ts'
import { intFromDouble, mulInt, addInt, type Int } from './int64.ts'
import type { Operator } from './operator.ts'
import { forEach, rawFamily, rawTable } from './raw-family.ts'
import { isInt, toText } from './scalar-values.ts'

/** Whether two values are the same thing: objects by identity, numbers and strings by value. */
function isSame(a: IValue, b: IValue): boolean {
  if (a instanceof Double && b instanceof Double) return a.value === b.value
  if (a instanceof EnumValue && b instanceof EnumValue)
    return a.type.name === b.type.name && a.name === b.name
  return a === b
}

function unwrap([optional = null]: readonly IValue[]): IValue {
  if (optional === null) throw new OperatorArgumentError('unwrapping a None where a value was expected')
  return optional
}

/** Deterministic, and equal for equal values; not libtorch's numbers, which differ between builds. */
function hashOf(value: IValue): Int {
  if (isInt(value)) return value
  if (typeof value === 'boolean') return Number(value)
  if (value instanceof Double)
    return Number.isInteger(value.value) ? intFromDouble(value.value) : hashText(String(value.value))
  if (value instanceof Tuple) return value.elements.reduce<Int>((hash, item) => mix(hash, hashOf(item)), 7)
  if (typeof value === 'string') return hashText(value)
  if (value instanceof Device) return hashText(value.toString())
  if (value instanceof EnumValue) return hashText(`${value.type.name}.${value.name}`)
  if (value instanceof Complex) return hashText(`${value.real} ${value.imag}`)
  if (value === null) return 0
  if (value instanceof Tensor || value instanceof ScriptObject) return identityOf(value)
  throw new OperatorArgumentError(`a ${value.constructor.name} cannot be hashed`)
}

function mix(hash: Int, next: Int): Int {
  return addInt(mulInt(hash, 1_000_003), next)
}

function hashText(text: string): Int {
  let hash: Int = text.length
  for (let i = 0; i < text.length; i++) hash = mix(hash, text.charCodeAt(i))
  return hash
}

const identities = new WeakMap<object, number>()
let nextIdentity = 1

function identityOf(value: object): number {
  let identity = identities.get(value)
  if (identity === undefined) identities.set(value, (identity = nextIdentity++))
  return identity
}

const values = rawTable({
  'aten::__is__(t1 self, t2 obj) -> bool': ([self, obj]) => isSame(self!, obj!),
  'aten::__isnot__(t1 self, t2 obj) -> bool': ([self, obj]) => !isSame(self!, obj!),
  'aten::_unwrap_optional(t(a)? optional) -> t(a)': unwrap,
  'prim::unchecked_unwrap_optional(t(a)? optional) -> t(a)': unwrap,
  'prim::unchecked_cast(t x) -> t': ([x]) => x!,
  'aten::hash.generic(t value) -> int': ([value]) => hashOf(value!),
  'prim::id(AnyClassType? x) -> int': ([x]) => (x instanceof ScriptObject ? identityOf(x) : 0),
  'prim::EnumName(AnyEnumType enum) -> str': ([value]) => (value instanceof EnumValue ? value.name : ''),
  'prim::IfThenElse(bool cond, Any(a) x, Any(b) y) -> Any(b|a)': ([cond, x, y]) => (cond === true ? x! : y!),
  'aten::is_scripting() -> bool': () => true,
  'aten::has_torch_function(...) -> bool': () => false,
  'aten::_get_tracing_state() -> bool': () => false,
  'aten::is_autocast_enabled() -> bool': () => false,
  'aten::is_autocast_cpu_enabled() -> bool': () => false,
})

const enumValues = rawFamily(
  forEach(['int', 'float', 'str'], 'prim::EnumValue.KEY(AnyEnumType enum) -> KEY'),
  ([value]) => (value instanceof EnumValue ? value.value : null),
)

const devices = rawTable({
  'aten::device(str a) -> Device': ([a]) => parseDevice(toText(a)),
  'prim::type(Device self) -> str': ([self]) => (self instanceof Device ? self.type : ''),
  'prim::index(Device self) -> int?': ([self]) => (self instanceof Device ? (self.index ?? null) : null),
})

function parseDevice(text: string): Device {
  const match = /^([a-z]+)(?::(\d{1,4}))?$/.exec(text)
  if (match === null)
    throw new OperatorArgumentError(`invalid device string: '${text}'`, {}, "a device is 'cpu' or 'cuda:0'")
  return match[2] === undefined ? new Device(match[1]!) : new Device(match[1]!, Number(match[2]))
}

/** What `torch.no_grad` reads and sets; gradients are never made, but models ask. */
const gradMode = [
  ...rawFamily(['aten::is_grad_enabled() -> bool'], (_, context) => context.gradEnabled ?? true, {
    isNondeterministic: true,
  }),
  ...rawFamily(
    ['aten::set_grad_enabled(bool val) -> ()'],
    ([val], context) => {
      context.gradEnabled = val === true
    },
    { hasSideEffects: true },
  ),
]

export const generic: readonly Operator[] = [...values, ...enumValues, ...devices, ...gradMode]
