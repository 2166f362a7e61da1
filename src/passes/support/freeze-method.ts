import type { Graph } from '../../ir/graph.ts'
import type { ScriptObject } from '../../ir/ivalue.ts'
import { eliminateDeadCodePass } from '../eliminate-dead-code.ts'
import { countNodes, FreezeLedger } from '../freeze-ledger.ts'
import type { FreezeReport } from '../freeze-report.ts'
import { runPasses, type PassOptions } from '../pass-manager.ts'
import type { PipelineStep } from '../pass.ts'
import { deriveModule } from './derive-module.ts'
import { findUnread } from './unread-slots.ts'
import type { Slot } from './module-slots.ts'
import type { SlotWrites } from './slot-writes.ts'
import { methodInModule } from './whole-module.ts'

export interface FrozenMethod {
  /** The given module with the new graph as its method; the given one stays as it is. */
  readonly module: ScriptObject
  readonly graph: Graph
  readonly report: FreezeReport
}

/** What passes that freeze by name share. */
export interface FreezeInputs {
  readonly ledger: FreezeLedger
  readonly writes: SlotWrites
  /** Attributes to which some method assigns a module. */
  readonly assigned: ReadonlySet<string>
  /** Flags that passes have decided; the new module holds these values. */
  readonly decided: Map<Slot, boolean>
}

export interface FreezeMethodOptions extends PassOptions {
  /** Bool attributes that passes are about to decide. */
  readonly flags?: Readonly<Record<string, boolean>>
  /** Whether dead code goes, and attributes that constants have replaced and no method reads any longer. */
  readonly dropUnread?: boolean
}

/**
 * Runs passes that freeze over one method's inlined graph, and puts the graph in place of the method.
 *
 * @throws FreezeError when there is no such method, and what the passes throw
 */
export function freezeMethod(
  module: ScriptObject,
  method: string,
  passesOf: (inputs: FreezeInputs) => readonly PipelineStep[],
  options: FreezeMethodOptions = {},
): FrozenMethod {
  const { graph, ...known } = methodInModule(module, method, options.flags)
  const inputs = { ledger: new FreezeLedger(), decided: new Map<Slot, boolean>(), ...known }
  const nodesBefore = countNodes(graph)
  const cleaning = options.dropUnread === true ? [eliminateDeadCodePass] : []
  const stats = runPasses(graph, [...passesOf(inputs), ...cleaning], options)
  const unread =
    options.dropUnread === true
      ? findUnread(module, method, graph, (slot) => inputs.ledger.isFrozen(slot))
      : []
  const report = inputs.ledger.report(module, {
    passes: stats.map((pass) => ({ ...pass, method })),
    graphs: [graph],
    nodesBefore,
  })
  return {
    module: deriveModule(module, { method, graph, decided: inputs.decided, dropped: unread }),
    graph,
    report,
  }
}
