import type { Node } from '../../ir/graph.ts'
import { writtenStatistics } from '../../ir/running-statistics.ts'
import { schemaKey, type FunctionSchema } from '../../ir/schema.ts'
import type { PassServices } from '../pass.ts'
import { constantBool } from './constants.ts'

/*
 * What the IR itself knows of node kinds. Everything about ordinary operators is asked of the operator or read from
 * its schema; the names here are those that `Node::hasSideEffects` (torch/csrc/jit/ir/ir.cpp) names, and operators
 * that libtorch 1.13 registers as conservative.
 */
const effectful = new Set([
  'prim::Print',
  'prim::RaiseException',
  'prim::CallFunction',
  'prim::CallMethod',
  'prim::Enter',
  'prim::Exit',
  'prim::PythonOp',
  'prim::IgnoredPythonOp',
  'prim::TimePoint',
  'prim::AddStatValue',
  'prim::rpc_async',
  'prim::rpc_sync',
  'prim::rpc_remote',
  'aten::warn',
  'aten::save',
  'aten::manual_seed',
  'aten::wait',
  'aten::is_grad_enabled',
  'aten::is_autocast_enabled',
  'aten::is_autocast_cpu_enabled',
])

/** Prim kinds without a schema that are pure. */
const structural = new Set([
  'prim::Constant',
  'prim::If',
  'prim::Loop',
  'prim::With',
  'prim::fork',
  'prim::GetAttr',
  'prim::SetAttr',
  'prim::HasAttr',
  'prim::CreateObject',
  'prim::TupleConstruct',
  'prim::TupleUnpack',
  'prim::TupleIndex',
  'prim::TupleSlice',
  'prim::ListConstruct',
  'prim::ListUnpack',
  'prim::DictConstruct',
  'prim::isinstance',
  'prim::unchecked_cast',
  'prim::unchecked_unwrap_optional',
  'prim::Uninitialized',
  'prim::ConstantChunk',
  'prim::tolist',
  'prim::Closure',
])

/**
 * Whether running the node matters beyond its outputs and the memory that its schema says it writes. An operator
 * that nobody knows may do anything.
 */
export function hasSideEffects(node: Node, services: PassServices): boolean {
  if (effectful.has(node.kind)) return true
  if (structural.has(node.kind)) return false
  const schema = services.schemaOf(node)
  if (schema === undefined || isUnknown(schema, services)) return true
  if (services.findOperator(schemaKey(schema))?.hasSideEffects === true) return true
  return schema.returns.length === 0 && !writesSomething(schema)
}

/** An operator that nobody has a schema for is compiled with one that takes and gives anything. */
function isUnknown(schema: FunctionSchema, services: PassServices): boolean {
  return schema.isVararg && schema.isVarret && services.findOperator(schemaKey(schema)) === undefined
}

/** Whether the node's schema says that it writes an argument, it assigns an attribute, or it is a norm that may train. */
export function isMutation(node: Node, services: PassServices): boolean {
  if (node.kind === 'prim::SetAttr' || writtenStatistics(node).length > 0) return true
  const schema = structural.has(node.kind) ? undefined : services.schemaOf(node)
  return schema !== undefined && writesSomething(schema)
}

const neverWriting = new Set(['prim::Print', 'prim::RaiseException', 'aten::warn'])

/** Whether the node may write memory or attributes: by its schema, or because nobody knows what it does. */
export function mayWrite(node: Node, services: PassServices): boolean {
  if (neverWriting.has(node.kind)) return false
  return isMutation(node, services) || hasSideEffects(node, services)
}

function writesSomething(schema: FunctionSchema): boolean {
  return schema.arguments.some(
    (argument) => argument.alias?.isWrite === true || argument.elementAlias?.isWrite === true,
  )
}

/*
 * libtorch 1.13's operators with the tag nondeterministic_seeded (native_functions.yaml); asked besides the operator's
 * own trait because a graph may hold operators that we have no kernel for.
 */
const random = new Set(
  (
    '_fused_dropout _sample_dirichlet _standard_gamma alpha_dropout bernoulli binomial cauchy dropout exponential ' +
    'feature_alpha_dropout feature_dropout geometric log_normal multinomial native_dropout normal normal_functional ' +
    'poisson rand rand_like randint randint_like randn randn_like random randperm rrelu rrelu_with_noise uniform'
  )
    .split(' ')
    .flatMap((name) => [`aten::${name}`, `aten::${name}_`]),
)

/** Whether two runs on the same inputs may differ; dropout with a constant `train = False` does not. */
export function isNondeterministic(node: Node, services: PassServices): boolean {
  const schema = services.schemaOf(node)
  const declared = schema && services.findOperator(schemaKey(schema))?.isNondeterministic === true
  if (declared !== true && !random.has(node.kind)) return false
  const train = schema?.arguments.findIndex(({ name }) => name === 'train' || name === 'training') ?? -1
  const input = node.inputs[train]
  return input === undefined || constantBool(input) !== false
}
