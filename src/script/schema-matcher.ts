import { type GraphEditor } from '../ir/graph-editor.ts'
import type { Node, Value } from '../ir/graph.ts'
import type { IValue } from '../ir/ivalue.ts'
import type { Argument, FunctionSchema } from '../ir/schema.ts'
import type { SourceRange } from '../ir/source-range.ts'
import {
  isSubtype,
  matchTypeVariables,
  substituteVariables,
  typesEqual,
  withoutOptional,
  type TypeEnvironment,
} from '../ir/type-relations.ts'
import { listOf, type TupleType, type Type } from '../ir/types.ts'
import { printType } from '../ir/type-printer.ts'

/** Arguments of a call; `self` binds to the argument of that name wherever it stands. */
export interface CallArguments {
  readonly self?: Value | undefined
  readonly args: readonly Value[]
  readonly kwargs: readonly { readonly name: string; readonly value: Value }[]
}

export interface MatchedSchema {
  readonly schema: FunctionSchema
  readonly inputs: readonly Value[]
  readonly returnTypes: readonly Type[]
}

/** A value that is made only once the whole schema fits: a failed attempt leaves nothing in the graph. */
interface Planned {
  readonly type: Type
  make(): Value
  /** The result of an operator without a schema: its type is what its use asks for. */
  readonly isUntyped?: boolean
  /** `[]` without an annotation: a list of whatever is asked for. */
  readonly isEmptyList?: boolean
}

interface Matching {
  readonly edit: GraphEditor
  readonly range: SourceRange
  readonly allowConversions: boolean
  readonly env: TypeEnvironment
}

