import { invariant } from '../errors.ts'
import { GraphFunction } from '../ir/graph-function.ts'
import type { Node } from '../ir/graph.ts'
import { Dict, Double, Future, List, ScriptObject, Tuple, type IValue } from '../ir/ivalue.ts'
import { schemaKey, type FunctionSchema } from '../ir/schema.ts'
import { printType } from '../ir/type-printer.ts'
import { AnyT, type TupleType, type Type } from '../ir/types.ts'
import { IndexOutOfRangeError, UnsupportedOperatorError } from '../ops/errors.ts'
import { findOperator } from '../ops/index.ts'
import { evaluatorOf } from '../ops/operator.ts'
import { schemaOfNode } from '../ops/schema-table.ts'
import { isFloating } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import { ExecutionError, RaisedException } from './errors.ts'
import { placeOf } from './place.ts'
import type { Evaluate } from './program.ts'
import { hasType } from './value-type.ts'

/** Makes the evaluation of a node once, when its graph is compiled. */
type Rule = (node: Node) => Evaluate

/** The registers make sure that a node gets as many values as it has inputs. */
const at = (args: readonly IValue[], i: number): IValue => args[i] as IValue

function asObject(value: IValue): ScriptObject {
  if (value instanceof ScriptObject) return value
  throw new ExecutionError('expected an object')
}

function asTuple(value: IValue): readonly IValue[] {
  if (value instanceof Tuple) return value.elements
  throw new ExecutionError('expected a tuple')
}

function exactly(values: readonly IValue[], node: Node): readonly IValue[] {
  if (values.length !== node.outputs.length)
    throw new ExecutionError(`expected ${node.outputs.length} values to unpack but found ${values.length}`)
  return values
}

/** The NamedTuple that a tuple is made as. */
function namedTuple(type: Type): TupleType | undefined {
  return type.kind === 'Tuple' && type.name !== undefined ? type : undefined
}

const listConstruct: Rule = (node) => {
  const { type } = node.output()
  const element = type.kind === 'List' ? type.element : AnyT
  return (args) => [new List([...args], element)]
}

const listUnpack: Rule = (node) => (args) => {
  const list = at(args, 0)
  if (!(list instanceof List)) throw new ExecutionError('expected a list')
  return [...exactly(list.elements, node)]
}

const tupleConstruct: Rule = (node) => {
  const type = namedTuple(node.output().type)
  return (args) => [new Tuple(args, type)]
}

const tupleIndex: Rule = () => (args) => {
  const elements = asTuple(at(args, 0))
  const index = Number(at(args, 1))
  const element = elements[index < 0 ? index + elements.length : index]
  if (element === undefined)
    throw new IndexOutOfRangeError(`tuple index out of range: ${index} of ${elements.length}`)
  return [element]
}

const tupleSlice: Rule = (node) => {
  const bound = (name: string): number => Number(node.attribute(name))
  return (args) => [new Tuple(asTuple(at(args, 0)).slice(bound('beg'), bound('end')))]
}

const dictConstruct: Rule = (node) => {
  const { type } = node.output()
  invariant(type.kind === 'Dict', 'prim::DictConstruct makes no dict')
  return (args) => {
    const dict = new Dict(type.key, type.value)
    for (let i = 0; i < args.length; i += 2) dict.set(at(args, i), at(args, i + 1))
    return [dict]
  }
}

const getAttribute: Rule = (node) => {
  const name = node.stringAttribute('name')
  return (args) => {
    const { slots, type } = asObject(at(args, 0))
    const value = slots.get(name) ?? type.constants.get(name)?.value
    if (value === undefined && !slots.has(name))
      throw new ExecutionError(`${type.name} has no attribute '${name}'`)
    return [value ?? null]
  }
}

const setAttribute: Rule = (node) => {
  const name = node.stringAttribute('name')
  return (args) => {
    asObject(at(args, 0)).slots.set(name, at(args, 1))
    return []
  }
}

const createObject: Rule = (node) => {
  const { type } = node.output()
  if (type.kind !== 'Class') throw new ExecutionError(`no object of ${type.kind} can be made`, placeOf(node))
  return () => [new ScriptObject(type)]
}

const isInstance: Rule = (node) => {
  const types = [...node.attributes.values()].find((attribute) => attribute.kind === 'types')?.types ?? []
  return (args) => [types.some((type) => hasType(at(args, 0), type))]
}

const raise: Rule = (node) => {
  const place = placeOf(node)
  return (args) => {
    const [message = '', className = null] = args
    const words = typeof message === 'string' ? message : ''
    throw new RaisedException(exceptionName(className, words), messageOf(className, words), place)
  }
}

/** Archives of old name the class in the message only, `AssertionError: …`. */
function exceptionName(className: IValue, message: string): string {
  if (typeof className === 'string') return className.replace(/^builtins\./, '')
  return /^(\w+(?:Error|Exception))\b/.exec(message)?.[1] ?? 'Exception'
}

function messageOf(className: IValue, message: string): string {
  return className === null ? message.replace(/^\w+(?:Error|Exception)(?:: ?|$)/, '') : message
}

