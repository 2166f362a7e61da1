import type { Node, Value } from '../ir/graph.ts'
import type { ScriptObject } from '../ir/ivalue.ts'
import { FreezeError } from './errors.ts'
import type { FrozenMethod } from './freeze-params.ts'
import { writesOfAllMethods } from './freeze-params.ts'
import { describeWriter, FreezeLedger } from './freeze-report.ts'
import { runPasses, type PassOptions } from './pass-manager.ts'
import { definePass, type Pass } from './pass.ts'
import { insertValue } from './support/constants.ts'
import { moduleWithGraph } from './support/derive-class.ts'
import { inlineMethod, methodOf } from './support/inline-module.ts'
import { findSlotAccesses, type SlotAccess } from './support/module-slots.ts'
import type { SlotWrites } from './support/slot-writes.ts'

/**
 * Decides conditions on a flag such as `training`: every bool attribute of that name whose read feeds a `prim::If`,
 * directly or through bool operators, becomes the constant `value` wherever it is read, whatever the module holds.
 * Constant propagation then removes the branch that is not taken.
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
  const graph = inlineMethod(module, methodOf(module, method))
  const ledger = new FreezeLedger()
  const pass = freezeFlagsPass(module, flag, value, { ledger, writes: writesOfAllMethods(module) })
  const passes = runPasses(graph, [pass], options)
  const report = ledger.report(module, passes, { status: 'kept', reason: 'the method does not read it' })
  return { module: moduleWithGraph(module, method, graph), graph, report }
}

interface PassInputs {
  readonly ledger: FreezeLedger
  readonly writes: SlotWrites
}

/** `freezeFlags` as a pass over an inlined graph of the module. */
export function freezeFlagsPass(
  module: ScriptObject,
  flag: string,
  value: boolean,
  inputs: PassInputs,
): Pass {
  return definePass({
    name: 'freeze-flags',
    summary: `Makes '${flag}' the constant ${String(value)} where conditions depend on it.`,
    run(graph, cx) {
      const { reads } = findSlotAccesses(graph, module)
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
        refuseIfWritten(access, inputs)
        const done = cx.rewrite(access.node.next, `${access.slot.path} is ${String(value)}`, (edit) => {
          const output = access.node.output()
          const constant = insertValue(edit, value, access.node.range)
          edit.setDebugName(constant, `${output.debugName}.${flag}`)
          edit.replaceAllUses(output, constant)
        })
        if (done) inputs.ledger.frozen(access.slot)
      }
    },
  })
}

function refuseIfWritten({ slot }: SlotAccess, { ledger, writes }: PassInputs): void {
  const writer = writes.writerOf(slot)
  if (writer === undefined) return
  const reason = describeWriter(writer)
  ledger.refused(slot, reason)
  throw new FreezeError(`${slot.path} cannot be frozen: ${reason}`, { node: writer.kind, value: slot.path })
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