/** Why a schema did not fit. */
class Mismatch {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

/**
 * Picks the first schema that fits without implicit conversions, else the first that fits with them
 * (`matchSchemas`, torch/csrc/jit/frontend/schema_matching.cpp), and inserts the converted inputs.
 *
 * @returns the match, or for each schema the reason why it does not fit
 */
export function matchSchemas(
  edit: GraphEditor,
  range: SourceRange,
  schemas: readonly FunctionSchema[],
  call: CallArguments,
): MatchedSchema | readonly string[] {
  let reasons: string[] = []
  for (const allowConversions of schemas.length === 1 ? [true] : [false, true]) {
    reasons = []
    for (const schema of schemas) {
      const matching: Matching = { edit, range, allowConversions, env: new Map() }
      const planned = planInputs(matching, schema, call)
      if (planned instanceof Mismatch) {
        reasons.push(planned.reason)
        continue
      }
      const returnTypes = schema.returns.map((r) => substituteVariables(r.type, matching.env) ?? r.type)
      return { schema, inputs: planned.map((plan) => plan.make()), returnTypes }
    }
  }
  return reasons
}

function planInputs(m: Matching, schema: FunctionSchema, call: CallArguments): Planned[] | Mismatch {
  const planned: Planned[] = []
  const usedKwargs = new Set<string>()
  let self = call.self
  let used = 0
  for (const [i, argument] of schema.arguments.entries()) {
    let plan: Planned | Mismatch
    const kwarg = call.kwargs.find(({ name }) => name === argument.name)
    if (argument.name === 'self' && self !== undefined) {
      plan = planArgument(m, argument, existing(self))
      self = undefined
    } else if (!argument.kwargOnly && used < call.args.length) {
      if (m.allowConversions && takesVarargs(schema, i, call.args[used] as Value)) {
        plan = planVarargs(m, argument, call.args.slice(used))
        used = call.args.length
      } else {
        plan = planArgument(m, argument, existing(call.args[used++] as Value))
      }
    } else if (kwarg !== undefined) {
      usedKwargs.add(kwarg.name)
      plan = planArgument(m, argument, existing(kwarg.value))
    } else if (argument.default !== undefined) {
      plan = planArgument(m, argument, planDefault(m, argument, argument.default))
    } else {
      plan = new Mismatch(`argument '${argument.name}' is missing`)
    }
    if (plan instanceof Mismatch) return plan
    planned.push(plan)
  }
  return unusedArgument(schema, call, self, used, usedKwargs, planned)
}

function unusedArgument(
  schema: FunctionSchema,
  call: CallArguments,
  self: Value | undefined,
  used: number,
  usedKwargs: ReadonlySet<string>,
  planned: Planned[],
): Planned[] | Mismatch {
  if (self !== undefined) return new Mismatch("it has no argument 'self'")
  if (used < call.args.length) {
    if (!schema.isVararg)
      return new Mismatch(`takes ${used} positional arguments but ${call.args.length} were given`)
    return [...planned, ...call.args.slice(used).map(existing)]
  }
  const unknown = call.kwargs.find(({ name }) => !usedKwargs.has(name))
  return unknown === undefined ? planned : new Mismatch(`it has no argument '${unknown.name}'`)
}

function existing(value: Value): Planned {
  const { node, type } = value
  const isEmptyList = node.kind === 'prim::ListConstruct' && node.inputs.length === 0 && isTensorList(type)
  return { type, make: () => value, isUntyped: isUnknownOperator(node), isEmptyList }
}

function isTensorList(type: Type): boolean {
  return type.kind === 'List' && type.element.kind === 'Tensor'
}

/** Whether the node is an operator that had no schema when it was compiled. */
export function isUnknownOperator(node: Node): boolean {
  return node.schema?.isVarret === true && node.schema.isVararg && !node.kind.startsWith('prim::')
}

function planDefault(m: Matching, argument: Argument, value: IValue): Planned {
  const type: Type = value === null ? { kind: 'None' } : defaultTypeOf(argument.type, value)
  return { type, make: () => m.edit.insertConstant(value, type, m.range) }
}

function defaultTypeOf(type: Type, value: IValue): Type {
  const plain = withoutOptional(type)
  if (plain.kind !== 'Number') return plain
  return typeof value === 'number'
    ? { kind: 'Int' }
    : typeof value === 'boolean'
      ? { kind: 'Bool' }
      : { kind: 'Float' }
}

/** `zeros(1, 2)` for `zeros(int[] size)`: the last positional argument may be written out. */
function takesVarargs(schema: FunctionSchema, i: number, first: Value): boolean {
  const { type, fixedSize } = schema.arguments[i] as Argument
  const isLastPositional =
    i + 1 === schema.arguments.length || (schema.arguments[i + 1] as Argument).kwargOnly
  if (!isLastPositional || type.kind !== 'List' || fixedSize !== undefined || type.element.kind === 'Var')
    return false
  return !['List', 'Tuple', 'Optional', 'None', 'Any'].includes(first.type.kind)
}

function planVarargs(m: Matching, argument: Argument, values: readonly Value[]): Planned | Mismatch {
  const element = (withoutOptional(argument.type) as { element: Type }).element
  const items: Planned[] = []
  for (const value of values) {
    const item = planConversion(m, element, existing(value))
    if (!isSubtype(item.type, element)) return mismatch(argument, element, value.type)
    items.push(item)
  }
  return planList(m, element, items)
}

function planList(m: Matching, element: Type, items: readonly Planned[]): Planned {
  const type = listOf(element)
  return {
    type,
    make: () =>
      m.edit
        .insert(
          'prim::ListConstruct',
          items.map((item) => item.make()),
          { outputs: [type] },
        )
        .output(),
  }
}

function planArgument(m: Matching, argument: Argument, given: Planned): Planned | Mismatch {
  const broadcast = isScalarForList(argument, given.type)
    ? planList(m, given.type, new Array<Planned>(argument.fixedSize ?? 1).fill(given))
    : given
  if (!matchTypeVariables(argument.type, broadcast.type, m.env))
    return mismatch(argument, argument.type, given.type)
  const concrete = substituteVariables(argument.type, m.env)
  if (concrete === undefined) return mismatch(argument, argument.type, given.type)
  const converted = planConversion(m, concrete, broadcast)
  if (isSubtype(converted.type, concrete)) return converted
  if (given.isUntyped !== true) return mismatch(argument, concrete, given.type)
  return { type: concrete, make: () => m.edit.setType(given.make(), concrete) }
}

function mismatch(argument: Argument, expected: Type, found: Type): Mismatch {
  return new Mismatch(`argument '${argument.name}' must be ${printType(expected)}, not ${printType(found)}`)
}

/** A single number for `int[2]`: it is repeated. */
function isScalarForList(argument: Argument, type: Type): boolean {
  const list = withoutOptional(argument.type)
  return (
    argument.fixedSize !== undefined &&
    list.kind === 'List' &&
    typesEqual(list.element, type) &&
    (type.kind === 'Int' || type.kind === 'Float')
  )
}

/**
 * The implicit conversions of `tryConvertToType`: tuples to lists and element by element; where `allowConversions`,
 * tensors and Scalars to numbers, strings to devices. What cannot be converted is given back as it is.
 */
function planConversion(m: Matching, target: Type, given: Planned): Planned {
  if (target.kind === 'Optional' && given.type.kind !== 'Optional' && given.type.kind !== 'None')
    return planConversion(m, target.element, given)
  if (given.isEmptyList === true && target.kind === 'List' && !isSubtype(given.type, target))
    return planList(m, target.element, [])
  if (given.type.kind === 'Tuple') return planTupleConversion(m, target, given, given.type)
  return m.allowConversions ? planScalarConversion(m, target, given) : given
}

function planTupleConversion(m: Matching, target: Type, given: Planned, tuple: TupleType): Planned {
  const list = withoutOptional(target)
  if (list.kind === 'List' && tuple.elements.every((element) => isSubtype(element, list.element))) {
    const type = listOf(list.element)
    return {
      type,
      make: () =>
        m.edit.insert('prim::ListConstruct', unpackTuple(m.edit, given.make()), { outputs: [type] }).output(),
    }
  }
  if (target.kind !== 'Tuple' || target.elements.length !== tuple.elements.length || isSubtype(tuple, target))
    return given
  let parts: readonly Value[] = []
  const elements = tuple.elements.map((type, i) =>
    planConversion(m, target.elements[i] as Type, { type, make: () => parts[i] as Value }),
  )
  const type: Type = { kind: 'Tuple', elements: elements.map((element) => element.type) }
  return {
    type,
    make: () => {
      parts = unpackTuple(m.edit, given.make())
      return m.edit
        .insert(
          'prim::TupleConstruct',
          elements.map((element) => element.make()),
          { outputs: [type] },
        )
        .output()
    },
  }
}

/** The elements of a tuple; those of a tuple just built without unpacking. */
export function unpackTuple(edit: GraphEditor, tuple: Value): readonly Value[] {
  if (tuple.node.kind === 'prim::TupleConstruct') return tuple.node.inputs
  const { type } = tuple
  const outputs = type.kind === 'Tuple' ? type.elements : []
  return edit.insert('prim::TupleUnpack', [tuple], { outputs }).outputs
}

const implicitFromTensor: Readonly<Partial<Record<Type['kind'], string>>> = {
  Float: 'aten::FloatImplicit',
  Complex: 'aten::ComplexImplicit',
  Int: 'aten::IntImplicit',
  Number: 'aten::ScalarImplicit',
}
const implicitFromScalar: Readonly<Partial<Record<Type['kind'], string>>> = {
  Float: 'aten::Float',
  Complex: 'aten::Complex',
  Int: 'aten::Int',
}

function planScalarConversion(m: Matching, target: Type, given: Planned): Planned {
  const operator =
    given.type.kind === 'Tensor'
      ? implicitFromTensor[target.kind]
      : given.type.kind === 'Number'
        ? implicitFromScalar[target.kind]
        : given.type.kind === 'String' && target.kind === 'Device'
          ? 'aten::device'
          : undefined
  if (operator === undefined) return given
  return {
    type: target,
    make: () => m.edit.insert(operator, [given.make()], { outputs: [target], range: m.range }).output(),
  }
}

/**
 * Converts one value as an argument of type `target` would be; the value itself where no conversion applies.
 */
export function convertValue(
  edit: GraphEditor,
  range: SourceRange,
  target: Type,
  value: Value,
  allowConversions = true,
): Value {
  return planConversion({ edit, range, allowConversions, env: new Map() }, target, existing(value)).make()
}