const callMethod: Rule = (node) => {
  const name = node.stringAttribute('name')
  return (args, machine) => [machine.callMethod(asObject(at(args, 0)), name, args.slice(1))]
}

const callFunction: Rule = () => (args, machine) => {
  const [callee, ...rest] = args
  if (!(callee instanceof GraphFunction)) throw new ExecutionError('what is called is no function')
  return [machine.call(callee, rest)]
}

const enter: Rule = (node) => (args, machine) => {
  const result = machine.callMethod(asObject(at(args, 0)), '__enter__', [])
  return node.outputs.length === 0 ? [] : [result]
}

const exit: Rule = (node) => (args, machine) => {
  const result = machine.callMethod(asObject(at(args, 0)), '__exit__', [null, null, null])
  return node.outputs.length === 0 ? [] : [result]
}

/** A forked subgraph runs on the spot. */
const fork: Rule = (node) => {
  const { type } = node.output()
  const elementType = type.kind === 'Future' || type.kind === 'Await' ? type.element : AnyT
  const subgraph = [...node.attributes.values()].find((attribute) => attribute.kind === 'graph')
  if (subgraph === undefined)
    return (args, machine) => [new Future(at(callFunction(node)(args, machine), 0), elementType)]
  return (args, machine) => [new Future(singleResult(machine.run(subgraph.graph, args)), elementType)]
}

function singleResult(results: readonly IValue[]): IValue {
  return results.length === 1 ? at(results, 0) : new Tuple(results)
}

const wait: Rule = () => (args) => {
  const future = at(args, 0)
  return [future instanceof Future ? future.value : future]
}

const identity: Rule = () => (args) => args

/** Nodes whose meaning lies in their types, attributes or blocks, not in an operator. */
const rules: Readonly<Record<string, Rule>> = {
  'prim::ListConstruct': listConstruct,
  'prim::ListUnpack': listUnpack,
  'prim::TupleConstruct': tupleConstruct,
  'prim::TupleUnpack': (node) => (args) => exactly(asTuple(at(args, 0)), node),
  'prim::TupleIndex': tupleIndex,
  'prim::TupleSlice': tupleSlice,
  'prim::DictConstruct': dictConstruct,
  'prim::GetAttr': getAttribute,
  'prim::SetAttr': setAttribute,
  'prim::CreateObject': createObject,
  'prim::isinstance': isInstance,
  'prim::RaiseException': raise,
  'prim::CallMethod': callMethod,
  'prim::CallFunction': callFunction,
  'prim::Enter': enter,
  'prim::Exit': exit,
  'prim::fork': fork,
  'prim::awaitable': fork,
  'prim::awaitable_wait': wait,
  'aten::wait': wait,
  'prim::Uninitialized': (node) => () => node.outputs.map(() => null),
  'prim::unchecked_cast': identity,
  'prim::profile': identity,
}

const arithmetic = new Set(['aten::add', 'aten::sub', 'aten::mul', 'aten::div'])

/**
 * A constant tensor of no dimensions, as traces write numbers, counts as a number when types are promoted: libtorch's
 * executors make it one (`CanonicalizeOps`, torch/csrc/jit/passes/canonicalize_graph_fuser_ops.cpp).
 */
function constantNumber(node: Node): Double | number | undefined {
  const other = node.inputs[1]?.node
  if (
    !arithmetic.has(node.kind) ||
    node.inputs[0]?.type.kind !== 'Tensor' ||
    other?.kind !== 'prim::Constant'
  )
    return undefined
  const value = other.attribute('value')
  if (!(value instanceof Tensor) || value.dim !== 0 || value.dtype === 'bool') return undefined
  const number = Number(value.data[value.storageOffset])
  if (isFloating(value.dtype)) return new Double(number)
  return Number.isSafeInteger(number) ? number : undefined
}

/** How to evaluate the node. What cannot be evaluated is an error only when the run comes to it. */
export function ruleOf(node: Node): Evaluate {
  const rule = rules[node.kind]
  if (rule) return rule(node)
  const number = constantNumber(node)
  const scalar = number === undefined ? undefined : findOperator(`${node.kind}.Scalar`)
  if (scalar?.schema.arguments.length === node.inputs.length)
    return ([self, , ...rest], machine) => scalar.evaluate([self ?? null, number ?? null, ...rest], machine)
  const schema = schemaOfNode(node)
  const operator = schema && findOperator(schemaKey(schema))
  if (operator) return evaluatorOf(operator, node)
  return () => {
    throw new UnsupportedOperatorError(
      `no kernel for ${describe(node, schema)}`,
      placeOf(node),
      'the model can still be frozen and saved; to run it, see docs/add-an-operator.md',
    )
  }
}

function describe(node: Node, schema: FunctionSchema | undefined): string {
  return schema === undefined
    ? `${node.kind} with ${node.inputs.length} inputs`
    : `${schemaKey(schema)}(${schema.arguments.map(({ name, type }) => `${printType(type)} ${name}`).join(', ')})`
}
