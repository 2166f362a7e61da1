import type { Graph, Value } from '../ir/graph.ts'
import { Dict, List, type ScriptObject, Tuple, type IValue } from '../ir/ivalue.ts'
import { printType } from '../ir/type-printer.ts'
import { Tensor } from '../tensor/tensor.ts'
import { FreezeError } from './errors.ts'
import { describeWriter, FreezeLedger, type FreezeReport } from './freeze-report.ts'
import { runPasses, type PassOptions, type PassStats } from './pass-manager.ts'
import { definePass, type Pass, type PassContext } from './pass.ts'
import { frozenPipeline, numericsPipeline } from './pipelines.ts'
import { typeOfValue } from '../ir/type-of-value.ts'
import { insertValue, isInsertable } from './support/constants.ts'
import { subgraphOf } from './support/control-flow.ts'
import { buildFrozenModule } from './support/frozen-module.ts'
import { inlineMethod } from './support/inline-module.ts'
import { everyNode, findSlotAccesses, isModule, type Slot, type SlotAccess } from './support/module-slots.ts'
import { resolvePreserved, type Preserved } from './support/preserved.ts'
import { defaultServices } from './support/services.ts'
import { SlotWrites } from './support/slot-writes.ts'

export interface FreezeOptions extends PassOptions {
  /** Attributes (`scale`, `encoder.scale`) and methods that stay, besides `forward`. */
  readonly preserved?: readonly string[]
  /** Bool attributes that count as having this value in every module, e.g. `{ training: false }`. */
  readonly flags?: Readonly<Record<string, boolean>>
  /** Whether passes may run that change results in the last bits, such as folding batch norms; true by default. */
  readonly optimizeNumerics?: boolean
}

export interface FrozenModule {
  readonly module: ScriptObject
  readonly report: FreezeReport
}

/**
 * Freezes a whole module, as `torch.jit.freeze` (torch/csrc/jit/passes/freeze_module.cpp):
 *
 * 1. The preserved methods are inlined completely, through interfaces too.
 * 2. Every attribute that they read becomes a constant, called `self.<path>`, unless a preserved method writes it
 *    (by assignment, in place or through memory that it shares), it is preserved by name, or no constant can hold it.
 *    Tensors are detached.
 * 3. The graphs are optimised (`frozenPipeline`, and `numericsPipeline` if allowed).
 * 4. What is left is a module of a new class of the same name with the preserved methods and attributes that they
 *    still use. Submodules stay only as holders of such attributes, or whole where they are preserved or leave the
 *    graph.
 *
 * @throws FreezeError for a module in training mode, a name that does not exist, a module that returns itself
 */
export function freeze(module: ScriptObject, options: FreezeOptions = {}): FrozenModule {
  const preserved = resolvePreserved(module, options.preserved ?? [])
  const graphs = new Map([...preserved.methods].map(([name, fn]) => [name, inlineMethod(module, fn)]))
  const freezer = new ModuleFreezer(module, preserved, options)
  for (const graph of graphs.values()) freezer.look(graph)
  const passes = [...graphs.values()].flatMap((graph) => freezer.optimize(graph))
  const frozen = buildFrozenModule(module, graphs, preserved)
  freezer.ledger.dropUnused([...preserved.slots, ...usedSlots(module, graphs.values())])
  const report = freezer.ledger.report(module, passes, {
    status: 'dropped',
    reason: 'no preserved method reads it',
  })
  return { module: frozen, report }
}

function usedSlots(module: ScriptObject, graphs: Iterable<Graph>): Slot[] {
  return [...graphs].flatMap((graph) => {
    const { reads, writes } = findSlotAccesses(graph, module)
    return [...reads, ...writes].map(({ slot }) => slot)
  })
}

class ModuleFreezer {
  readonly ledger = new FreezeLedger()
  readonly #module: ScriptObject
  readonly #preserved: Preserved
  readonly #options: FreezeOptions
  readonly #flags: ReadonlyMap<string, boolean>
  readonly #writes = new SlotWrites()

