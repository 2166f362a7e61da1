import type { AliasAnalysis } from './alias-analysis.ts'
import { bindSchema } from './alias-schema.ts'
import { isMutableType } from './alias-types.ts'
import type { Node, Use } from './graph.ts'
import { writtenStatistics } from './running-statistics.ts'

/** Draws what a node's outputs point to and what it writes. */
export type AliasRule = (analysis: AliasAnalysis, node: Node) => void

export function ruleFor(node: Node): AliasRule {
  return rules[node.kind] ?? fromSchema
}

const fromSchema: AliasRule = (analysis, node) => {
  const schema = analysis.schemaOf(node)
  // An operator that takes and gives anything is one that nobody knows.
  if (schema === undefined || (schema.isVararg && schema.isVarret)) unknown(analysis, node)
  else bindSchema(analysis, node, schema)
}

const creator: AliasRule = (analysis, { outputs }) => {
  for (const output of outputs) analysis.giveFresh(output)
}

const extractor: AliasRule = (analysis, { outputs }) => {
  for (const output of outputs) analysis.setWildcard(output)
}

const conservative: AliasRule = (analysis, node) => {
  for (const input of node.inputs) {
    analysis.writeContained(node, input)
    analysis.setWildcard(input)
  }
  extractor(analysis, node)
}

const unknown: AliasRule = (analysis, node) => {
  conservative(analysis, node)
  analysis.writeAllWildcards(node)
  for (const block of node.blocks) {
    for (const input of block.inputs) analysis.setWildcard(input)
    analysis.block(block)
    for (const output of block.outputs) analysis.setWildcard(output)
  }
}

const harmless: AliasRule = () => undefined

/** Each output is the input of the same place. */
const passThrough: AliasRule = (analysis, { inputs, outputs }) => {
  analysis.pointAll(outputs, inputs)
}

const branch: AliasRule = (analysis, { blocks, outputs }) => {
  for (const block of blocks) {
    analysis.block(block)
    analysis.pointAll(outputs, block.outputs)
  }
}

const loop: AliasRule = (analysis, { inputs, outputs, blocks: [body] }) => {
  if (body === undefined) return
  const carried = inputs.slice(2)
  const places = body.inputs.slice(1)
  analysis.pointAll(places, carried)
  analysis.block(body)
  analysis.pointAll(places, body.outputs.slice(1))
  analysis.pointAll(outputs, body.outputs.slice(1))
  // It may run no trip at all.
  analysis.pointAll(outputs, carried)
}

const fork: AliasRule = (analysis, node) => {
  const subgraph = node.attributes.get('Subgraph')
  const writes = subgraph?.kind === 'graph' && analysis.ofSubgraph(subgraph.graph).writesOutside
  for (const input of node.inputs) {
    if (writes) analysis.writeContained(node, input)
    analysis.setWildcard(input)
  }
  creator(analysis, node)
}

/** What was forked may write all that it was given, and that is not known here. */
const wait: AliasRule = (analysis, node) => {
  extractor(analysis, node)
  analysis.writeAllWildcards(node)
}

/** The statistics of a norm are written in training, which its schema does not say. */
const norm: AliasRule = (analysis, node) => {
  creator(analysis, node)
  for (const statistic of writtenStatistics(node, analysis.options.mayTrain)) analysis.write(node, statistic)
}

const construct: AliasRule = (analysis, node) => {
  const [container] = node.outputs
  if (container === undefined || !isMutableType(container.type)) return
  if (container.uses.length > 0 && container.uses.every(isConsumed)) {
    analysis.giveFresh(container, false)
    for (const input of node.inputs) analysis.contain(input, container)
    return
  }
  analysis.giveFresh(container)
  for (const input of node.inputs)
    if (analysis.setWildcard(input) !== undefined) analysis.contain(input, container)
}

const consumers = new Set([
  'aten::cat',
  'aten::stack',
  'aten::vstack',
  'aten::hstack',
  'aten::dstack',
  'aten::index',
  'aten::index_put',
  'aten::index_put_',
])

