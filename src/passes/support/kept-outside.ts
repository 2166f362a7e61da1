import { isMutableType } from '../../ir/alias-types.ts'
import type { Node, Use, Value } from '../../ir/graph.ts'
import type { PassServices } from '../pass.ts'
import { loopBodyOffset, loopInputOffset } from './control-flow.ts'

/** Kinds whose outputs are, hold, or are part of their inputs, whatever their schemas say. */
const handsOn = new Set([
  'prim::TupleConstruct',
  'prim::ListConstruct',
  'prim::DictConstruct',
  'prim::TupleUnpack',
  'prim::TupleIndex',
  'prim::TupleSlice',
  'prim::ListUnpack',
  'prim::ConstantChunk',
  'prim::unchecked_cast',
  'prim::unchecked_unwrap_optional',
  'aten::meshgrid',
  'aten::broadcast_tensors',
  'aten::einsum',
  'aten::type_as',
  'aten::atleast_1d',
  'aten::atleast_2d',
  'aten::atleast_3d',
  'aten::dropout',
  'aten::feature_dropout',
  'aten::alpha_dropout',
  'aten::feature_alpha_dropout',
])

const onlyLooks = new Set(['prim::RaiseException', 'prim::Print', 'prim::isinstance', 'prim::GetAttr'])
const constructions = new Set(['prim::ListConstruct', 'prim::DictConstruct', 'aten::dict'])

/**
 * Whether the graph may hand the value to somebody who keeps it when the graph has ended: to an attribute, or to a
 * container that was not made here. Results of the graph do not count. The alias database puts all that is in
 * containers into one set; this follows the value from use to use.
 */
export function isKeptOutside(value: Value, services: PassServices): boolean {
  const seen = new Set([value])
  for (const at of seen)
    for (const use of at.uses) {
      const next = handedTo(use, services)
      if (next === 'outside') return true
      for (const other of next) if (isMutableType(other.type)) seen.add(other)
    }
  return false
}

function handedTo({ user, offset }: Use, services: PassServices): 'outside' | readonly Value[] {
  if (user.kind === 'prim::Return') return behindReturn(user, offset)
  if (user.kind === 'prim::Loop')
    return [
      user.output(offset - loopInputOffset),
      user.block().paramNode.output(offset - loopInputOffset + loopBodyOffset),
    ]
  if (onlyLooks.has(user.kind)) return []
  if (handsOn.has(user.kind)) return user.outputs
  return bySchema(user, offset, services)
}

function behindReturn({ owningBlock }: Node, offset: number): readonly Value[] {
  const outer = owningBlock.owningNode
  if (outer === undefined) return []
  if (outer.kind !== 'prim::Loop') return [outer.output(offset)]
  return offset < loopBodyOffset
    ? []
    : [outer.output(offset - loopBodyOffset), owningBlock.paramNode.output(offset)]
}

function bySchema(node: Node, offset: number, services: PassServices): 'outside' | readonly Value[] {
  const schema = services.schemaOf(node)
  const argument = schema?.arguments[offset]
  if (schema === undefined || schema.isVararg || schema.isVarret || argument === undefined) return 'outside'
  const handed = node.outputs.filter(
    ({ type }, i) => type.kind !== 'Tensor' || schema.returns[i]?.alias !== undefined,
  )
  if (argument.alias?.after.includes('*') !== true) return handed
  // It goes into the container that comes first.
  const container = node.input()
  return constructions.has(container.node.kind) ? [container, ...handed] : 'outside'
}