  constructor(module: ScriptObject, preserved: Preserved, options: FreezeOptions) {
    this.#module = module
    this.#preserved = preserved
    this.#options = options
    this.#flags = new Map(Object.entries(options.flags ?? {}))
    for (const slot of preserved.slots) this.ledger.kept(slot, 'it is preserved')
    this.#checkEval({ object: module, name: 'training', path: 'training' })
  }

  /** Notes what a method reads and writes, before any graph is changed. */
  look(graph: Graph): void {
    const accesses = findSlotAccesses(graph, this.#module)
    this.#writes.add(graph, accesses, defaultServices)
    for (const access of accesses.reads) {
      this.ledger.read(access)
      this.#checkEval(access.slot)
    }
  }

  #checkEval({ object, name, path }: Slot): void {
    if (name !== 'training' || this.#flags.has(name) || object.slots.get(name) !== true) return
    throw new FreezeError(
      `the module is in training mode: ${path} is true`,
      {},
      'call .eval() before saving it, or freeze with --flag training=false',
    )
  }

  optimize(graph: Graph): PassStats[] {
    const numerics = this.#options.optimizeNumerics === false ? [] : numericsPipeline
    const passes = runPasses(graph, [this.#pass(), ...frozenPipeline, ...numerics], this.#options)
    for (const node of everyNode(graph)) {
      const subgraph = subgraphOf(node)
      if (subgraph) runPasses(subgraph, frozenPipeline, this.#options)
    }
    return passes
  }

  #pass(): Pass {
    return definePass({
      name: 'freeze-module',
      summary: 'Makes attributes that no preserved method writes constants.',
      run: (graph, cx) => this.#freezeReads(graph, cx),
    })
  }

  #freezeReads(graph: Graph, cx: PassContext): void {
    const constants = new Map<Graph, Map<ScriptObject, Map<string, Value>>>()
    for (const access of findSlotAccesses(graph, this.#module).reads) {
      const content = access.slot.object.slots.get(access.slot.name)
      if (isModule(content)) continue
      const decision = this.#decide(access.slot, content ?? null)
      if ('why' in decision) {
        this.ledger.kept(access.slot, decision.why)
        cx.miss(access.node, decision.why)
      } else if (replaceRead(access, decision.content, constants, cx)) this.ledger.frozen(access.slot)
    }
  }

  #decide(slot: Slot, content: IValue): { readonly why: string } | { readonly content: IValue } {
    if (this.#preserved.has(slot)) return { why: 'it is preserved' }
    const writer = this.#writes.writerOf(slot)
    if (writer) return { why: describeWriter(writer) }
    const flag = typeof content === 'boolean' ? this.#flags.get(slot.name) : undefined
    const detached = detach(flag ?? content)
    if (!isInsertable(detached)) return { why: `no constant can hold ${printType(typeOfValue(detached))}` }
    return { content: detached }
  }
}

type Constants = Map<Graph, Map<ScriptObject, Map<string, Value>>>

/** One constant per attribute and graph, at the front of the graph. */
function replaceRead(
  { node, slot }: SlotAccess,
  content: IValue,
  constants: Constants,
  cx: PassContext,
): boolean {
  const ofGraph = constants.get(node.graph) ?? new Map<ScriptObject, Map<string, Value>>()
  const ofObject = ofGraph.get(slot.object) ?? new Map<string, Value>()
  constants.set(node.graph, ofGraph.set(slot.object, ofObject))
  const known = ofObject.get(slot.name)
  return cx.rewrite(node, `freezes ${slot.path}`, (edit) => {
    const value = known ?? edit.at(node.graph.block.returnNode.next, () => insertValue(edit, content))
    if (known === undefined) ofObject.set(slot.name, edit.setDebugName(value, `self.${slot.path}`))
    edit.replaceAllUses(node.output(), value)
  })
}

/** The value with all its tensors detached. */
function detach(value: IValue): IValue {
  if (value instanceof Tensor) return value.detach()
  if (value instanceof List) return new List(value.elements.map(detach), value.elementType)
  if (value instanceof Tuple) return new Tuple(value.elements.map(detach), value.type)
  if (!(value instanceof Dict)) return value
  const detached = new Dict(value.keyType, value.valueType)
  for (const [key, item] of value.entries()) detached.set(key, detach(item))
  return detached
}
