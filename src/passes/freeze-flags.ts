import type { Node, Value } from '../ir/graph.ts'
import type { ScriptObject } from '../ir/ivalue.ts'
import { refuseIfWritten } from './freeze-ledger.ts'
import type { PassOptions } from './pass-manager.ts'
import { definePass, type Pass } from './pass.ts'
import { insertValue } from './support/constants.ts'
import { freezeMethod, type FreezeInputs, type FrozenMethod } from './support/freeze-method.ts'
import { findSlotAccesses } from './support/module-slots.ts'

/**
 * Decides conditions on a flag such as `training`: every bool attribute of that name whose read feeds a `prim::If`,
 * directly or through bool operators, becomes the constant `value` wherever it is read, whatever the module holds.
 * Constant propagation then removes the branch that is not taken. The new module holds the value too, so that its other
 * methods agree.
 *
 * @throws FreezeError when a method assigns the flag
 */
export function freezeFlags(
  module: ScriptObject,
  method: string,
  flag: string,
  value: boolean,
  options: PassOptions = {},
): FrozenMethod {
  return freezeMethod(module, method, (inputs) => [freezeFlagsPass(module, flag, value, inputs)], {
    ...options,
    flags: { [flag]: value },
  })
}

/** `freezeFlags` as a pass over an inlined graph of the module. */
export function freezeFlagsPass(
  module: ScriptObject,
  flag: string,
  value: boolean,
  inputs: FreezeInputs,
): Pass {
  return definePass({
    name: 'freeze-flags',
    summary: `Makes '${flag}' the constant ${String(value)} where conditions depend on it.`,
    run(graph, cx) {
      const { reads } = findSlotAccesses(graph, module, inputs)
      for (const read of reads) inputs.ledger.read(read)
      const chosen = reads.filter(
        ({ slot }) => slot.name === flag && typeof slot.object.slots.get(flag) === 'boolean',
      )
      const deciding = new Set(
        chosen.filter(({ node }) => feedsCondition(node)).map(({ slot }) => slot.object),
      )
      for (const access of chosen) {
        if (!deciding.has(access.slot.object)) {
          inputs.ledger.kept(access.slot, 'no condition depends on it')
          cx.miss(access.node, 'no condition depends on it')
          continue
        }
        refuseIfWritten(access.slot, inputs)
        const done = cx.rewrite(access.node.next, `${access.slot.path} is ${String(value)}`, (edit) => {
          const output = access.node.output()
          const constant = insertValue(edit, value, access.node.range)
          edit.setDebugName(constant, `${output.debugName}.${flag}`)
          edit.replaceAllUses(output, constant)
        })
        if (!done) continue
        inputs.ledger.frozen(access.slot)
        inputs.decided.set(access.slot, value)
      }
    },
  })
}

/** Whether a condition depends on the bool, over nodes that make bools of it. */
function feedsCondition(read: Node): boolean {
  const seen = new Set<Value>()
  const pending: Value[] = [read.output()]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (seen.has(value)) continue
    seen.add(value)
    for (const { user, offset } of value.uses) {
      if (user.kind === 'prim::If') return true
      if (user.kind === 'prim::Return') pending.push(...resultsOf(user, offset))
      else pending.push(...user.outputs.filter((output) => output.type.kind === 'Bool'))
    }
  }
  return false
}

/** What a block's output becomes outside. */
function resultsOf(returnNode: Node, offset: number): Value[] {
  const owner = returnNode.owningBlock.owningNode
  const result = owner?.outputs[owner.kind === 'prim::Loop' ? offset - 1 : offset]
  return result ? [result] : []
}