/** A list that is only read by an operator whose result holds neither the list nor its elements. */
function isConsumed({ user, offset }: Use): boolean {
  return consumers.has(user.kind) && user.input(offset).type.kind === 'List'
}

const getAttribute: AliasRule = (analysis, node) => {
  const type = node.inputs[0]?.type
  const isFresh = analysis.options.frozen === true && type?.kind === 'Class' && type.isModule
  if (isFresh) creator(analysis, node)
  else extractor(analysis, node)
}

const setAttribute: AliasRule = (analysis, node) => {
  const [self, content] = node.inputs
  analysis.write(node, self)
  if (content !== undefined) analysis.setWildcard(content)
}

/** Operators that may hand an argument back though their schema does not say so, or make a list of what is in one. */
const returnsInput: AliasRule = (analysis, { inputs: [input], outputs }) => {
  for (const output of outputs)
    if (input?.type.kind === 'Tensor' && output.type.kind === 'Tensor') analysis.point(output, input)
    else if (output.type.kind === 'List') analysis.giveFresh(output)
    else analysis.setWildcard(output)
}

const chunk: AliasRule = (analysis, { inputs: [input], outputs }) => {
  if (input !== undefined) for (const output of outputs) analysis.point(output, input)
}

const rules: Readonly<Record<string, AliasRule>> = {
  'prim::If': branch,
  'prim::Loop': loop,
  'prim::fork': fork,
  'prim::rpc_async': fork,
  'prim::rpc_sync': fork,
  'prim::rpc_remote': fork,
  'aten::wait': wait,
  'aten::batch_norm': norm,
  'aten::instance_norm': norm,
  'aten::native_batch_norm': norm,
  'aten::_batch_norm_impl_index': norm,
  'aten::cudnn_batch_norm': norm,
  'aten::miopen_batch_norm': norm,
  'aten::batch_norm_update_stats': norm,
  'aten::batch_norm_gather_stats': norm,
  'aten::batch_norm_gather_stats_with_counts': norm,
  'prim::Constant': creator,
  'prim::CreateObject': creator,
  'prim::Uninitialized': creator,
  'prim::Closure': creator,
  'prim::tolist': creator,
  'prim::TupleConstruct': construct,
  'prim::ListConstruct': construct,
  'prim::DictConstruct': construct,
  'prim::TupleUnpack': extractor,
  'prim::TupleIndex': extractor,
  'prim::TupleSlice': extractor,
  'prim::ListUnpack': extractor,
  'prim::PythonOp': conservative,
  'prim::GetAttr': getAttribute,
  'prim::SetAttr': setAttribute,
  'prim::HasAttr': harmless,
  'prim::unchecked_cast': passThrough,
  'prim::unchecked_unwrap_optional': passThrough,
  'prim::profile': passThrough,
  'prim::profile_ivalue': passThrough,
  'prim::BroadcastMKLDNNTensors': passThrough,
  'prim::RequiresGradCheck': passThrough,
  'prim::TypeCheck': passThrough,
  'prim::ConstantChunk': chunk,
  'prim::Print': harmless,
  'prim::RaiseException': harmless,
  'prim::isinstance': harmless,
  'aten::broadcast_tensors': returnsInput,
  'aten::meshgrid': returnsInput,
  'aten::einsum': returnsInput,
  'aten::atleast_1d': returnsInput,
  'aten::atleast_2d': returnsInput,
  'aten::atleast_3d': returnsInput,
  'aten::type_as': returnsInput,
  'aten::dropout': returnsInput,
  'aten::feature_dropout': returnsInput,
  'aten::alpha_dropout': returnsInput,
  'aten::feature_alpha_dropout': returnsInput,
  'prim::CallFunction': conservative,
  'prim::CallMethod': conservative,
  'prim::Enter': conservative,
  'prim::Exit': conservative,
}
